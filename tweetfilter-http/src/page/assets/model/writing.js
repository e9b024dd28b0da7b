// A filter that is being written: what is wrong with it as it is typed, what it would find, and how it is saved.

import { ApiError } from './api.js';
import { bytes } from './length.js';
import { takes } from './withdrawn.js';

const CHECK_AFTER = 120;
const PREVIEW_AFTER = 350;
const LOOK_AT = 5_000;
// How soon it is asked again whose handles are that stand for nobody, and how rarely at last.
const ASK_AFTER = 2_000;
const ASK_AT_LEAST = 60_000;

/** Tells `checked`, `previewed`, `saved` and `change`. */
export class Writing extends EventTarget {
  #model;
  #ended = false;
  #check = new Later();
  #preview = new Later();
  #known = new Later();
  // What the last check says of the text: true, false, or null where it could not be asked.
  #verdict = Promise.resolve(null);
  // Time alone mends what `error` says.
  #passes = false;
  #measured = { text: '', bytes: 0 };

  constructor(model, saved, text = '') {
    super();
    this.#model = model;
    /** What stood here unsaved before another text was put in its place. */
    this.before = '';
    /** What was filled into the form, while that is open: `{fields}`, null where they can't say the text. */
    this.form = null;
    this.take(saved);
    if (text) this.text = text;
  }

  /** Takes over a saved filter as it is now. */
  take(saved) {
    this.saved = saved;
    this.name = saved?.name ?? '';
    this.text = saved?.text ?? '';
    this.dialect = saved?.dialect ?? 'native';
    this.action = saved?.action ?? 'highlight';
    this.enabled = saved?.enabled ?? true;
    this.expires = saved?.expires_at ?? null;
    /** Why what was written as its end is no time, or ''; `expires` is as before: `late`, `half`, `begun` as long as it is written on. */
    this.noTime = '';
    this.checked = null;
    this.checkError = null;
    this.preview = null;
    this.previewState = 'idle';
    this.error = null;
    this.conflict = null;
    this.saving = false;
    /** Saved as it is, or removed: nothing of it needs to be kept. */
    this.done = false;
    /** The text that said more than the form can, and whose place that took. */
    this.replaced = '';
  }

  get bytes() {
    const { text } = this;
    if (this.#measured.text !== text) this.#measured = { text, bytes: bytes(text) };
    return this.#measured.bytes;
  }

  /** It is longer than a filter may be: nothing is asked about it, nor looked for in it, which would take long to no end. */
  get isTooLong() {
    return this.text.length * 3 > this.most && this.bytes > this.most;
  }

  /** Bytes that a filter may have. */
  get most() {
    return this.#model.me?.limits.expression_bytes ?? Infinity;
  }

  get findings() {
    return this.checked?.text === this.text ? this.checked.diagnostics : [];
  }

  get isDirty() {
    const saved = this.saved;
    if (!saved) return this.text.trim() !== '' || this.name !== '';
    return (
      saved.text !== this.text ||
      saved.name !== this.name ||
      saved.dialect !== this.dialect ||
      saved.action !== this.action ||
      saved.enabled !== this.enabled ||
      !sameTime(saved.expires_at, this.expires) ||
      this.noTime !== ''
    );
  }

  get isUnsaved() {
    return !this.done && (this.isDirty || this.before !== '');
  }

  /** Whether it would be switched off as soon as it is saved. */
  get isOver() {
    const { saved, expires, enabled } = this;
    if (!expires || new Date(expires) > new Date()) return false;
    return !saved || enabled || !sameTime(saved.expires_at, expires);
  }

  get canSave() {
    return !this.saving && !this.isTooLong && !this.isOver && this.noTime === '' && this.text.trim() !== '' && (this.isDirty || !this.saved) && this.#model.mayWrite;
  }

  set(change) {
    const asks = 'text' in change || 'dialect' in change;
    const previews = asks || 'action' in change;
    Object.assign(this, change);
    [this.error, this.#passes, this.done] = [null, false, false];
    this.#tell('change');
    if (asks) this.check();
    if (previews) this.look();
  }

  begin() {
    [this.#ended, this.noTime] = [false, ''];
    this.#model.addEventListener('withdrawn', this.#withdraw);
    this.#model.addEventListener('store', this.#mend);
    this.#tell('change');
    this.check();
    this.look();
  }

  end() {
    this.#ended = true;
    this.#model.removeEventListener('withdrawn', this.#withdraw);
    this.#model.removeEventListener('store', this.#mend);
    this.#check.stop();
    this.#preview.stop();
    this.#known.stop();
    // What is taken back while nobody looks would stay, and what is no time stands in the field alone.
    [this.preview, this.previewState, this.noTime] = [null, 'idle', ''];
  }

  /** Nobody has it open. */
  get isLeft() {
    return this.#ended;
  }

  // What kept it from being saved has passed.
  #mend = () => {
    if (!this.#passes || this.#model.store.state !== 'fine') return;
    [this.error, this.#passes] = [null, false];
    this.#tell('change');
  };

  // Samples are posts like any other.
  #withdraw = () => {
    if (!this.preview) return;
    const kept = (posts) => posts.filter((post) => !this.#model.taken.some((taken) => takes(taken, post)));
    const { samples, against_saved: against } = this.preview;
    const held = against && { ...against, added: kept(against.added), dropped: kept(against.dropped) };
    this.preview = { ...this.preview, samples: kept(samples), against_saved: held };
    this.#tell('previewed');
  };

  check() {
    const { text, dialect, isTooLong } = this;
    if (isTooLong || text.trim() === '') {
      this.#check.stop();
      [this.checked, this.checkError] = [null, null];
      this.#tell('checked');
      return;
    }
    let say;
    this.#verdict = new Promise((said) => (say = said));
    this.#check.start(CHECK_AFTER, async (signal) => {
      try {
        const { data } = await this.#model.ask('POST', '/check', { body: { text, dialect }, signal });
        this.checked = { ...data, text };
        this.checkError = null;
        say(data.valid);
      } catch (error) {
        if (!(error instanceof ApiError)) return;
        this.checkError = error.message;
        say(null);
        if (error.passes) this.#again(text, () => this.check());
      }
      this.#tell('checked');
    });
  }

  /** Looks at what the filter would have found. */
  look() {
    const { text, dialect, action, isTooLong } = this;
    this.#known.stop();
    if (isTooLong || text.trim() === '') {
      this.#preview.stop();
      [this.preview, this.previewState] = [null, isTooLong ? 'invalid' : 'idle'];
      this.#tell('previewed');
      return;
    }
    this.#preview.start(PREVIEW_AFTER, async (signal) => {
      this.previewState = 'loading';
      this.#tell('previewed');
      const verdict = await this.#verdict;
      if (signal.aborted) return;
      if (verdict === false) {
        [this.preview, this.previewState] = [null, 'invalid'];
        this.#tell('previewed');
        return;
      }
      const body = { text, dialect, action, posts: LOOK_AT, samples: 12 };
      if (this.saved) body.filter = this.saved.id;
      try {
        for await (const { name, data } of this.#model.askStepwise('POST', '/preview', { body, signal })) {
          [this.preview, this.previewState] = [data.data, name === 'done' ? 'ready' : 'partial'];
          this.#tell('previewed');
        }
        if (this.preview?.unknown_handles) this.#askWho(ASK_AFTER);
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) return;
        const after = { search_running: 300, store_busy: 2_000 }[error.code];
        if (after) {
          this.#again(text, () => this.look(), after);
          return;
        }
        // The expression itself is wrong, and the check could not say so before.
        [this.preview, this.previewState] = [null, error.status === 422 ? 'invalid' : 'error'];
        this.previewError = error.message;
        if (error.passes) this.#again(text, () => this.look());
      }
      this.#tell('previewed');
    });
  }

  // Who is meant by handles is found out by and by, without anything being written. A preview reads many posts, so it is asked
  // for by a check, and the preview made anew once that says another thing.
  #askWho(after) {
    const { text, dialect } = this;
    this.#known.start(after, async (signal) => {
      const later = () => this.#askWho(Math.min(2 * after, ASK_AT_LEAST));
      try {
        const { data } = await this.#model.ask('POST', '/check', { body: { text, dialect }, signal });
        if (signal.aborted) return;
        const said = JSON.stringify(data.unknown_handles);
        if (said === JSON.stringify(this.preview?.unknown_handles)) later();
        else this.look();
      } catch (error) {
        if (error instanceof ApiError && !signal.aborted) later();
      }
    });
  }

  /** Gives what stood here before, to be written in the place of what stands here now; that is kept in turn. */
  bringBack() {
    const { before, text } = this;
    this.before = text;
    return before;
  }

  /** What could stand at a place: operators, and the values of those that have a list (`isValue`, unless one stands there already). */
  completions(at) {
    if (this.isTooLong) return null;
    const before = this.text.slice(0, at);
    if ((before.match(/(?<!\\)"/g) ?? []).length % 2 === 1) return null;
    const rest = this.text.slice(at);
    const typed = /[\p{L}\p{N}_.]+(?::[\p{L}\p{N}_,]*)?$/u.exec(before)?.[0] ?? '';
    const colon = typed.indexOf(':');
    const lower = typed.toLowerCase();
    let found;
    let from = at - typed.length;
    // All of a word that stands around the place is replaced.
    let behind;
    let isValue = false;
    if (colon >= 0) {
      const named = lower.slice(0, colon);
      const operator = this.#model.operators.find(({ name, aliases }) => [name, ...aliases].includes(named));
      const value = lower.slice(lower.search(/[:,][^:,]*$/) + 1);
      from = at - value.length;
      isValue = !operator?.values.includes(value);
      behind = /^[\p{L}\p{N}_]*/u.exec(rest);
      found = (operator?.values ?? [])
        .filter((known) => known.startsWith(value) && known !== value)
        .map((known) => ({ insert: known, label: known, detail: `${operator.name}:${known}` }));
    } else if (typed.length >= 2) {
      behind = /^[\p{L}\p{N}_.]*:?/u.exec(rest);
      found = this.#model.operators
        .filter(({ name, aliases }) => [name, ...aliases].some((known) => known.startsWith(lower)))
        .map(({ name, aliases, values }) => ({
          insert: values.length > 0 || name !== 'attr' ? `${name}:` : 'attr.',
          label: `${name}:`,
          detail: values.length > 0 ? values.slice(0, 4).join(', ') + ' …' : aliases.map((a) => `${a}:`).join(' '),
        }));
    }
    if (!(found?.length > 0)) return null;
    return { from, to: at + behind[0].length, items: found.slice(0, 8), isValue };
  }

  // All that is saved, as it is now.
  get #written() {
    const { name, text, dialect, action, enabled, expires } = this;
    return { name, text, dialect, action, enabled, expires };
  }

  /**
   * Saves it. True if all went well; if not, `error` or `conflict` says what did not. What is written meanwhile is not
   * saved, and not `done`.
   */
  async save({ overwrite = false } = {}) {
    if (!this.canSave) return false;
    this.saving = true;
    [this.error, this.conflict] = [null, null];
    this.#tell('change');
    const sent = this.#written;
    const { name, text, dialect, action, enabled, expires } = sent;
    const body = { name, text, dialect, action };
    try {
      if (this.saved) {
        const base = overwrite ? (this.#model.filter(this.saved.id) ?? this.saved) : this.saved;
        const change = { ...body, enabled, expires_at: expires ?? 'never' };
        this.saved = await this.#model.changeFilter(base, change);
      } else {
        // It is there now, even if it can't be switched off: who tries again changes it.
        this.saved = await this.#model.addFilter(expires ? { ...body, expires_at: expires } : body);
        if (!enabled) this.saved = await this.#model.changeFilter(this.saved, { enabled });
      }
      const now = this.#written;
      this.done = Object.keys(sent).every((name) => now[name] === sent[name]);
      [this.saving, this.before] = [false, ''];
      if (!this.done) this.#tell('change');
      return true;
    } catch (error) {
      this.saving = false;
      if (!(error instanceof ApiError)) throw error;
      if (error.code === 'changed_meanwhile') {
        await this.#model.loadFilters();
        this.conflict = this.#model.filter(this.saved.id);
      }
      if (error.diagnostics.length > 0) {
        this.checked = { text, valid: false, diagnostics: error.diagnostics };
        this.#tell('checked');
      }
      // Whoever is signed out is told so, and finds this as it was; and a conflict says itself what it is.
      this.error = error.status === 401 || this.conflict ? null : error.message;
      this.#passes = error.passes;
      this.#tell('change');
      return false;
    }
  }

  // Tries once more what only takes time, if it is still asked for.
  #again(text, act, after = 2_000) {
    setTimeout(() => !this.#ended && this.text === text && act(), after);
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

// Does something a little later, and not at all if it is asked for something else meanwhile.
class Later {
  #timer = null;
  #running = null;

  start(time, act) {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#running = new AbortController();
      act(this.#running.signal);
    }, time);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
  }
}

function sameTime(one, other) {
  if (!one || !other) return !one && !other;
  return new Date(one).getTime() === new Date(other).getTime();
}
