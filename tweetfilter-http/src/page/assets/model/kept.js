// Lists of the API that are loaded once somebody looks at them, and again when something of them changed.

import { ApiError } from './api.js';

/** Tells `change`. Its state is `idle`, `loading`, `ready` or `error`; what was loaded before stays meanwhile. */
export class Kept extends EventTarget {
  #model;
  #path;
  #asked = 0;
  // The secrets of what was asked to be made and is not answered yet, by what it is.
  #secrets = new Map();

  constructor(model, path) {
    super();
    this.#model = model;
    this.#path = path;
    this.reset();
  }

  reset() {
    this.#asked++;
    this.#secrets.clear();
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

  /** Makes something that has a secret, and gives it. Asked for again without an answer, it is the same and not a second one. */
  async make(what) {
    const key = JSON.stringify(what);
    if (!this.#secrets.has(key)) this.#secrets.set(key, newSecret());
    try {
      const { data } = await this.send('POST', this.#path, { ...what, secret: this.#secrets.get(key) });
      this.#secrets.delete(key);
      return data;
    } catch (error) {
      if (!(error instanceof ApiError && error.passes)) this.#secrets.delete(key);
      throw error;
    }
  }

  #told() {
    this.dispatchEvent(new Event('change'));
  }
}

function newSecret() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
