// Feeds at secret addresses: of one filter, or all of them.

import { ApiError, model } from '../model/index.js';
import { View, act, announce, fill } from './template.js';
import { copy, exactly, when } from './text.js';

class Feeds extends View {
  #made = null;
  #error = '';
  #sure = null;

  begin(signal) {
    // Of one filter alone, if whoever made this element said which.
    this.filter ??= null;
    this.on(model.feeds, 'change', () => this.#draw());
    this.on(model, 'filters', () => this.#draw());
    act(
      this,
      {
        'feed-make': () => this.#make(),
        'feed-revoke': ({ dataset }) => this.#revoke(Number(dataset.id)),
        'feed-copy': (pressed) => copy(this.part(pressed.dataset.of), pressed),
      },
      signal,
    );
    this.#draw();
    model.feeds.look();
  }

  async #make() {
    try {
      const made = await model.feeds.make({ filter: this.filter });
      const whole = (path) => new URL(path, location.origin).href;
      this.#made = { atom: whole(made.atom), json: whole(made.json), id: made.id };
      this.#error = '';
      this.#draw();
      this.part('atom').focus();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #revoke(id) {
    // The first press asks.
    if (this.#sure !== id) {
      this.#sure = id;
      this.#draw();
      announce('Revoke it for good? Press again to do it.');
      return;
    }
    try {
      await model.feeds.send('DELETE', `/feeds/${id}`);
      if (this.#made?.id === id) this.#made = null;
      [this.#sure, this.#error] = [null, ''];
      announce('Revoked');
      this.#draw();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error) {
    if (!(error instanceof ApiError)) throw error;
    this.#error = error.message;
    this.#draw();
  }

  #draw() {
    const { state, error, items } = model.feeds;
    const own = items.filter(({ filter }) => this.filter === null || filter === this.filter);
    // Lists that were asked for before it was made may still come in: it is gone only if it was there before.
    if (items.some(({ id }) => id === this.#made?.id)) this.#made.isListed = true;
    else if (this.#made?.isListed) this.#made = null;
    this.update({
      make: this.filter !== null && model.mayWrite,
      made: this.#made,
      atom: this.#made?.atom ?? '',
      json: this.#made?.json ?? '',
      loading: state === 'loading',
      none: state === 'ready' && own.length === 0,
      hint: this.filter === null ? 'None. The editor of a filter makes them.' : 'None yet.',
      error: this.#error || error,
    });
    const rows = own.map(({ id, filter, created_at: made }) =>
      fill('feed', {
        id,
        name: this.filter === null ? model.called(filter) : 'Atom and JSON',
        link: this.filter === null && model.filter(filter) && `#/filters/${filter}`,
        made: `made ${when(made)}`,
        exactly: exactly(made),
        revoke: this.#sure === id ? 'Revoke for good?' : 'Revoke',
        sure: this.#sure === id,
        label: `${this.#sure === id ? 'Revoke for good? The' : 'Revoke the'} feed of ${model.called(filter)}, made ${when(made)}`,
        write: model.mayWrite,
      }),
    );
    this.part('rows').replaceChildren(...rows);
  }
}

customElements.define('tf-feeds', Feeds);
