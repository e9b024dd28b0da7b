// A filter that is being written: what is wrong with it as it is typed, what it would find, and how it is saved.

import { ApiError } from './api.js';
import { changed, fieldsOf, isAs, isToCome, merged, sameTime } from './fields.js';
import { bytes } from './length.js';
import { takes } from './withdrawn.js';

const CHECK_AFTER = 120;
const PREVIEW_AFTER = 350;
const LOOK_AT = 5_000;
// How soon it is asked again whose handles are that stand for nobody, and how rarely at last.
const ASK_AFTER = 2_000;
const ASK_AT_LEAST = 60_000;

const MAYBE = 'It may have been added all the same: that is looked for before it is added again';

/** Tells `checked`, `previewed`, `saved` and `change`. */
export class Writing extends EventTarget {
  #model;
  #ended = false;
  #check = new Later();
  #preview = new Later();
  #known = new Later();
  // What the last check says of the text: true, false, or null where it could not be asked.
  #verdict = Promise.resolve(null);
  // What was sent to be added and not answered, `sent`, and the numbers of the filters that were there `before`.
  #lost = null;
  #waits = false;
  // The fields that were changed here and elsewhere to different things.
  #clash = [];
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
    // Time alone mends what is wrong.
    this.#waits = false;
    this.#clash = [];
    this.saving = false;
    this.#lost = null;
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
    if (!this.saved) return this.text.trim() !== '' || this.name !== '';
    return !isAs(this.saved, this.#written) || this.noTime !== '';
  }

  /** What was changed elsewhere to another thing than here: `{saved, fields}`, or null. */
  get conflict() {
    const differs = changed(this.#written, fieldsOf(this.saved ?? {}));
    const fields = this.saved ? this.#clash.filter((name) => name in differs) : [];
    return fields.length > 0 ? { saved: this.saved, fields } : null;
  }

  get isUnsaved() {
    return !this.done && (this.isDirty || this.before !== '');
  }

  /** Whether it would be switched off as soon as it is saved. */
  get isOver() {
    const { saved, expires, enabled } = this;
    if (isToCome(expires)) return false;
    return !saved || enabled || !sameTime(saved.expires_at, expires);
  }

  get canSave() {
    return !this.saving && !this.isTooLong && !this.isOver && this.noTime === '' && this.text.trim() !== '' && (this.isDirty || !this.saved) && this.#model.mayWrite;
  }

  set(change) {
    Object.assign(this, change);
    [this.error, this.done] = [null, false];
    this.#tell('change');
    this.#lookAt(change);
  }

  // Asks anew what a change of some fields may have changed, as long as somebody looks at it.
  #lookAt(change) {
    // What is not used costs nothing, and so may be kept.
    const asks = ['text', 'dialect', 'enabled'].some((what) => what in change);
    if (this.#ended) return;
    if (asks) this.check();
    if (asks || 'action' in change) this.look();
  }

  /** Says another end, or none. One that had ended is used again by that. */
  setEnd(expires) {
    this.set({ expires, noTime: '', ...(this.#hadEnded && isToCome(expires) ? { enabled: true } : {}) });
  }

  /** It was changed elsewhere: what was not touched here follows that, and the rest is a change of it as it is now. */
  follow(now) {
    const { taken, clash } = merged(this.saved, this.#written, now);
    Object.assign(this, taken);
    [this.saved, this.#clash] = [now, [...new Set([...this.#clash, ...clash])]];
    this.#lookAt(taken);
    this.#tell('change');
  }

  /** It was removed elsewhere: what stands here would be another one. */
  remain(error) {
    [this.saved, this.error, this.#clash] = [null, error, []];
    // What was asked was held against the one that is gone.
    this.#lookAt({ text: this.text });
    this.#tell('change');
  }

  /** Whether it had ended, and is used again once this is saved. */
  get isRevived() {
    return this.#hadEnded && this.enabled && isToCome(this.expires);
  }

  get #hadEnded() {
    return this.saved !== null && !this.saved.enabled && !isToCome(this.saved.expires_at);
  }

  begin() {
    [this.#ended, this.noTime] = [false, ''];
    this.#model.addEventListener('withdrawn', this.#withdraw);
    this.#model.addEventListener('store', this.#goOn);
    this.#model.sets.addEventListener('others', this.#lookAgain);
    this.#tell('change');
    this.check();
    this.look();
  }

  end() {
    this.#ended = true;
    this.#model.removeEventListener('withdrawn', this.#withdraw);
    this.#model.removeEventListener('store', this.#goOn);
    this.#model.sets.removeEventListener('others', this.#lookAgain);
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

  // Samples are posts like any other.
  #withdraw = () => {
    if (!this.preview) return;
    const kept = (posts) => posts.filter((post) => !this.#model.taken.some((taken) => takes(taken, post)));
    const { samples, against_saved: against } = this.preview;
    const held = against && { ...against, added: kept(against.added), dropped: kept(against.dropped) };
    this.preview = { ...this.preview, samples: kept(samples), against_saved: held };
    this.#tell('previewed');
  };

  /** What is asked of a check: it costs what it would cost in the place of the filter that is saved. */
  #checkOf(text, dialect) {
    const { saved, enabled } = this;
    return { text, dialect, enabled, ...(saved && { filter: saved.id }) };
  }

  // What was said against it while the store was away, or the way to it, is over with that.
  #goOn = async () => {
    if (!this.#waits || this.saving || this.#model.store.state !== 'fine') return;
    this.#waits = false;
    // It may turn out to be there; where that can't be found out yet, nothing is over.
    if (this.#lost) await this.#model.loadFilters();
    if (this.#lost && this.#model.filtersState !== 'ready') {
      this.#waits = true;
      return;
    }
    if (this.saving || this.error === null) return;
    this.error = null;
    this.#tell('change');
  };

  // A set that it names may be another now, be there, or be gone.
  #lookAgain = () => {
    if (!this.text.includes('{')) return;
    this.check();
    this.look();
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
        const { data } = await this.#model.ask('POST', '/check', { body: this.#checkOf(text, dialect), signal });
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
        const { data } = await this.#model.ask('POST', '/check', { body: this.#checkOf(text, dialect), signal });
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
    // Nothing is overwritten without a word.
    if (!this.canSave || (this.conflict && !overwrite)) return false;
    this.saving = true;
    [this.error, this.#clash] = [null, []];
    this.#tell('change');
    const sent = this.#written;
    try {
      if (this.#lost) await this.#lookForLost();
      if (!this.saved) this.saved = await this.#add(sent);
      else if (!isAs(this.saved, sent)) this.saved = await this.#change(sent);
      const now = this.#written;
      this.done = Object.keys(sent).every((name) => now[name] === sent[name]);
      [this.saving, this.before] = [false, ''];
      // What was typed meanwhile, over what others changed, is not saved.
      this.#clash = this.#clash.filter((name) => now[name] !== sent[name]);
      if (!this.done) this.#tell('change');
      return true;
    } catch (error) {
      this.saving = false;
      if (!(error instanceof ApiError)) throw error;
      this.#waits = error.passes;
      if (error.diagnostics.length > 0) {
        this.checked = { text: sent.text, valid: false, diagnostics: error.diagnostics };
        this.#tell('checked');
      }
      // Whoever is signed out is told so, and finds this as it was; and a conflict says itself what it is.
      this.error = error.status === 401 || this.conflict ? null : error.message + (this.#lost ? `. ${MAYBE}` : '');
      this.#tell('change');
      return false;
    }
  }

  /** Whether what was added without an answer turns out to be there; it is a saved one then. */
  turnsOut() {
    if (this.saving || !this.#takeFound()) return false;
    [this.error, this.before, this.done] = [null, '', !this.isDirty];
    this.#tell('change');
    return true;
  }

  // Takes the filter that was added without an answer, if it is among those that are known.
  #takeFound() {
    if (!this.#lost) return false;
    const { sent, before } = this.#lost;
    const found = this.#model.filters.find((filter) => !before.has(filter.id) && isAs(filter, sent));
    if (found) [this.saved, this.#lost] = [found, null];
    return found !== undefined;
  }

  // Whether it is there has to be known before it is added again: there would be two.
  async #lookForLost() {
    await this.#model.loadFilters();
    const { filtersState, filtersError } = this.#model;
    if (filtersState !== 'ready') throw new ApiError(0, { code: 'unreachable', message: filtersError });
    this.#takeFound();
  }

  async #add(sent) {
    const before = this.#lost?.before ?? new Set(this.#model.filters.map(({ id }) => id));
    this.#lost = { sent, before };
    const { expires, ...rest } = sent;
    try {
      const added = await this.#model.addFilter({ ...rest, expires_at: expires });
      this.#lost = null;
      return added;
    } catch (error) {
      // Where something was said against it, it is not there.
      if (!error.passes || error.status === 429) {
        this.#lost = null;
        throw error;
      }
      await this.#model.loadFilters();
      if (this.#takeFound()) return this.saved;
      throw error;
    }
  }

  // Sends what was changed here, and nothing else. Where something else of it was changed elsewhere meanwhile, it is sent again.
  async #change(sent) {
    for (;;) {
      const { expires, ...rest } = changed(fieldsOf(this.saved), sent);
      const change = expires === undefined ? rest : { ...rest, expires_at: expires ?? 'never' };
      try {
        return await this.#model.changeFilter(this.saved, change);
      } catch (error) {
        if (error.code !== 'changed_meanwhile') throw error;
        await this.#model.loadFilters();
        const [before, now] = [this.saved, this.#model.filter(this.saved.id)];
        if (!now || now.revision === before.revision) throw error;
        const { taken, clash } = merged(before, sent, now);
        Object.assign(sent, taken);
        this.follow(now);
        if (clash.length > 0) throw error;
        // It may have been changed from here, and the answer lost.
        if (isAs(now, sent)) return now;
      }
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
