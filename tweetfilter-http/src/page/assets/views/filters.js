// The list of filters, and the editor beside it.

import { serverNow } from '../model/clock.js';
import { ApiError, model } from '../model/index.js';
import { View, act, announce, fill, isAlone, update } from './template.js';
import { brief, counted, exactly, moment, seen } from './text.js';
import './editor.js';
import './list.js';

export const ACTIONS = { show: 'Show', hide: 'Hide', highlight: 'Highlight', notify: 'Notify' };

const ENDED = 'has ended: open it and choose a later end, or none, to use it again.';
const MEANWHILE = 'Nothing was changed here, since filters were changed elsewhere meanwhile. They stand here as they are now; try again.';

class Filters extends View {
  #selected = null;
  // The filter at which the keyboard goes on once it is there.
  #due = null;

  begin(signal) {
    this.list = this.part('list');
    this.list.make = (row) => this.#row(row);
    this.on(model, 'filters', () => this.#draw());
    this.on(this.part('find'), 'input', () => this.#draw());
    act(
      this,
      {
        move: (pressed, { shiftKey }) => this.#move(pressed, Number(pressed.dataset.by) * (shiftKey ? Infinity : 1)),
        place: (pressed) => this.#place(pressed),
        toggle: (pressed) => this.#toggle(pressed),
        retry: () => model.loadFilters(),
        dismiss: () => this.#say(''),
      },
      signal,
    );
    this.on(this.list, 'keydown', (event) => this.#pressed(event));
    this.on(this.part('moving'), 'click', ({ target }) => target.dataset.close && this.part('moving').close(target.dataset.close));
    this.#draw();
  }

  /** Opens a filter in the editor: a number, `new`, or null for none. */
  open(which) {
    [this.#selected, this.#due] = [which, null];
    const place = this.part('editor');
    const editor = place.firstElementChild;
    if (which === null) {
      const left = place.contains(document.activeElement) || document.activeElement === document.body;
      place.replaceChildren();
      if (editor && left) requestAnimationFrame(() => this.#goTo(editor.writing?.saved?.id));
    } else if (!editor || editor.which !== which || (which === 'new' && model.draft !== null)) {
      if (which !== 'new' && !model.filter(which)) {
        place.replaceChildren(model.filtersState === 'ready' ? fill('no-filter') : fill('waiting'));
      } else {
        const next = document.createElement('tf-editor');
        next.which = which;
        place.replaceChildren(next);
        next.focusText();
      }
    }
    this.classList.toggle('is-editing', which !== null);
    this.#draw();
  }

  // Where the keyboard goes on once an editor is left: at its filter.
  #goTo(id) {
    if (this.list.row(String(id))) {
      this.list.show(String(id));
      return;
    }
    const link = this.part('head').querySelector('a');
    link.focus();
    // One that was just made comes with the next look at the filters.
    if (id !== undefined) this.#due = { id, link };
  }

  #goToDue() {
    if (!this.#due || !this.list.row(String(this.#due.id))) return;
    const { id, link } = this.#due;
    this.#due = null;
    if (document.activeElement === link) this.list.show(String(id));
  }

  #draw() {
    const { filters, filtersState, filtersError } = model;
    const wanted = this.part('find').value.trim().toLowerCase();
    const found = filters.filter(
      ({ name, text }) => wanted === '' || name.toLowerCase().includes(wanted) || text.toLowerCase().includes(wanted),
    );
    const said = wanted === '' ? counted(filters.length, 'filter') : `${found.length} of ${counted(filters.length, 'filter')}`;
    update(this.part('head'), {
      counts: filtersState === 'ready' ? said : '',
      many: filters.length > 6 || wanted !== '',
      loading: filtersState === 'loading',
      error: filtersState === 'error' ? filtersError : '',
      empty: filtersState === 'ready' && filters.length === 0,
      write: model.mayWrite,
      add: model.isUnsaved(null) ? 'Unsaved filter' : 'New filter',
    });
    this.list.set(
      found.map((filter) => ({
        key: String(filter.id),
        version: [filter.revision, filter.position, filters.length, filter.id === this.#selected, model.isUnsaved(filter.id), filter.unused?.message].join(),
        filter,
      })),
      true,
    );
    this.#goToDue();
    const editor = this.part('editor').firstElementChild;
    const missing = editor && editor.localName !== 'tf-editor';
    if (!missing || filtersState !== 'ready' || this.#selected === null) return;
    if (model.filter(this.#selected)) this.open(this.#selected);
    else this.part('editor').replaceChildren(fill('no-filter'));
  }

  #row({ filter }) {
    const name = seen(filter.name) || filter.text;
    const expired = filter.expires_at && new Date(filter.expires_at) < serverNow();
    return fill('filter', {
      ...filter,
      title: name,
      expression: seen(filter.name) && filter.text,
      actionName: ACTIONS[filter.action],
      off: !filter.enabled,
      left: filter.unused && `not used: ${seen(filter.unused.message)}`,
      unsaved: model.isUnsaved(filter.id),
      checkedWord: String(filter.enabled),
      current: filter.id === this.#selected ? 'true' : null,
      link: `#/filters/${filter.id}`,
      until: filter.expires_at && (expired ? 'Expired' : `Until ${moment(filter.expires_at)}`),
      untilExactly: exactly(filter.expires_at),
      placeLabel: `${filter.position} of ${model.filters.length}, the place of ${name}: move it to the first or last`,
      fixed: model.filters.length < 2 || !model.mayWrite,
      toggleLabel: `${name}: in use`,
      upLabel: `Move ${name} up`,
      downLabel: `Move ${name} down`,
      first: filter.position === 1 || !model.mayWrite,
      last: filter.position === model.filters.length || !model.mayWrite,
      locked: !model.mayWrite,
    });
  }

  // Asks for the first or the last place, where there is no key to hold.
  async #place(pressed) {
    const id = Number(pressed.closest('[data-row]').dataset.row);
    const { position } = model.filter(id);
    const { length } = model.filters;
    const dialog = this.part('moving');
    update(dialog, {
      title: `Move “${brief(model.called(id))}”`,
      place: `It has place ${position} of ${length}.`,
      first: position === 1,
      last: position === length,
    });
    dialog.returnValue = '';
    // The dialog gives the focus back, and not every browser gives it to a button that is pressed.
    pressed.focus({ preventScroll: true });
    dialog.showModal();
    await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
    const by = { first: -Infinity, last: Infinity }[dialog.returnValue];
    if (by) await this.#move(pressed, by, '[data-do="place"]');
    else this.#goOn(id, pressed, '[data-do="place"]');
  }

  async #move(pressed, by, control = `[data-by="${Math.sign(by)}"]`) {
    const id = Number(pressed.closest('[data-row]').dataset.row);
    await this.#try(id, () => model.moveFilter(id, by));
    const now = model.filter(id);
    if (!now) return;
    announce(`${model.called(id)} is number ${now.position} of ${model.filters.length}`);
    this.#goOn(id, pressed, control);
  }

  async #toggle(pressed) {
    const filter = model.filter(Number(pressed.closest('[data-row]').dataset.row));
    await this.#try(filter.id, () => model.changeFilter(filter, { enabled: !filter.enabled }));
    this.#goOn(filter.id, pressed, '[data-do="toggle"]');
  }

  // The keyboard goes on where something was pressed, though the row was made anew; unless it is elsewhere by now.
  #goOn(id, pressed, control) {
    const row = this.list.querySelector(`[data-row="${id}"]`);
    const at = document.activeElement;
    if (!row || (at !== document.body && !row.contains(at))) return;
    const again = pressed.matches('[data-row]') ? null : row.querySelector(`${control}:not(:disabled)`);
    (again ?? row).focus({ preventScroll: true });
  }

  async #try(id, change) {
    this.#say('');
    try {
      await change();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const isOther = error.code === 'changed_meanwhile';
      if (isOther) await model.loadFilters();
      const hasEnded = error.code === 'already_expired';
      this.#say(isOther ? MEANWHILE : hasEnded ? `${model.called(id)} ${ENDED}` : error.message);
    }
  }

  // It stands until something else is tried, or somebody has read it.
  #say(trouble) {
    update(this.part('trouble'), { trouble });
  }

  #pressed(event) {
    const row = event.target.closest('[data-row]');
    if (!row) return;
    // Also from its switch and buttons.
    if (event.altKey && !event.ctrlKey && !event.metaKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      if (!model.mayWrite) return;
      const by = (event.key === 'ArrowUp' ? -1 : 1) * (event.shiftKey ? Infinity : 1);
      this.once(`move ${row.dataset.row} ${by}`, () => this.#move(row, by));
    }
    if (event.target !== row || !isAlone(event)) return;
    if (event.key === 'Enter') {
      location.hash = `#/filters/${row.dataset.row}`;
    } else if (event.key === ' ') {
      event.preventDefault();
      if (!model.mayWrite) return;
      this.once(`toggle ${row.dataset.row}`, () => this.#toggle(row));
    }
  }
}

customElements.define('tf-filters', Filters);
