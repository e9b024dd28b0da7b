// What was written and not saved: kept in memory alone, and for the account that wrote it.

import { Writing } from './writing.js';

export class Unsaved {
  #writings = new Map();
  #others = new Map();

  constructor(account = null, name = '') {
    this.account = account;
    /** What people call the account. */
    this.name = name;
  }

  /** A filter that is being written, a saved one or (`null`) a new one; `draft` takes the place of what was left. */
  write(model, id, draft) {
    const left = this.#writings.get(id);
    if (left && draft === null) return left;
    const writing = new Writing(model, id === null ? null : model.filter(id), draft ?? '');
    if (left?.isUnsaved) writing.before = left.text;
    this.#writings.set(id, writing);
    return writing;
  }

  /** Nobody writes on for now: what was not saved stays. */
  leave(writing) {
    for (const [id, kept] of this.#writings) if (kept === writing && !kept.isUnsaved) this.#writings.delete(id);
  }

  /** What was a new filter is a saved one now, and is written on. */
  settle(writing) {
    if (this.#writings.get(null) !== writing) return;
    this.#writings.delete(null);
    this.#writings.set(writing.saved.id, writing);
  }

  /** Whether something was written into a filter (`null`: a new one), or (without one) anywhere. */
  has(id) {
    if (id !== undefined) return this.#writings.get(id)?.isUnsaved ?? false;
    return this.#others.size > 0 || [...this.#writings.values()].some((writing) => writing.isUnsaved);
  }

  /** What a view holds that is not saved, by the view's name; null says that there is nothing any more. */
  keep(view, what) {
    // What nobody wrote is nobody's.
    if (what === null || this.account === null) this.#others.delete(view);
    else this.#others.set(view, what);
  }

  /** What a view left here. */
  kept(view) {
    return this.#others.get(view) ?? null;
  }
}
