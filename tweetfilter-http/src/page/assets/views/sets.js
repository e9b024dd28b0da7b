// Named sets: lists of terms that filters name in braces.

import { ApiError, model } from '../model/index.js';
import { View, act, announce, fill, part, update } from './template.js';
import { counted } from './text.js';

class Sets extends View {
  // What is being written: `{name, isNew, before, text}`.
  #open = null;
  #error = '';
  #stale = false;

  begin(signal) {
    this.on(model.sets, 'change', () => this.#changed());
    this.on(model, 'filters', () => this.#draw());
    this.on(this.part('editing'), 'submit', (event) => {
      event.preventDefault();
      this.#save();
    });
    this.on(this.part('editing'), 'input', () => this.#drawEditor());
    this.on(this.part('editing'), 'keydown', (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && (event.key === 'Enter' || event.key === 's')) {
        event.preventDefault();
        if (this.#wrongName === '') this.#save();
      } else if (event.key === 'Escape' && !this.#isDirty) this.#close();
    });
    this.on(this.part('sure'), 'click', ({ target }) => target.dataset.close && this.part('sure').close(target.dataset.close));
    act(
      this,
      {
        'set-new': () => this.#begin({ name: '', isNew: true, before: '' }),
        'set-open': ({ dataset }) => this.#load(dataset.name),
        'set-close': () => this.#close(),
        'set-remove': () => this.#remove(),
        'set-take': () => this.#load(this.#open.name),
        retry: () => model.sets.load(),
      },
      signal,
    );
    this.#resume();
    this.#draw();
    model.sets.look();
  }

  // Goes on with what was being written when the token was refused.
  #resume() {
    const left = model.unsaved.kept('sets');
    if (!left) return;
    this.#open = left.open;
    this.part('name').value = left.name;
    this.part('terms').value = left.terms;
  }

  #remember() {
    // One that was put away has nothing to say to whoever is signed in now.
    if (!this.isConnected) return;
    const [name, terms] = [this.part('name').value, this.part('terms').value];
    const isWritten = this.#isDirty || (this.#open?.isNew && name !== '');
    model.unsaved.keep('sets', isWritten ? { open: this.#open, name, terms } : null);
  }

  get #isDirty() {
    return this.#open !== null && this.part('terms').value !== this.#open.before;
  }

  // What is wrong with a name that is written; an address would not lead to some.
  get #wrongName() {
    const name = this.part('name').value.trim().replace(/^\{|\}$/g, '');
    if (!this.#open?.isNew || name === '' || /^[a-z0-9_-]{1,64}$/.test(name)) return '';
    return 'A name has 1 to 64 of these: lower-case letters a to z, digits, - and _.';
  }

  async #load(name) {
    try {
      const { data } = await model.ask('GET', `/sets/${encodeURIComponent(name)}`);
      const shared = model.sets.items.find((set) => set.name === name)?.shared ?? false;
      this.#begin({ name, isNew: false, shared, before: data.terms.join('\n') });
    } catch (error) {
      this.#failed(error);
    }
  }

  #begin(open) {
    [this.#open, this.#error, this.#stale] = [open, '', false];
    this.part('name').value = open.name;
    this.part('terms').value = open.before;
    this.#draw();
    (open.isNew ? this.part('name') : this.part('terms')).focus();
  }

  #close() {
    const name = this.#open?.name;
    [this.#open, this.#error, this.#stale] = [null, '', false];
    this.#draw();
    const opener = [...this.querySelectorAll('[data-do="set-open"]')].find((row) => row.dataset.name === name);
    (opener ?? this.querySelector('[data-do="set-new"]')).focus();
  }

  // One that is open follows what is kept, unless something was written.
  async #changed() {
    this.#draw();
    const open = this.#open;
    if (!open || open.isNew || model.sets.state !== 'ready') return;
    if (!model.sets.items.some(({ name }) => name === open.name)) {
      this.#error = 'It was removed elsewhere; save it to keep it.';
      this.#open.isNew = true;
      this.#draw();
      return;
    }
    try {
      const { data } = await model.ask('GET', `/sets/${encodeURIComponent(open.name)}`);
      const now = data.terms.join('\n');
      if (open !== this.#open || now === open.before) return;
      if (this.#isDirty) {
        this.#stale = now !== this.part('terms').value;
      } else {
        open.before = now;
        this.part('terms').value = now;
      }
      this.#draw();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  async #save() {
    const name = this.part('name').value.trim().replace(/^\{|\}$/g, '');
    const terms = lines(this.part('terms').value);
    if (!this.#open || name === '' || !model.mayWrite) return;
    try {
      await model.sets.send('PUT', `/sets/${encodeURIComponent(name)}`, { terms });
      announce('Saved');
      this.#open.name = name;
      this.#close();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #remove() {
    const { name } = this.#open;
    const dialog = this.part('sure');
    const users = used(name);
    update(dialog, {
      question: `Remove {${name}}?`,
      what: users.length > 0 ? `${counted(users.length, 'filter')} would name what is not there any more.` : 'No filter names it.',
    });
    dialog.returnValue = '';
    dialog.showModal();
    await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
    if (dialog.returnValue !== 'yes') return;
    this.#open.isNew = true;
    try {
      await model.sets.send('DELETE', `/sets/${encodeURIComponent(name)}`);
      announce('Removed');
      this.#close();
    } catch (error) {
      this.#open.isNew = false;
      this.#failed(error);
    }
  }

  #failed(error) {
    if (!(error instanceof ApiError)) throw error;
    this.#error = error.message;
    this.#draw();
  }

  #draw() {
    const { state, error, items } = model.sets;
    this.update({
      counts: state === 'idle' ? '' : String(items.length),
      write: model.mayWrite,
      loading: state === 'loading' && items.length === 0,
      empty: state === 'ready' && items.length === 0 && !this.#open,
      error: state === 'error' ? error : this.#open ? '' : this.#error,
      again: state === 'error',
      some: items.length > 0,
    });
    const rows = items.map(({ name, terms, shared }) => {
      const row = fill('set', {
        name,
        written: `{${name}}`,
        terms: counted(terms, 'term'),
        shared,
        current: this.#open?.name === name ? 'true' : null,
      });
      const users = used(name);
      const links = users.map((filter) => fill('set-user', { link: `#/filters/${filter.id}`, name: model.called(filter.id) }));
      if (links.length > 0) part(row, 'users').append('used by ', ...links.flatMap((link, at) => (at > 0 ? [', ', link] : [link])));
      else part(row, 'users').append('used by no filter');
      return row;
    });
    this.part('rows').replaceChildren(...rows);
    this.#drawEditor();
  }

  #drawEditor() {
    const open = this.#open;
    const place = this.part('editing');
    place.hidden = open === null;
    this.#remember();
    if (!open) return;
    const many = lines(this.part('terms').value).length;
    const wrongName = this.#wrongName;
    this.part('name').setAttribute('aria-invalid', String(wrongName !== ''));
    this.part('terms').readOnly = !model.mayWrite;
    update(place, {
      isNew: open.isNew,
      title: open.isNew ? 'New set' : `{${open.name}}`,
      terms: counted(many, 'term'),
      shared: open.shared,
      error: this.#error,
      stale: this.#stale,
      wrongName,
      blocked: !model.mayWrite || wrongName !== '' || this.part('name').value.trim() === '' || many === 0 || (!open.isNew && !this.#isDirty),
      removable: !open.isNew && !open.shared && model.mayWrite,
    });
  }
}

const lines = (text) => text.split('\n').map((line) => line.trim()).filter((line) => line !== '');

// Filters that name a set.
function used(name) {
  return model.filters.filter(({ text }) => [...text.matchAll(/\{\s*([^{}]+?)\s*\}/g)].some(([, named]) => named === name));
}

customElements.define('tf-sets', Sets);
