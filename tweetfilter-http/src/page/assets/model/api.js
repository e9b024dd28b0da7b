// Requests to the API, and its answers and errors as values.

const PREFIX = '/api/v1';

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

const unreachable = () =>
  new ApiError(0, { code: 'unreachable', message: 'The server cannot be reached' }, 1);

async function wrong(response) {
  const retryAfter = Number(response.headers.get('retry-after')) || null;
  const answer = await response.json().catch(() => null);
  const error = answer?.error ?? {
    code: 'unexpected',
    message: `The server answered ${response.status} without saying why`,
  };
  return new ApiError(response.status, error, retryAfter);
}

/** The API with a token. */
export class Api {
  #token;

  constructor(token) {
    this.#token = token;
  }

  /** Sends a request; the answer has `data` and `summary`. Throws ApiError, or what `signal` throws. */
  async ask(method, path, { body, ifMatch, signal, address } = {}) {
    const response = await this.#send(method, path, { body, ifMatch, signal, address });
    const answer = await response.json().catch(() => null);
    if (!answer) throw unreachable();
    return answer;
  }

  /** Opens a stream, and gives its body. */
  async open(path, headers, signal) {
    const response = await this.#send('GET', path, { headers, signal });
    return response.body;
  }

  async #send(method, path, { body, ifMatch, signal, headers, address }) {
    const all = new Headers(headers);
    all.set('authorization', `Bearer ${this.#token}`);
    if (body !== undefined) all.set('content-type', 'application/json');
    if (ifMatch !== undefined) all.set('if-match', `"${ifMatch}"`);
    let response;
    try {
      response = await fetch(address ?? PREFIX + path, {
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
    if (!response.ok) throw await wrong(response);
    return response;
  }
}
