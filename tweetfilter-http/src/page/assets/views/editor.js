// The editor of a filter.

import { serverNow } from '../model/clock.js';
import { model } from '../model/index.js';
import { View, act, announce, fill, isAlone, part, update } from './template.js';
import { NOT_REMOVED, brief, count, cut, moment, seen, spans } from './text.js';
import { Expiry } from './expiry.js';
import './feeds.js';
import './form.js';
import './preview.js';

class Editor extends View {
  #completions = null;
  #chosen = 0;
  // Whether it was gone to, and does not only stand first.
  #isChosen = false;

  prepare(content) {
    this.writing = model.write(this.which === 'new' ? null : this.which);
    part(content, 'preview').writing = this.writing;
    part(content, 'form').writing = this.writing;
    part(content, 'feeds').filter = this.which === 'new' ? null : this.which;
  }

  begin(signal) {
    const { writing } = this;
    this.text = this.part('text');
    this.on(writing, 'change', () => this.#draw());
    this.on(writing, 'checked', () => this.#drawFindings());
    this.on(model, 'filters', () => this.#changedElsewhere());
    this.on(this.text, 'input', () => {
      writing.set({ text: this.text.value });
      this.#complete();
    });
    this.on(this.text, 'scroll', () => this.#align());
    this.on(this.text, 'keydown', (event) => this.#pressed(event));
    // Who is back by then has what was completed meanwhile.
    this.on(this.text, 'blur', () => setTimeout(() => document.activeElement === this.text || this.#close(), 100));
    this.on(this.text, 'click', () => this.#close());
    this.on(this.part('completions'), 'mousedown', (event) => event.preventDefault());
    this.on(this.part('sure'), 'click', ({ target }) => target.dataset.close && this.part('sure').close(target.dataset.close));
    this.on(this.part('name'), 'input', (event) => writing.set({ name: event.target.value }));
    this.expiry = new Expiry(this.part('expires'), writing);
    this.on(this.part('expires'), 'input', () => this.expiry.take());
    this.on(this.part('expires'), 'keyup blur', ({ type }) => this.expiry.look(type === 'blur'));
    this.on(this, 'change', ({ target }) => {
      if (target.name === 'action') writing.set({ action: target.value });
      if (target.name === 'dialect') writing.set({ dialect: target.value });
      if (target.name === 'enabled') writing.set({ enabled: target.checked });
    });
    this.on(this, 'keydown', (event) => {
      // What is asked in a dialog is answered there.
      if (event.target.closest('dialog')) return;
      if (event.altKey) return;
      if ((event.ctrlKey || event.metaKey) && (event.key === 'Enter' || event.key === 's')) {
        event.preventDefault();
        this.#save();
      } else if (event.key === 'Escape' && !this.#completions && !writing.isDirty) {
        location.hash = '#/filters';
      }
    });
    this.on(this.part('editing'), 'submit', (event) => {
      event.preventDefault();
      this.#save();
    });
    act(
      this,
      {
        fix: (pressed) => this.#fix(Number(pressed.dataset.finding), Number(pressed.dataset.fix)),
        complete: (pressed) => this.#take(Number(pressed.dataset.at)),
        canonical: () => {
          this.#insert(writing.checked.canonical, 0, this.text.value.length);
          this.#close();
        },
        until: ({ dataset }) => {
          const days = Number(dataset.days);
          const expires = days === 0 ? null : new Date(serverNow() + days * 86_400_000).toISOString();
          writing.setEnd(expires);
        },
        form: () => this.#toggleForm(),
        'form-back': () => {
          this.part('form').back();
          this.#draw();
          this.text.focus();
        },
        save: () => this.#save(),
        overwrite: () => this.#save(true),
        theirs: () => this.#begin(writing.saved),
        undo: () => this.#begin(writing.saved && (model.filter(writing.saved.id) ?? writing.saved)),
        before: () => {
          this.#insert(writing.bringBack(), 0, this.text.value.length);
          this.#close();
        },
        remove: () => this.#remove(),
      },
      signal,
    );
    this.#draw();
    writing.begin();
    // It may have been left unsaved, and changed elsewhere since.
    this.#changedElsewhere();
  }

  end() {
    this.writing.end();
    model.leave(this.writing);
  }

  focusText() {
    this.text?.focus({ preventScroll: true });
  }

  // Goes on from a filter as it is saved.
  #begin(saved) {
    this.writing.take(saved);
    this.writing.begin();
    this.#draw();
    this.text.focus();
  }

  #draw() {
    const { writing } = this;
    if (this.text.value !== writing.text) this.text.value = writing.text;
    const name = this.part('name');
    if (name.value !== writing.name) name.value = writing.name;
    this.expiry.draw();
    for (const input of this.querySelectorAll('[name="action"]')) input.checked = input.value === writing.action;
    for (const input of this.querySelectorAll('[name="dialect"]')) input.checked = input.value === writing.dialect;
    this.querySelector('[name="enabled"]').checked = writing.enabled;
    this.querySelector('[data-do="form"]').setAttribute('aria-expanded', String(writing.form !== null));
    const { saved, conflict } = writing;
    const { mistake, meaning } = this.expiry;
    this.update({
      title: saved ? seen(saved.name) || 'Filter' : 'New filter',
      saved: saved !== null,
      removable: saved !== null && model.mayWrite,
      error: writing.error,
      conflict: conflict && `It was changed elsewhere meanwhile, to: ${said(conflict)}`,
      blocked: !writing.canSave,
      save: writing.saving ? 'Saving …' : saved ? 'Save' : 'Add filter',
      dirty: writing.isDirty && (saved ? 'Undo changes' : 'Clear'),
      before: writing.before && `This stood here before and was not saved: ${brief(writing.before)}`,
      readOnly: !model.mayWrite,
      until: mistake ? '' : meaning,
      over: mistake,
    });
    this.#drawFindings();
  }

  // Under the text lies the same text with its errors underlined.
  #drawFindings() {
    const { writing } = this;
    const { findings, text, isTooLong } = writing;
    const places = findings.map(({ span, severity }) => {
      let [from, to] = span.utf16;
      // A place between two characters is shown at the one before it.
      if (from === to) from = Math.max(0, from - 1);
      return { from, to: Math.max(to, from + 1), kind: `wave-${severity}` };
    });
    const under = isTooLong ? [] : spans(cut(text, places));
    this.part('under').replaceChildren(...under, document.createTextNode('\n'));
    this.#align();
    this.part('findings').replaceChildren(...(isTooLong ? [tooLong(writing)] : findings.map((finding, at) => this.#finding(finding, at))));
    const checked = writing.checked?.text === text ? writing.checked : null;
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    this.text.setAttribute('aria-invalid', String(isTooLong || errors > 0));
    update(this.part('verdict'), {
      trouble: writing.checkError && !checked ? writing.checkError : '',
      good: checked?.valid && findings.length === 0,
      scanned: checked?.cost === 'scanned',
      canonical: checked?.valid && checked.canonical !== text.trim() ? checked.canonical : '',
    });
    const remarks = checked ? [...checked.differs_from_x ?? [], ...checked.lost_in_native ?? []] : [];
    const lines = remarks.map(({ message }) => fill('remark', { message }));
    this.part('remarks').replaceChildren(...lines);
  }

  #finding(finding, at) {
    const { span, severity, message, second, fixes } = finding;
    const element = fill('finding', { severity, message, name: severity === 'error' ? 'Error' : 'Warning' });
    const { line, from, width } = excerpt(this.writing.text, span.utf16);
    part(element, 'line').textContent = line;
    part(element, 'carets').textContent = ' '.repeat(from) + '^'.repeat(width);
    if (second) {
      const other = excerpt(this.writing.text, second.span.utf16);
      update(part(element, 'second'), { second: `${second.message}: ${other.line.slice(other.from, other.from + other.width)}` });
    }
    fixes.forEach((fix, n) => {
      if (fix.span) part(element, 'fixes').append(fill('fix', { label: capital(fix.label), finding: at, fix: n }));
    });
    return element;
  }

  #fix(finding, fix) {
    const { label, replacement, span } = this.writing.findings[finding].fixes[fix];
    this.#insert(replacement, ...span.utf16);
    this.#close();
    announce(`Done: ${label}`);
  }

  #align() {
    this.part('under').style.transform = `translateY(${-this.text.scrollTop}px)`;
  }

  // Completion

  #complete() {
    const at = this.text.selectionStart;
    this.#completions = at === this.text.selectionEnd ? this.writing.completions(at) : null;
    [this.#chosen, this.#isChosen] = [0, false];
    this.#drawCompletions();
    if (this.#completions) announce(`${this.#completions.items.length} completions`);
  }

  #drawCompletions() {
    const list = this.part('completions');
    const found = this.#completions;
    list.hidden = !found;
    if (!found) {
      this.text.removeAttribute('aria-activedescendant');
      list.replaceChildren();
      return;
    }
    const items = found.items.map(({ label, detail }, at) =>
      fill('completion', { label, detail, at, id: `completion-${at}`, chosen: String(at === this.#chosen) }),
    );
    list.replaceChildren(...items);
    this.text.setAttribute('aria-activedescendant', `completion-${this.#chosen}`);
    const place = this.#place(found.from);
    const room = this.part('writing').clientWidth - list.offsetWidth;
    list.style.left = `${Math.max(0, Math.min(place.left, room))}px`;
    list.style.top = `${place.bottom + 4}px`;
  }

  // Where a place of the text is, found with the text that lies under it.
  #place(at) {
    const range = document.createRange();
    let left = at;
    const walker = document.createTreeWalker(this.part('under'), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (left <= node.length) {
        range.setStart(node, left);
        range.collapse(true);
        break;
      }
      left -= node.length;
    }
    const [there, here] = [range.getBoundingClientRect(), this.part('writing').getBoundingClientRect()];
    return { left: there.left - here.left, bottom: there.bottom - here.top };
  }

  #take(at) {
    const { from, to, items } = this.#completions;
    const { insert } = items[at];
    this.#insert(insert, from, to);
    if (insert.endsWith(':')) this.#complete();
    else this.#close();
  }

  // Puts something in the place of a part of the text, as if it was typed, so that it can be undone.
  #insert(what, from, to) {
    this.text.focus();
    this.text.setSelectionRange(from, to);
    const isDone = what === '' ? document.execCommand('delete') : document.execCommand('insertText', false, what);
    if (!isDone) this.text.setRangeText(what, from, to, 'end');
    if (this.writing.text !== this.text.value) this.writing.set({ text: this.text.value });
  }

  #close() {
    this.#completions = null;
    this.#drawCompletions();
  }

  #pressed(event) {
    const found = this.#completions;
    if (found && isAlone(event)) {
      const many = found.items.length;
      const by = { ArrowDown: 1, ArrowUp: many - 1 }[event.key];
      if (by) {
        this.#chosen = (this.#chosen + by) % many;
        this.#isChosen = true;
      } else if (event.key === 'Enter' || (event.key === 'Tab' && !event.shiftKey)) {
        // The tabulator leaves the field, unless something of the list was meant: it was gone to, or is a value.
        if (event.key === 'Tab' && !this.#isChosen && !found.isValue) return;
        event.preventDefault();
        this.#take(this.#chosen);
        return;
      } else if (event.key === 'Escape') {
        event.preventDefault();
        event.stopPropagation();
        this.#close();
        return;
      } else return;
      event.preventDefault();
      this.#drawCompletions();
      return;
    }
    if (event.ctrlKey && event.key === ' ') {
      event.preventDefault();
      this.#complete();
    } else if (event.ctrlKey && event.key === '.') {
      event.preventDefault();
      const at = this.writing.findings.findIndex(({ fixes }) => fixes.some((fix) => fix.span));
      if (at >= 0) this.#fix(at, this.writing.findings[at].fixes.findIndex((fix) => fix.span));
    } else if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      // A filter is one line.
      event.preventDefault();
    }
  }

  #toggleForm() {
    const form = this.part('form');
    if (form.hidden) form.open();
    else form.close();
    this.#draw();
  }

  // Saving

  async #save(overwrite = false) {
    const { writing } = this;
    this.expiry.look(true);
    if (!(await writing.save({ overwrite }))) {
      if (!this.isConnected) return;
      this.#draw();
      this.#showTrouble();
      return;
    }
    this.#saved();
  }

  #saved() {
    const { writing } = this;
    announce('Saved');
    if (!writing.done) this.#writeOn();
    else if (this.checkVisibility()) location.hash = '#/filters';
    // Whoever looks elsewhere by now is not called back.
    else this.remove();
    if (writing.isLeft) model.leave(writing);
  }

  // More was typed while it was saved: it goes on here, as what is not saved yet.
  #writeOn() {
    const { id } = this.writing.saved;
    model.unsaved.settle(this.writing);
    if (!this.isConnected) return;
    [this.which, this.part('feeds').filter] = [id, id];
    if (this.checkVisibility()) location.hash = `#/filters/${id}`;
    this.#draw();
  }

  // What kept it from being saved is seen, wherever the keyboard is.
  #showTrouble() {
    const { writing } = this;
    const wrong = writing.isTooLong || writing.findings.some(({ severity }) => severity === 'error');
    const fix = wrong && this.querySelector('.finding[data-severity="error"] [data-do="fix"]');
    const late = this.expiry.mistake !== '';
    (late ? this.part('expires') : fix || this.text).focus();
    if (late) return;
    const said = wrong ? this.part('findings') : this.querySelector('.editor-fields > [role="alert"]:not([hidden])');
    said?.scrollIntoView({ block: 'nearest' });
  }

  async #remove() {
    const { writing } = this;
    // As it is known to be: what it was changed to meanwhile is said, too.
    const known = writing.saved;
    const dialog = this.part('sure');
    update(dialog, { question: `Remove “${seen(known.name) || known.text}”?` });
    dialog.returnValue = '';
    dialog.showModal();
    await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
    if (dialog.returnValue !== 'yes') return;
    try {
      await model.removeFilter(known);
      writing.done = true;
      announce('Removed');
      location.hash = '#/filters';
    } catch (error) {
      const isAnother = error.code === 'changed_meanwhile';
      // It is shown as it is now.
      if (isAnother) await model.loadFilters();
      writing.set({});
      writing.error = isAnother ? NOT_REMOVED : error.message;
      this.#draw();
    }
  }

  // What was not touched here follows what is saved elsewhere.
  #changedElsewhere() {
    const { writing } = this;
    if (!writing.saved && writing.turnsOut()) {
      this.#saved();
      return;
    }
    if (!writing.saved || writing.saving || model.filtersState !== 'ready') return;
    const now = model.filter(writing.saved.id);
    if (!now) {
      writing.remain('This filter was removed elsewhere; add it again to keep it.');
    } else if (now.revision !== writing.saved.revision) {
      if (writing.isDirty) {
        writing.follow(now);
      } else {
        // It may be known only now why it was not removed.
        const error = writing.error === NOT_REMOVED ? NOT_REMOVED : null;
        writing.take(now);
        writing.error = error;
        writing.begin();
      }
    }
  }
}

// What a filter was changed to, where that is another thing than here.
function said({ saved, fields }) {
  const { name, text, dialect, action, enabled, expires_at: expires } = saved;
  const words = {
    text: brief(text),
    dialect: { native: 'read as tweetfilter’s language', x: 'read as X does' }[dialect],
    name: seen(name) ? `the name “${name}”` : 'no name',
    action: `the action “${capital(action)}”`,
    enabled: enabled ? 'in use' : 'not in use',
    expires: expires ? `used until ${moment(expires)}` : 'no end',
  };
  return fields.map((field) => words[field]).join('; ');
}

// The line of a place, with the place counted in it; long lines are cut.
function excerpt(text, [start, end]) {
  const begin = Math.max(0, start - 32);
  const lead = begin > 0 ? '…' : '';
  const rest = text.slice(begin, Math.max(end, start + 1) + 24).replaceAll(/\s/g, ' ');
  const tail = begin + rest.length < text.length ? '…' : '';
  const from = [...text.slice(begin, start)].length + lead.length;
  return { line: lead + rest + tail, from, width: Math.max(1, [...text.slice(start, end)].length) };
}

function tooLong({ bytes }) {
  return fill('too-long', { most: count(model.me.limits.expression_bytes), bytes: count(bytes) });
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

customElements.define('tf-editor', Editor);
