// Lists of the API that are loaded once somebody looks at them, and again when something of them changed.

import { ApiError } from './api.js';

/** Tells `change`. Its state is `idle`, `loading`, `ready` or `error`; what was loaded before stays meanwhile. */
export class Kept extends EventTarget {
  #model;
  #path;
  #asked = 0;

  constructor(model, path) {
    super();
    this.#model = model;
    this.#path = path;
    this.reset();
  }

  reset() {
    this.#asked++;
    [this.items, this.state, this.error] = [[], 'idle', ''];
  }

  /** Loads it, unless that was done. */
  look() {
    if (this.state === 'idle') this.load();
  }

  /** Something of it may have changed. */
  changed() {
    return this.state === 'idle' ? undefined : this.load();
  }

  async load() {
    const asked = ++this.#asked;
    if (this.state !== 'ready') this.state = 'loading';
    this.#told();
    try {
      const { data } = await this.#model.ask('GET', this.#path);
      if (asked !== this.#asked) return;
      [this.items, this.state, this.error] = [data, 'ready', ''];
    } catch (error) {
      if (asked !== this.#asked || !(error instanceof ApiError)) return;
      [this.state, this.error] = ['error', error.message];
    }
    this.#told();
  }

  /** Changes something of it, and loads it anew; the answer is as that of `ask`. */
  async send(method, path, body, options = {}) {
    const answer = await this.#model.ask(method, path, { body, ...options });
    await this.load();
    return answer;
  }

  #told() {
    this.dispatchEvent(new Event('change'));
  }
}
