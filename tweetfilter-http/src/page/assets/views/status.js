// How the system is, asked again while it is looked at.

import { ApiError, model } from '../model/index.js';
import { health, ofBuffer } from '../model/operations.js';
import { View, fill } from './template.js';
import './operations.js';
import { count, counted, exactly, lasts, when } from './text.js';

const AGAIN = 3_000;

class Status extends View {
  #timer = null;
  #status = null;

  begin() {
    this.on(model, 'store session', () => this.#draw());
    this.on(window, 'online offline', () => this.#draw());
    this.#draw();
  }

  /** Asks only while somebody looks. */
  set looking(wanted) {
    clearTimeout(this.#timer);
    if (wanted) this.#look();
  }

  end() {
    clearTimeout(this.#timer);
  }

  async #look() {
    clearTimeout(this.#timer);
    if (!model.me) return;
    try {
      const { data } = await model.ask('GET', '/status');
      [this.#status, this.#error] = [data, null];
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#error = error;
    }
    this.#draw();
    if (this.isConnected && !this.hidden) this.#timer = setTimeout(() => this.#look(), AGAIN);
  }

  // Why the server did not say how it is.
  #error = null;

  #draw() {
    const { state: found, since, message } = model.store;
    const status = this.#status;
    const { state, answers, fine, unwell } = health({ store: model.store, error: this.#error, status, isOnline: navigator.onLine });
    const why = found === 'unreachable' ? 'This page goes on by itself as soon as it is reached.' : message || this.#error?.message;
    const detail = fine ? 'The server answers, and the store takes writes.' : '';
    this.update({
      fine,
      state,
      detail: answers ? detail : why,
      unwell: unwell.length > 0,
      since: since && `since ${when(since)}`,
      known: status !== null,
      old: status !== null && !answers,
      posts: status && count(status.posts),
      commit: status && count(status.commit),
      waiting: status && (status.waiting === null ? '–' : count(status.waiting)),
      oldest: waits(status),
      forgotten: status?.forgotten_for_room > 0 && count(status.forgotten_for_room),
      admin: Boolean(status?.sources),
      dead: status?.dead_letters !== undefined ? count(status.dead_letters) : '',
      crashes: status?.crashes !== undefined ? count(status.crashes) : '',
      gaps: status?.gaps.length > 0,
      noGaps: status !== null && status.gaps.length === 0 && !status.buffer_away &&
        !(status.unwell ?? []).some((one) => one.code === 'buffer_unfit'),
      bufferAway: status?.buffer_away ? `Gaps that the buffer knows can't be shown: ${status.buffer_away}.` : '',
      account: model.me?.name,
      scope: model.me?.token.scope,
      identities: model.me?.identities.map(({ network, handle, id }) => `${handle || id} on ${network}`).join(', '),
    });
    this.part('unwell').replaceChildren(...unwell.map(({ message: text }) => fill('unwell', { text })));
    if (!status) return;
    this.part('operations').status = status;
    const gaps = status.gaps.map(({ from, to, reason, source, missing }) =>
      fill('gap', {
        from: when(from),
        to: when(to),
        exactly: `${exactly(from)} – ${exactly(to)}`,
        what: [source, reason].filter(Boolean).join(': '),
        missing: missing === null ? '' : counted(missing, 'message missing', 'messages missing'),
      }),
    );
    this.part('gap-rows').replaceChildren(...gaps);
    const sources = (status.sources ?? []).map((source) =>
      fill('source', {
        name: source.name,
        lines: count(source.lines),
        unreadable: count(source.unreadable),
        control: count(source.control),
        merged: count(source.merged),
        missing: count(source.missing),
        stored: count(source.stored),
        repeated: count(source.repeated),
        suppressed: count(source.suppressed),
        stale: count(source.stale),
        unmatched: count(source.unmatched),
        dead: count(source.dead),
        reader: source.read_by ?? 'nobody now',
      }),
    );
    this.part('source-rows').replaceChildren(...sources);
  }
}

function waits(status) {
  if (!(status?.waiting > 0)) return '';
  const said = [status.oldest_seconds !== null && `the oldest for ${lasts(status.oldest_seconds)}`, ofBuffer(status.buffer)];
  return said.filter(Boolean).join('; ');
}

customElements.define('tf-status', Status);
