// How the system is, asked again while it is looked at.

import { ApiError, model } from '../model/index.js';
import { ofBuffer } from '../model/operations.js';
import { View, fill } from './template.js';
import './operations.js';
import { count, counted, exactly, lasts, when } from './text.js';

const AGAIN = 3_000;
const BUSY = ['store_busy', 'too_many_requests'];

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
      const [{ data }] = await Promise.all([model.ask('GET', '/status'), this.#ready()]);
      this.#status = data;
      this.#draw();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#draw(error.message);
    }
    if (this.isConnected && !this.hidden) this.#timer = setTimeout(() => this.#look(), AGAIN);
  }

  // Why the store takes no writes.
  #unready = null;

  async #ready() {
    try {
      await model.ask('GET', '', { address: '/health/ready' });
      this.#unready = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#unready = error;
    }
  }

  // Which of the network, the server and the store it is that has trouble; empty if none has.
  #trouble() {
    const { state } = model.store;
    if (state === 'unreachable') return navigator.onLine ? 'The server cannot be reached' : 'You are offline';
    if (state === 'busy' || (state === 'fine' && BUSY.includes(this.#unready?.code))) return 'The server is busy';
    if (state === 'away') return 'The store is away';
    return this.#unready?.status > 0 ? 'The store takes no writes' : '';
  }

  #draw(error = '') {
    const { state, since, message } = model.store;
    const status = this.#status;
    const trouble = this.#trouble();
    const answers = trouble === '';
    const troubled = (status?.parts ?? []).reduce((sum, part) => sum + part.troubled, 0);
    const fine = answers && troubled === 0;
    const detail = state === 'unreachable' ? 'This page goes on by itself as soon as it is reached.' : message || error || this.#unready?.message;
    this.update({
      fine,
      state: fine ? 'All is well' : trouble || 'Not all parts run',
      detail: answers ? 'The server answers, and the store takes writes.' + besides(troubled) : detail,
      since: since && `since ${when(since)}`,
      error: error && state === 'fine' ? error : '',
      known: status !== null,
      old: status !== null && !answers,
      posts: status && count(status.posts),
      commit: status && count(status.commit),
      waiting: status && (status.waiting === null ? '–' : count(status.waiting)),
      oldest: waits(status),
      admin: Boolean(status?.sources),
      dead: status?.dead_letters !== undefined ? count(status.dead_letters) : '',
      crashes: status?.crashes !== undefined ? count(status.crashes) : '',
      gaps: status?.gaps.length > 0,
      noGaps: status !== null && status.gaps.length === 0 && !status.buffer_away,
      bufferAway: status?.buffer_away ? `Gaps that the buffer knows can't be shown: ${status.buffer_away}.` : '',
      account: model.me?.name,
      scope: model.me?.token.scope,
      identities: model.me?.identities.map(({ network, handle, id }) => `${handle || id} on ${network}`).join(', '),
    });
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

function besides(troubled) {
  if (troubled === 0) return '';
  return ` ${counted(troubled, 'part waits, is started again or is', 'parts wait, are started again or are')} silent.`;
}

function waits(status) {
  if (!(status?.waiting > 0)) return '';
  const said = [status.oldest_seconds !== null && `the oldest for ${lasts(status.oldest_seconds)}`, ofBuffer(status.buffer)];
  return said.filter(Boolean).join('; ');
}

customElements.define('tf-status', Status);
