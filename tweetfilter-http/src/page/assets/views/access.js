// Who may act for the account: its tokens and feeds; and what may tell of posts on this device.

import { ApiError, model } from '../model/index.js';
import { notifications } from './notify.js';
import { View, act, announce, fill, part, update } from './template.js';
import { copy, exactly, seen, when } from './text.js';
import './feeds.js';

const SCOPES = {
  read: 'read',
  write: 'read, and change filters',
  admin: 'change what all accounts share, too',
};

class Access extends View {
  #made = null;
  #error = '';

  begin(signal) {
    this.on(model.tokens, 'change', () => this.#draw());
    this.on(model, 'session', () => model.me && this.#draw());
    this.on(notifications, 'change', () => this.#draw());
    this.on(this.part('new'), 'submit', (event) => {
      event.preventDefault();
      this.once('make', () => this.#make());
    });
    this.on(this.part('sure'), 'click', ({ target }) => target.dataset.close && this.part('sure').close(target.dataset.close));
    act(
      this,
      {
        'token-revoke': ({ dataset }) => this.#revoke(Number(dataset.id)),
        'token-copy': (pressed) => copy(this.part(pressed.dataset.of), pressed),
        'token-seen': () => {
          this.#made = null;
          this.#draw();
          this.part('name').focus();
        },
        'notify-on': () => notifications.turn(true),
        'notify-off': () => notifications.turn(false),
      },
      signal,
    );
    const scopes = model.scopes.map((scope) => new Option(SCOPES[scope], scope));
    this.part('scope').replaceChildren(...scopes);
    this.#draw();
    model.tokens.look();
  }

  /** When tokens were used is told by nobody. */
  set looking(wanted) {
    if (wanted) model.tokens.changed();
  }

  async #make() {
    const body = { name: this.part('name').value.trim(), scope: this.part('scope').value };
    try {
      const made = await model.tokens.make(body);
      this.#made = { ...made, link: `${location.origin}/#token=${made.token}` };
      this.#error = '';
      this.part('name').value = '';
      this.#draw();
      this.part('token').focus();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #revoke(id) {
    const { name, current } = model.tokens.items.find((token) => token.id === id);
    const dialog = this.part('sure');
    update(dialog, {
      question: `Revoke ${seen(name) ? `“${name}”` : `token ${id}`}?`,
      what: current ? 'It is the token of this tab: you will be signed out.' : 'Whoever uses it is out at once.',
    });
    dialog.returnValue = '';
    dialog.showModal();
    await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
    if (dialog.returnValue !== 'yes') return;
    try {
      await model.tokens.send('DELETE', `/tokens/${id}`);
      this.#error = '';
      announce('Revoked');
    } catch (error) {
      if (model.me) this.#failed(error);
    }
  }

  #failed(error) {
    if (!(error instanceof ApiError)) throw error;
    this.#error = error.message;
    this.#draw();
  }

  #draw() {
    const { state, error, items } = model.tokens;
    // As of feeds: gone only if it was there before.
    if (items.some(({ id }) => id === this.#made?.id)) this.#made.isListed = true;
    else if (this.#made?.isListed) this.#made = null;
    const { state: notify } = notifications;
    this.update({
      write: model.mayWrite,
      made: this.#made,
      token: this.#made?.token ?? '',
      link: this.#made?.link ?? '',
      loading: state === 'loading' && items.length === 0,
      error: this.#error || error,
      notify: {
        on: 'On: while this tab is out of sight, posts that a filter notifies of show up on your desktop.',
        off: 'Off. Filters that notify can tell you on your desktop while this tab is out of sight.',
        refused: 'Your browser refuses them for this page; its settings for this site allow them again.',
        none: 'This browser has none, or not for this address: they need HTTPS, or localhost.',
      }[notify],
      canTurnOn: notify === 'off',
      canTurnOff: notify === 'on',
    });
    const rows = items.map((token) => {
      const mayRevoke = model.mayWrite && model.scopes.includes(token.scope);
      return fill('token', {
        ...token,
        name: seen(token.name) || 'No name',
        used: token.used_at ? `last used ${when(token.used_at)}` : 'never used',
        usedExactly: exactly(token.used_at),
        made: `made ${when(token.created_at)}`,
        madeExactly: exactly(token.created_at),
        scope: `may ${SCOPES[token.scope]}`,
        mayRevoke,
        label: `Revoke ${seen(token.name) || `token ${token.id}`}`,
      });
    });
    part(this, 'tokens').replaceChildren(...rows);
  }
}

customElements.define('tf-access', Access);
