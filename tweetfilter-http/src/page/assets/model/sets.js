// Named sets of the account, and those for all.

import { ApiError } from './api.js';
import { Kept } from './kept.js';

export class Sets extends Kept {
  #model;

  constructor(model) {
    super(model, '/sets');
    this.#model = model;
  }

  /** Some may be others now: tells `others`, also to whoever has not loaded them. */
  changed() {
    this.dispatchEvent(new Event('others'));
    return super.changed();
  }

  /** One as it is now: `{text, tag}`, its terms one a line; null if there is none of this name. */
  async get(name) {
    try {
      const { data, tag } = await this.#model.ask('GET', place(name));
      return { text: data.terms.join('\n'), tag };
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  }

  /**
   * Keeps one in the place of that with a `tag`, if it has it still, and gives the tag of what is kept. Null, and nothing is
   * changed, if it `isNew` and there is one of this name.
   */
  async put(name, terms, { isNew, tag }) {
    try {
      const kept = await this.send('PUT', place(name), { terms }, isNew ? { isNew } : { ifMatch: tag });
      return kept.tag;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'set_exists') return null;
      throw error;
    }
  }

  /** Removes one, if it has its `tag` still. */
  remove(name, tag) {
    return this.send('DELETE', place(name), undefined, { ifMatch: tag });
  }
}

const place = (name) => `/sets/${encodeURIComponent(name)}`;
