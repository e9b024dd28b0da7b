// Requests to the API, and its answers and errors as values.

import { hear } from './clock.js';

const PREFIX = '/api/v1';
// Requests beside GET that change nothing.
const READS = ['/check', '/explain', '/search'];
// So often a busy store is asked before somebody is told.
const TRIES = 6;
// For so long nothing may come of what was asked before it is taken for cut off, in milliseconds: connections fall silent without
// being closed. A server answers within a second, or says that it can't; what reads or keeps much takes it longer.
const SILENCE = 10_000;
const LONG = 60_000;
const TAKE_LONG = /^\/(import|export|sets\/)/;
// What is sent goes at so many bytes a millisecond on a slow line.
const SLOW = 10;

/** What the API, or the way to it, had to say against a request. */
export class ApiError extends Error {
  constructor(status, error, retryAfter) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.span = error.span ?? null;
    this.fixes = error.fixes ?? [];
    this.diagnostics = error.diagnostics ?? [];
    this.retryAfter = retryAfter;
  }

  /** Time alone mends it. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Waits as long as an error says. */
export const pause = ({ retryAfter }) => new Promise((done) => setTimeout(done, 1_000 * (retryAfter ?? 1)));

const unreachable = () =>
  new ApiError(0, { code: 'unreachable', message: 'The server cannot be reached' }, 1);

// What a tag says, without its quotes. A server in between that packs answers weakens it.
const tagOf = ({ headers }) => /"([^"]*)"$/.exec(headers.get('etag') ?? '')?.[1];

async function wrong(response) {
  const retryAfter = Number(response.headers.get('retry-after')) || null;
  const answer = await response.json().catch(() => null);
  const error = answer?.error ?? {
    code: 'unexpected',
    message: `The server answered ${response.status} without saying why`,
  };
  return new ApiError(response.status, error, retryAfter);
}

// What is pasted along with a token: quotes, and what is not seen.
const AROUND = /[\s\p{Default_Ignorable_Code_Point}\p{Cc}"'`“”„‟‘’‚«»‹›]/gu;

/** The token that a text is or holds; null if none can be. */
export function tokenOf(text) {
  const token = text.replace(/^[^\p{L}\p{N}]*(?:authorization:\s*)?bearer\s+/iu, '').replace(AROUND, '');
  return /^[!-~]+$/.test(token) ? token : null;
}

/** Ends a request of which nothing comes any more. */
class Silence {
  #ends = new AbortController();
  #longest;
  #timer = null;

  constructor(longest) {
    this.#longest = longest;
    this.heard();
  }

  /** Ends with it, or with another signal. */
  with(signal) {
    return signal ? AbortSignal.any([signal, this.#ends.signal]) : this.#ends.signal;
  }

  /** Something came. */
  heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ends.abort(new DOMException('Nothing came', 'TimeoutError')), this.#longest);
  }

  /** Nothing is waited for any more. */
  over() {
    clearTimeout(this.#timer);
  }
}

const patience = (path, body) => (TAKE_LONG.test(path) ? LONG : SILENCE) + (body?.length ?? 0) / SLOW;

/** The API with a token. */
export class Api {
  #token;

  constructor(token) {
    this.#token = token;
  }

  /**
   * Sends a request; the answer has `data` and `summary`, and a `tag` that a change can name (`ifMatch`), if it has one.
   * Throws ApiError, also where nothing comes for longer than `silence`, in milliseconds; or what `signal` throws. A store
   * that is busy is asked again, unless that could change something twice.
   */
  async ask(method, path, options = {}) {
    const isRead = method === 'GET' || READS.includes(path) || (path === '/import' && !options.body.apply);
    for (let left = isRead ? (options.tries ?? TRIES) : 1; ; left--) {
      try {
        return await this.#ask(method, path, options);
      } catch (error) {
        if (error.code !== 'store_busy' || left <= 1) throw error;
        await pause(error);
        options.signal?.throwIfAborted();
      }
    }
  }

  async #ask(method, path, { body, signal, silence: longest, ...options }) {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const silence = new Silence(longest ?? patience(path, sent));
    try {
      const response = await this.#send(method, path, { ...options, body: sent, signal: silence.with(signal) });
      let text = '';
      for await (const piece of pieces(response.body, silence)) text += piece;
      signal?.throwIfAborted();
      return { ...JSON.parse(text), tag: tagOf(response) };
    } catch (error) {
      // Whoever stopped it wants no answer, which is no trouble.
      signal?.throwIfAborted();
      throw error instanceof ApiError ? error : unreachable();
    } finally {
      silence.over();
    }
  }

  /**
   * A stream of events, each with `name` and `data`. It breaks off where nothing comes for longer than `silence`, in
   * milliseconds; `opened` is called when it is answered.
   */
  async *events(method, path, { body, headers, signal, silence: longest = SILENCE, opened }) {
    const silence = new Silence(longest);
    try {
      const options = {
        body: body === undefined ? undefined : JSON.stringify(body),
        headers: { ...headers, accept: 'text/event-stream' },
        signal: silence.with(signal),
      };
      const response = await this.#send(method, path, options);
      opened?.();
      let text = '';
      for await (const piece of pieces(response.body, silence)) {
        text += piece;
        let end;
        while ((end = text.indexOf('\n\n')) >= 0) {
          const event = parse(text.slice(0, end));
          text = text.slice(end + 2);
          if (event) yield event;
        }
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof ApiError ? error : unreachable();
    } finally {
      silence.over();
    }
  }

  // `ifMatch`: only if it is of this revision or has this tag still; `isNew`: only if there is none yet.
  async #send(method, path, { body, ifMatch, isNew, signal, headers }) {
    const all = new Headers(headers);
    all.set('authorization', `Bearer ${this.#token}`);
    if (body !== undefined) all.set('content-type', 'application/json');
    if (ifMatch !== undefined) all.set('if-match', `"${ifMatch}"`);
    if (isNew) all.set('if-none-match', '*');
    const response = await fetch(PREFIX + path, { method, headers: all, body, signal, cache: 'no-store' });
    hear(response.headers.get('date'));
    if (response.ok) return response;
    throw await wrong(response);
  }
}

// The text of an answer, as it comes.
async function* pieces(body, silence) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      silence.heard();
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parse(block) {
  let name = 'message';
  const data = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    if (line.startsWith('data:')) data.push(line.slice(5));
  }
  return data.length === 0 ? null : { name, data: JSON.parse(data.join('\n')) };
}
