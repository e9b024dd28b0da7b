// Import and export.

import { ApiError, model } from '../model/index.js';
import { choices, chosen } from '../model/owners.js';
import { View, act, announce, fill, update } from './template.js';
import { bytes, copy, counted, grouped, textOf } from './text.js';

const STATES = { new: 'New', same: 'There already', differs: 'Changes', invalid: 'Invalid' };
// What is chosen beside the content of a file.
const CHOICES = ['format', 'action', 'together', 'owner'];
const FIELDS = { enabled: 'used', expires_at: 'ends' };

// What an import would change of a filter that is there.
const changed = ({ field, from, to }) =>
  field === 'text' ? `was: ${from}` : `${FIELDS[field] ?? field}: ${from} → ${to}`;

class Exchange extends View {
  #timer = null;
  // What would come of a file, and `of` what that was said.
  #found = null;
  #applying = false;
  #asked = 0;
  // Whose filters of the file come in; all of them where it is empty.
  #owner = '';
  // Time alone mends what went wrong: it is looked at again once the server is back.
  #waits = false;
  // Why nothing was imported, until something else is written, chosen or tried.
  #refused = '';
  // Why nothing was exported, as long as that is shown.
  #failed = null;
  // How far its preview and the view itself are scrolled.
  #scrolled = { rows: 0, view: 0 };

  begin(signal) {
    this.on(this.part('content'), 'input', () => this.#later());
    this.on(this.part('file'), 'change', (event) => this.#open(event.target));
    for (const name of ['format', 'action', 'together']) this.on(this.part(name), 'change', () => this.#lookAnew());
    this.on(this.part('owner'), 'change', ({ target }) => {
      this.#owner = target.value;
      this.#lookAnew();
    });
    this.on(this.part('export-format'), 'change', () => this.#clear());
    this.on(model, 'store', () => {
      if (model.store.state !== 'fine') return;
      if (this.#waits) this.#look();
      if (this.#failed?.passes) this.#letGo();
    });
    this.on(model, 'filters', () => this.#found && !this.#found.applied && this.#look());
    for (const [name, place] of [['rows', this.part('rows')], ['view', this]]) {
      this.on(place, 'scroll', () => {
        if (!this.checkVisibility()) return;
        this.#scrolled[name] = place.scrollTop;
        this.#remember();
      });
    }
    act(this, { apply: () => this.#apply(), write: () => this.#write(), copy: () => this.#copy() }, signal);
    this.#resume();
  }

  /** What was hidden has forgotten how far it was scrolled; and what went wrong before was read. */
  open() {
    this.#letGo();
    this.part('rows').scrollTop = this.#scrolled.rows;
    this.scrollTop = this.#scrolled.view;
  }

  // Goes on with what was being imported when the token was refused.
  #resume() {
    const left = model.unsaved.kept('exchange');
    if (left) {
      for (const name of ['content', 'format', 'action']) this.part(name).value = left[name];
      this.part('together').checked = left.together;
      [this.#found, this.#scrolled, this.#owner] = [left.found, left.scrolled, left.owner];
    }
    this.#draw();
    if (left && !this.#found) this.#later();
  }

  #remember() {
    // One that was put away has nothing to say to whoever is signed in now.
    if (!this.isConnected) return;
    const [content, format, action] = ['content', 'format', 'action'].map((name) => this.part(name).value);
    const { checked: together } = this.part('together');
    const isOpen = content.trim() !== '' && !this.#found?.applied;
    const [found, owner] = [this.#found, this.#owner];
    const left = { content, format, action, together, owner, found, scrolled: { ...this.#scrolled } };
    model.unsaved.keep('exchange', isOpen ? left : null);
  }

  end() {
    clearTimeout(this.#timer);
  }

  async #open(input) {
    const [file] = input.files;
    if (!file) return;
    // Held by the field it would hold up the page, only to be refused.
    const most = model.me.limits.body_bytes;
    if (file.size > most) {
      this.#refuse(input, `“${file.name}” has ${bytes(file.size)}; at most ${bytes(most)} are imported at once. Choose it in pieces.`);
      return;
    }
    const asked = ++this.#asked;
    const text = await textOf(file);
    // Another was chosen meanwhile, or something written.
    if (asked !== this.#asked) return;
    if (text === null) {
      // Read as anything else, its words would find nothing.
      this.#refuse(input, `“${file.name}” is not UTF-8 text. Save it as UTF-8, and choose it again.`);
      return;
    }
    this.part('content').value = text;
    this.#lookAnew();
  }

  #refuse(input, why) {
    clearTimeout(this.#timer);
    // What is still asked is about what was there before.
    this.#asked++;
    input.value = '';
    this.part('content').value = '';
    [this.#found, this.#owner, this.#refused] = [null, '', ''];
    this.#draw(why);
  }

  #later() {
    this.#refused = '';
    this.#remember();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), 300);
  }

  async #apply() {
    // What was written or chosen since nobody has seen yet.
    if (this.#found?.of !== JSON.stringify(this.#wanted)) return this.#look();
    this.#setApplying(true);
    this.#refused = '';
    try {
      await this.#look(true);
    } finally {
      this.#setApplying(false);
    }
    // What was written meanwhile was not looked at.
    if (this.#found && !this.#found.applied) this.#later();
  }

  // Another choice would stand beside what came of the one that is imported.
  #setApplying(isUnderWay) {
    this.#applying = isUnderWay;
    for (const name of CHOICES) this.part(name).disabled = isUnderWay;
  }

  // What is to be imported, and how.
  get #wanted() {
    return {
      content: this.part('content').value,
      format: this.part('format').value,
      action: this.part('action').value,
      together: this.part('together').checked,
      owner: this.#owner || null,
    };
  }

  #lookAnew() {
    this.#refused = '';
    return this.#look();
  }

  async #look(apply = false) {
    clearTimeout(this.#timer);
    if (this.#applying && !apply) return;
    const asked = ++this.#asked;
    this.#waits = false;
    const content = this.part('content').value;
    if (content.trim() === '') {
      [this.#found, this.#owner] = [null, ''];
      this.#draw();
      return;
    }
    const wanted = this.#wanted;
    try {
      const { data, summary } = await model.ask('POST', '/import', { body: { ...wanted, keep_going: true, apply } });
      if (asked !== this.#asked || this.part('content').value !== content) return;
      if (chosen(data, this.#owner) !== this.#owner) {
        this.#owner = '';
        return this.#look();
      }
      this.#found = { ...data, summary: grouped(summary.text), of: JSON.stringify(wanted) };
      this.#draw();
      if (apply) {
        announce(this.#found.summary);
        model.loadFilters();
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (asked !== this.#asked) return;
      this.#waits = error.passes;
      this.#found = null;
      if (apply) this.#refused = error.message;
      this.#draw(error.message);
    }
  }

  #draw(error = this.#refused) {
    const found = this.#found;
    const { activeElement: active } = document;
    const isDone = found?.applied && (active === document.body || active.dataset.do === 'apply');
    const whose = found ? choices(found, model.me?.name) : [];
    const coming = found?.filters.filter(({ state }) => state === 'new' || state === 'differs').length ?? 0;
    const readOnly = !model.mayWrite;
    for (const name of ['file', 'content']) this.part(name).disabled = readOnly;
    this.update({
      error,
      readOnly,
      found: found !== null,
      choice: whose.length > 0,
      summary: found?.summary,
      applied: found?.applied,
      blocked: coming === 0 || found?.applied || !model.mayWrite,
      apply: found?.applied ? 'Done' : `Import ${counted(coming, 'filter')}`,
    });
    const rows = (found?.filters ?? []).map((filter) =>
      fill('imported', {
        ...filter,
        // Of what could not be read there may be nothing else.
        name: filter.name || (filter.text === '' ? `line ${filter.line}` : ''),
        state: STATES[filter.state],
        kind: filter.state,
        owner: filter.owner && filter.owner !== model.me?.name && `of ${filter.owner}`,
        was: filter.changes.map(changed).join('; '),
        trouble: filter.diagnostics.map(({ message }) => message).join('; '),
        remark: filter.differs_from_x.map(({ message }) => message).join('; '),
      }),
    );
    this.part('rows').replaceChildren(...rows);
    const options = whose.map(({ owner, said }) => new Option(said, owner, false, owner === this.#owner));
    this.part('owner').replaceChildren(...options);
    this.part('rows').scrollTop = this.#scrolled.rows;
    // The button that was pressed is of no use any more.
    if (isDone && this.checkVisibility()) this.part('rows').focus({ preventScroll: true });
    this.part('together').closest('label').hidden = this.part('format').value !== 'words';
    this.#remember();
  }

  #clear() {
    this.#failed = null;
    update(this.part('exported'), { exported: false });
    this.part('left-out').replaceChildren();
  }

  #letGo() {
    if (this.#failed) this.#clear();
  }

  async #write() {
    const place = this.part('exported');
    this.#letGo();
    try {
      const { data, summary } = await model.ask('GET', `/export?format=${this.part('export-format').value}`);
      update(place, { exported: true, summary: grouped(summary.text) });
      this.part('written').value = data.content;
      const link = this.part('download');
      URL.revokeObjectURL(link.href);
      link.href = URL.createObjectURL(new Blob([data.content], { type: 'text/plain' }));
      link.download = data.file;
      const left = data.left_out.map(({ id, why }) => fill('left-out', { name: model.called(id), why }));
      const lost = data.lost.map(({ id, what }) => fill('left-out', { name: model.called(id), why: `not said: ${what}` }));
      this.part('left-out').replaceChildren(...left, ...lost);
      link.focus();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#failed = error;
      update(place, { exported: false, failed: error.message });
    }
  }

  #copy() {
    return copy(this.part('written'), this.querySelector('[data-do="copy"]'));
  }
}

customElements.define('tf-exchange', Exchange);
