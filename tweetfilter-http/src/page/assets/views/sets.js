// Named sets: lists of terms that filters name in braces.

import { ApiError, model } from '../model/index.js';
import { View, act, announce, fill, part, update } from './template.js';
import { NOT_REMOVED, counted } from './text.js';

const GONE = 'It was removed elsewhere; save it to keep it.';

class Sets extends View {
  // What is being written: `{key, name, isNew, shared, before, tag}`; of a set that was never saved the key is null. The tag
  // is of what is known to be kept: of `before`, or of what it was said to be changed to elsewhere.
  #open = null;
  // What was written and not saved, by key: `{open, name, terms}`.
  #drafts = new Map();
  #error = '';
  // Time alone mends what it says: it was of something that was read.
  #passes = false;
  #taken = '';
  #stale = false;
  // How often it was asked what the open one is by now.
  #asked = 0;

  begin(signal) {
    this.on(model.sets, 'change', () => this.#changed());
    this.on(model, 'filters', () => this.#draw());
    this.on(model, 'store', () => {
      if (model.store.state !== 'fine' || !this.#passes) return;
      [this.#error, this.#passes] = ['', false];
      this.#draw();
    });
    this.on(this.part('editing'), 'submit', (event) => {
      event.preventDefault();
      this.once('save', () => this.#save());
    });
    this.on(this.part('editing'), 'input', () => {
      const { size } = this.#drafts;
      [this.#taken, this.#error] = ['', this.#isGone ? GONE : ''];
      this.#drawEditor();
      // Its row says whether it is saved.
      if (this.#drafts.size !== size) this.#draw();
    });
    this.on(this.part('editing'), 'keydown', (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && (event.key === 'Enter' || event.key === 's')) {
        event.preventDefault();
        if (this.#wrongName === '') this.once('save', () => this.#save());
      } else if (event.key === 'Escape' && !this.#isDirty) this.#close();
    });
    this.on(this.part('sure'), 'click', ({ target }) => target.dataset.close && this.part('sure').close(target.dataset.close));
    act(
      this,
      {
        'set-new': () => this.#begin(this.#drafts.get(null)?.open ?? { key: null, name: '', isNew: true, before: '' }),
        'set-open': ({ dataset }) => this.#load(dataset.name),
        'set-close': () => this.#close(),
        'set-remove': () => this.#remove(),
        'set-take': () => this.#load(this.#open.key, true),
        'set-undo': () => this.#undo(),
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
    this.#drafts = left.drafts;
    const draft = this.#drafts.get(left.at);
    if (!draft) return;
    this.#open = draft.open;
    this.part('name').value = draft.name;
    this.part('terms').value = draft.terms;
  }

  #remember() {
    // One that was put away has nothing to say to whoever is signed in now.
    if (!this.isConnected) return;
    const [open, drafts] = [this.#open, this.#drafts];
    if (open && this.#isWritten) {
      drafts.set(open.key, { open, name: this.part('name').value, terms: this.part('terms').value });
    } else if (open) {
      drafts.delete(open.key);
    }
    model.unsaved.keep('sets', drafts.size > 0 ? { at: open?.key, drafts } : null);
  }

  // Whether somebody else removed it while it is open.
  get #isGone() {
    return this.#open !== null && this.#open.isNew && this.#open.key !== null;
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

  // A name that was typed is worth keeping, too.
  get #isWritten() {
    return this.#isDirty || (this.#open?.key === null && this.part('name').value !== '');
  }

  // Opens a set: as it was left unsaved, or (`anew`) as it is kept.
  async #load(name, anew = false) {
    const left = this.#drafts.get(name);
    if (left && !anew) {
      this.#begin(left.open);
      this.#changed();
      return;
    }
    try {
      const now = await model.sets.get(name);
      if (now === null) {
        model.sets.load();
        return;
      }
      const shared = model.sets.items.find((set) => set.name === name)?.shared ?? false;
      this.#drafts.delete(name);
      this.#begin({ key: name, name, isNew: false, shared, before: now.text, tag: now.tag });
    } catch (error) {
      this.#failed(error, error.passes);
    }
  }

  #begin(open) {
    const left = this.#drafts.get(open.key);
    [this.#open, this.#error, this.#taken, this.#stale] = [open, '', '', false];
    this.part('name').value = left?.name ?? open.name;
    this.part('terms').value = left?.terms ?? open.before;
    this.#draw();
    (open.isNew ? this.part('name') : this.part('terms')).focus();
  }

  // What was not saved is kept for whoever opens it again.
  #close() {
    const name = this.#open?.name;
    [this.#open, this.#error, this.#taken, this.#stale] = [null, '', '', false];
    this.#draw();
    const opener = [...this.querySelectorAll('.row-open')].find((row) => row.dataset.name === name);
    (opener ?? this.querySelector('[data-do="set-new"]')).focus();
  }

  #undo() {
    const { name, before } = this.#open;
    this.part('name').value = name;
    this.part('terms').value = before;
    [this.#taken, this.#stale] = ['', false];
    this.#draw();
    this.part('terms').focus();
    this.#changed();
  }

  // One that is open follows what is kept, unless something was written.
  async #changed() {
    this.#draw();
    const open = this.#open;
    if (!open || open.key === null || open.isSent || model.sets.state !== 'ready') return;
    if (!model.sets.items.some(({ name }) => name === open.key)) {
      [this.#error, this.#passes, this.#stale] = [GONE, false, false];
      open.isNew = true;
      this.#draw();
      return;
    }
    if (open.isNew) [open.isNew, this.#error] = [false, ''];
    // What was asked before may be answered later, and tells what was before.
    const asked = ++this.#asked;
    try {
      const now = await model.sets.get(open.key);
      if (asked !== this.#asked || open !== this.#open || open.isSent || now === null) return;
      open.tag = now.tag;
      if (now.text === open.before) return;
      if (this.#isDirty) {
        this.#stale = now.text !== this.part('terms').value;
      } else {
        open.before = now.text;
        this.part('terms').value = now.text;
      }
      this.#draw();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  async #save() {
    const open = this.#open;
    const name = this.part('name').value.trim().replace(/^\{|\}$/g, '');
    const text = this.part('terms').value;
    if (!open || name === '' || !model.mayWrite) return;
    this.#error = '';
    try {
      const tag = await this.#send(open, () => model.sets.put(name, lines(text), open));
      if (tag !== null) this.#saved(open, name, text, tag);
      else if (open === this.#open) this.#refuse(name);
    } catch (error) {
      if (error.code === 'changed_meanwhile') await this.#overtaken(open, '');
      else this.#failed(error);
    }
  }

  // What is told of a set while it is saved or removed here is that.
  async #send(open, send) {
    open.isSent = true;
    try {
      return await send();
    } finally {
      open.isSent = false;
    }
  }

  // It is another than was known here: that is shown or said, and whoever does the same again means that one.
  async #overtaken(open, error) {
    await model.sets.load();
    if (open !== this.#open) return;
    [this.#error, this.#passes] = [error, false];
    await this.#changed();
    if (open !== this.#open) return;
    this.#stale = this.#isDirty && !open.isNew;
    this.#draw();
  }

  #refuse(name) {
    this.#taken = name;
    this.#draw();
    this.part('name').focus();
  }

  // What was typed while it was saved is not saved yet.
  #saved(open, name, text, tag) {
    announce('Saved');
    const isOpen = open === this.#open;
    const left = isOpen ? { open, name, terms: this.part('terms').value } : this.#drafts.get(open.key);
    this.#drafts.delete(open.key);
    Object.assign(open, { key: name, name, isNew: false, shared: false, before: lines(text).join('\n'), tag });
    const isLater = left !== undefined && left.terms !== text;
    if (isLater) this.#drafts.set(name, { ...left, name });
    if (isOpen) this.part('name').value = name;
    if (isOpen && !isLater) this.#close();
    else this.#changed();
  }

  async #remove() {
    const open = this.#open;
    // As it is known to be when it is asked about.
    const { name, tag } = open;
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
    try {
      await this.#send(open, () => model.sets.remove(name, tag));
      announce('Removed');
      this.#drafts.delete(open.key);
      if (open === this.#open) this.#close();
      else this.#draw();
    } catch (error) {
      if (error.code === 'changed_meanwhile') await this.#overtaken(open, NOT_REMOVED);
      else this.#failed(error);
    }
  }

  #failed(error, passes = false) {
    if (!(error instanceof ApiError)) throw error;
    [this.#error, this.#passes] = [error.message, passes];
    this.#draw();
  }

  #draw() {
    const { state, error, items } = model.sets;
    this.#remember();
    const drafts = this.#drafts;
    // One that was removed elsewhere while it was written can still be had.
    const gone = [...drafts.keys()].filter((key) => key !== null && state === 'ready' && !items.some(({ name }) => name === key));
    this.update({
      counts: state === 'idle' ? '' : String(items.length),
      write: model.mayWrite,
      loading: state === 'loading' && items.length === 0,
      empty: state === 'ready' && items.length + gone.length === 0 && !this.#open,
      error: state === 'error' ? error : this.#open ? '' : this.#error,
      again: state === 'error',
      some: items.length + gone.length > 0,
      add: drafts.has(null) ? 'Unsaved set' : 'New set',
    });
    const rows = [...items, ...gone.map((name) => ({ name, terms: 0, shared: false }))].map(({ name, terms, shared }) => {
      const row = fill('set', {
        name,
        written: `{${name}}`,
        terms: gone.includes(name) ? 'removed elsewhere' : counted(terms, 'term'),
        unsaved: drafts.has(name),
        shared,
        current: this.#open?.key === name ? 'true' : null,
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
    this.part('terms').readOnly = !model.mayWrite;
    this.part('name').setAttribute('aria-invalid', String(wrongName !== '' || this.#taken !== ''));
    update(place, {
      isNew: open.isNew,
      title: open.isNew ? 'New set' : `{${open.name}}`,
      terms: counted(many, 'term'),
      shared: open.shared,
      error: this.#error,
      stale: this.#stale,
      taken: this.#taken,
      edit: `Edit {${this.#taken}}`,
      dirty: this.#isWritten && model.mayWrite && (open.isNew ? 'Clear' : 'Undo changes'),
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
