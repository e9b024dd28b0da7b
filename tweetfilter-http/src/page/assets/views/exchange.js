// Import and export.

import { ApiError, model } from '../model/index.js';
import { View, act, announce, fill, update } from './template.js';
import { counted } from './text.js';

const STATES = { new: 'New', same: 'There already', differs: 'Changes', invalid: 'Invalid' };
const FIELDS = { enabled: 'used', expires_at: 'ends' };

// What an import would change of a filter that is there.
const changed = ({ field, from, to }) =>
  field === 'text' ? `was: ${from}` : `${FIELDS[field] ?? field}: ${from} → ${to}`;

class Exchange extends View {
  #timer = null;
  #found = null;

  begin(signal) {
    this.on(this.part('content'), 'input', () => this.#later());
    this.on(this.part('file'), 'change', (event) => this.#open(event.target));
    for (const name of ['format', 'action', 'together']) this.on(this.part(name), 'change', () => this.#look());
    this.on(this.part('export-format'), 'change', () => this.#clear());
    this.on(model, 'filters', () => this.#found && !this.#found.applied && this.#look());
    act(this, { apply: () => this.#look(true), write: () => this.#write(), copy: () => this.#copy() }, signal);
    this.#draw();
  }

  end() {
    clearTimeout(this.#timer);
  }

  async #open(input) {
    const [file] = input.files;
    if (!file) return;
    this.part('content').value = await file.text();
    this.#look();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), 300);
  }

  async #look(apply = false) {
    clearTimeout(this.#timer);
    const content = this.part('content').value;
    this.part('together').closest('label').hidden = this.part('format').value !== 'words';
    if (content.trim() === '') {
      this.#found = null;
      this.#draw();
      return;
    }
    const body = {
      content,
      format: this.part('format').value,
      action: this.part('action').value,
      together: this.part('together').checked,
      keep_going: true,
      apply,
    };
    try {
      const { data, summary } = await model.ask('POST', '/import', { body });
      if (this.part('content').value !== content) return;
      this.#found = { ...data, summary: summary.text };
      this.#draw();
      if (apply) {
        announce(summary.text);
        model.loadFilters();
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#found = null;
      this.#draw(error.message);
    }
  }

  #draw(error = '') {
    const found = this.#found;
    const coming = found?.filters.filter(({ state }) => state === 'new' || state === 'differs').length ?? 0;
    this.update({
      error,
      found: found !== null,
      summary: found?.summary,
      applied: found?.applied,
      blocked: coming === 0 || found?.applied || !model.mayWrite,
      apply: found?.applied ? 'Done' : `Import ${counted(coming, 'filter')}`,
    });
    const rows = (found?.filters ?? []).map((filter) =>
      fill('imported', {
        ...filter,
        state: STATES[filter.state],
        kind: filter.state,
        was: filter.changes.map(changed).join('; '),
        trouble: filter.diagnostics.map(({ message }) => message).join('; '),
        remark: filter.differs_from_x.map(({ message }) => message).join('; '),
      }),
    );
    this.part('rows').replaceChildren(...rows);
  }

  #clear() {
    update(this.part('exported'), { exported: false });
    this.part('left-out').replaceChildren();
  }

  async #write() {
    const place = this.part('exported');
    try {
      const { data, summary } = await model.ask('GET', `/export?format=${this.part('export-format').value}`);
      update(place, { exported: true, summary: summary.text, failed: '' });
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
      update(place, { exported: false, failed: error.message });
    }
  }

  async #copy() {
    const text = this.part('written');
    text.select();
    await navigator.clipboard?.writeText(text.value).catch(() => {});
    announce('Copied');
  }
}

customElements.define('tf-exchange', Exchange);
