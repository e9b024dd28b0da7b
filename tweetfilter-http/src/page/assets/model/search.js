// A search of stored posts: slice by slice, back in time, until enough is found or nobody wants more.

import { ApiError } from './api.js';
import { tooMany } from './length.js';
import { takes } from './withdrawn.js';

// What is found before it waits to be asked for more.
const ENOUGH = 50;

/**
 * Tells `change`. Its state is `idle`, `searching`, `paused`, `done` or `error`; `unknown` says which handles stand for
 * nobody, or is null.
 */
export class Search extends EventTarget {
  #model;
  #ends = null;
  #next = null;
  // Time alone mends what is wrong: it goes on once the server is back.
  #waits = false;

  constructor(model) {
    super();
    this.#model = model;
    model.addEventListener('withdrawn', () => {
      const kept = this.posts.filter((post) => !model.taken.some((taken) => takes(taken, post)));
      if (kept.length < this.posts.length) this.#set({ posts: kept });
    });
    model.addEventListener('store', () => {
      if (this.#waits && model.store.state === 'fine') this.more();
    });
    this.clear();
  }

  clear() {
    this.#ends?.abort();
    [this.#next, this.#waits] = [null, false];
    this.#set({ text: '', posts: [], state: 'idle', backTo: null, unknown: null, error: '', findings: [], tooLong: 0 });
  }

  /** Searches for an expression from the newest post on. */
  begin(text) {
    this.clear();
    if (text.trim() === '') return;
    // It would be sent and marked in full, only to be refused: how many bytes it has is said, and no more done with it.
    const tooLong = tooMany(text, this.#model.me?.limits.expression_bytes ?? Infinity);
    if (tooLong > 0) {
      this.#set({ tooLong });
      return;
    }
    this.#set({ text });
    return this.#run();
  }

  /** Goes on where it stopped. */
  more() {
    if (this.state === 'paused' || this.state === 'error') return this.#run();
  }

  stop() {
    if (this.state !== 'searching') return;
    this.#ends.abort();
    this.#set({ state: 'paused' });
  }

  async #run() {
    this.#ends?.abort();
    const ends = (this.#ends = new AbortController());
    const { signal } = ends;
    this.#waits = false;
    this.#set({ state: 'searching', error: '', findings: [] });
    let found = 0;
    while (!signal.aborted) {
      const body = { text: this.text, limit: ENOUGH };
      if (this.#next) body.before = this.#next;
      const mark = this.#model.withdrawals.now;
      try {
        const { data, summary } = await this.#model.ask('POST', '/search', { body, signal });
        if (signal.aborted) return;
        const known = new Set(this.posts.map((post) => post.number));
        const fresh = data.filter((post) => !known.has(post.number) && !this.#model.withdrawals.since(mark, post));
        found += fresh.length;
        this.#next = summary.next ?? null;
        const state = !this.#next ? 'done' : found >= ENOUGH ? 'paused' : 'searching';
        const backTo = summary.searched_back_to ?? this.backTo;
        // Each slice says what is so by now.
        const unknown = summary.unknown_handles ?? null;
        this.#set({ posts: [...this.posts, ...fresh], backTo, unknown, state });
        if (state !== 'searching') return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        // Another search or preview of this token ends soon.
        if (error.code === 'search_running' || error.code === 'too_many_requests') {
          await new Promise((done) => setTimeout(done, 300));
          continue;
        }
        this.#waits = error.passes;
        this.#set({ state: 'error', error: error.message, findings: error.diagnostics });
        return;
      }
    }
  }

  #set(change) {
    Object.assign(this, change);
    this.dispatchEvent(new Event('change'));
  }
}
