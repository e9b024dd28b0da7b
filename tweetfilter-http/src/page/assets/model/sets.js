// Named sets of the account, and those for all.

import { ApiError } from './api.js';
import { Kept } from './kept.js';

export class Sets extends Kept {
  #model;

  constructor(model) {
    super(model, '/sets');
    this.#model = model;
  }

  /** The terms of one, as they are now; null if there is none of this name. */
  async terms(name) {
    try {
      const { data } = await this.#model.ask('GET', place(name));
      return data.terms;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  }

  /** Keeps one. False, and nothing is changed, if it `isNew` and there is one of this name. */
  async put(name, terms, isNew) {
    try {
      await this.send('PUT', place(name), { terms }, { isNew });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'set_exists') return false;
      throw error;
    }
  }

  remove(name) {
    return this.send('DELETE', place(name));
  }
}

const place = (name) => `/sets/${encodeURIComponent(name)}`;
