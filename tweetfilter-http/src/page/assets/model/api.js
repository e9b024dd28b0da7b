// Requests to the API, and its answers and errors as values.

import { hear } from './clock.js';

const PREFIX = '/api/v1';
// Requests beside GET that change nothing.
const READS = ['/check', '/explain', '/search'];
// So often a busy store is asked before somebody is told.
const TRIES = 6;

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

/** The API with a token. */
export class Api {
  #token;

  constructor(token) {
    this.#token = token;
  }

  /**
   * Sends a request; the answer has `data` and `summary`, and a `tag` that a change can name (`ifMatch`), if it has one.
   * Throws ApiError, or what `signal` throws. A store that is busy is asked again, unless that could change something twice.
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

  async #ask(method, path, options) {
    const { signal } = options;
    const response = await this.#send(method, path, options);
    const answer = await response.json().catch(() => null);
    // Whoever stopped it wants no answer, which is no trouble.
    signal?.throwIfAborted();
    if (!answer) throw unreachable();
    return { ...answer, tag: tagOf(response) };
  }

  /** Opens a stream of events, each with `name` and `data`; `heard` is called whenever something comes. */
  async events(method, path, { body, headers, signal, heard } = {}) {
    const accepts = { ...headers, accept: 'text/event-stream' };
    const response = await this.#send(method, path, { body, headers: accepts, signal });
    return events(response.body, heard);
  }

  // `ifMatch`: only if it is of this revision or has this tag still; `isNew`: only if there is none yet.
  async #send(method, path, { body, ifMatch, isNew, signal, headers }) {
    const all = new Headers(headers);
    all.set('authorization', `Bearer ${this.#token}`);
    if (body !== undefined) all.set('content-type', 'application/json');
    if (ifMatch !== undefined) all.set('if-match', `"${ifMatch}"`);
    if (isNew) all.set('if-none-match', '*');
    let response;
    try {
      response = await fetch(PREFIX + path, {
        method,
        headers: all,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal,
        cache: 'no-store',
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw unreachable();
    }
    hear(response.headers.get('date'));
    if (response.ok) return response;
    const error = await wrong(response);
    signal?.throwIfAborted();
    throw error;
  }
}

async function* events(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(broken);
      if (done) return;
      heard?.();
      text += value;
      let end;
      while ((end = text.indexOf('\n\n')) >= 0) {
        const event = parse(text.slice(0, end));
        text = text.slice(end + 2);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function broken(error) {
  throw error.name === 'AbortError' ? error : unreachable();
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
