// The one place that talks to the API, keeps what it said, and works out what follows from it.
// Views listen for: session, filters, store, columns.

import { Api, ApiError } from './api.js';
import { Column } from './columns.js';
import { follow } from './live.js';
import { Writing } from './writing.js';

export { ApiError };

const TOKEN = 'tweetfilter.token';
// Posts are taken in together, so that a busy stream does not lay the page out for each.
const TOGETHER = 150;
// The stream tells that something was deleted or edited, but not what; so it is looked at again, at most this often.
const AGAIN = 5_000;

class Model extends EventTarget {
  #api = null;
  #ends = null;
  #arrived = [];
  #timer = null;
  #filtersAsked = 0;
  #again = null;

  me = null;
  signedOut = null;
  filters = [];
  filtersState = 'loading';
  filtersError = null;
  columns = [];
  operators = [];
  /** Posts that just came and that a filter wants to be told of. */
  notices = [];
  /** How the server and its store are: `fine`, `away`, `unreachable` or `busy`, and since when. */
  store = { state: 'fine', since: null, message: '' };

  /** Signs in with the token of the address (`#token=…`), or of this tab. */
  async begin() {
    const said = new URLSearchParams(location.hash.slice(1)).get('token');
    if (said) history.replaceState(null, '', location.pathname + location.search);
    const token = said ?? sessionStorage.getItem(TOKEN);
    if (token) await this.signIn(token);
    else this.#tell('session');
  }

  /** Tries a token; what is wrong with it is thrown by `signIn`, unless it only takes time. */
  async signIn(token) {
    this.#leave();
    const api = new Api(token.trim());
    const ends = new AbortController();
    [this.#api, this.#ends] = [api, ends];
    for (;;) {
      try {
        const { data } = await api.ask('GET', '/me', { signal: ends.signal });
        sessionStorage.setItem(TOKEN, token.trim());
        [this.me, this.signedOut] = [data, null];
        break;
      } catch (error) {
        if (ends.signal.aborted) return;
        if (!error.passes) {
          this.#refused(error);
          return;
        }
        this.#troubled(error);
        this.#tell('session');
        await new Promise((done) => setTimeout(done, 1_000 * (error.retryAfter ?? 1)));
      }
    }
    this.#fine();
    this.columns = this.#remembered().map((filter) => new Column(api, filter));
    this.#tell('session');
    this.#tell('columns');
    this.loadFilters();
    api.ask('GET', '/operators').then(
      ({ data }) => (this.operators = data),
      () => {},
    );
    const stream = { name: `tweetfilter.live.${this.me.token.id}`, after: this.me.commit };
    follow(api, stream, (name, data) => this.#heard(name, data), ends.signal);
  }

  signOut() {
    this.#leave();
    sessionStorage.removeItem(TOKEN);
    this.signedOut = null;
    this.#tell('session');
  }

  /** A request for a view. Trouble with the store is told to everybody, and thrown. */
  async ask(method, path, options) {
    if (!this.#api) throw new ApiError(401, { code: 'signed_out', message: 'You are signed out' });
    try {
      return await this.#api.ask(method, path, options);
    } catch (error) {
      if (error instanceof ApiError) {
        if (error.status === 401) this.#refused(error);
        else if (error.code === 'store_away' || error.code === 'unreachable') this.#troubled(error);
      }
      throw error;
    }
  }

  get mayWrite() {
    return this.me !== null && this.me.token.scope !== 'read';
  }

  // Filters

  filter(id) {
    return this.filters.find((filter) => filter.id === id) ?? null;
  }

  /** What people call a filter. */
  called(id) {
    const filter = this.filter(id);
    return filter ? filter.name || filter.text : `filter ${id}, removed`;
  }

  async loadFilters() {
    const asked = ++this.#filtersAsked;
    try {
      const { data } = await this.ask('GET', '/filters');
      if (asked !== this.#filtersAsked) return;
      [this.filters, this.filtersState, this.filtersError] = [data, 'ready', null];
      const kept = this.columns.filter(({ filter }) => filter === null || this.filter(filter));
      if (kept.length < this.columns.length) this.#setColumns(kept);
    } catch (error) {
      if (asked !== this.#filtersAsked || !(error instanceof ApiError)) return;
      [this.filtersState, this.filtersError] = ['error', error.message];
    }
    this.#tell('filters');
  }

  async changeFilter(filter, change) {
    const path = `/filters/${filter.id}`;
    const { data } = await this.ask('PATCH', path, { body: change, ifMatch: filter.revision });
    await this.loadFilters();
    return data;
  }

  async addFilter(filter) {
    const { data } = await this.ask('POST', '/filters', { body: filter });
    await this.loadFilters();
    return data;
  }

  async removeFilter(id) {
    await this.ask('DELETE', `/filters/${id}`);
    await this.loadFilters();
  }

  /** Moves a filter by so many places. */
  async moveFilter(id, by) {
    const ids = this.filters.map((filter) => filter.id);
    const from = ids.indexOf(id);
    const to = Math.max(0, Math.min(ids.length - 1, from + by));
    if (from < 0 || from === to) return;
    ids.splice(to, 0, ...ids.splice(from, 1));
    await this.ask('PUT', '/filters/order', { body: { ids } });
    await this.loadFilters();
  }

  /** A filter that is being written: a copy of a saved one, or a new one. */
  write(id) {
    return new Writing(this, id === null ? null : this.filter(id));
  }

  // Columns

  addColumn(filter) {
    if (this.columns.some((column) => column.filter === filter)) return;
    this.#setColumns([...this.columns, new Column(this.#api, filter)]);
  }

  removeColumn(column) {
    this.#setColumns(this.columns.filter((kept) => kept !== column));
  }

  #setColumns(columns) {
    this.columns = columns.length > 0 ? columns : [new Column(this.#api, null)];
    const filters = this.columns.map((column) => column.filter);
    localStorage.setItem(this.#place(), JSON.stringify(filters));
    this.#tell('columns');
  }

  #place() {
    return `tweetfilter.columns.${this.me.account}`;
  }

  #remembered() {
    try {
      const filters = JSON.parse(localStorage.getItem(this.#place()));
      const good = filters.filter((filter) => filter === null || Number.isInteger(filter));
      if (good.length > 0) return good;
    } catch {
      // Nothing is remembered, or nothing of use.
    }
    return [null];
  }

  // The stream

  #heard(name, data) {
    switch (name) {
      case 'open':
        // Filters may have changed while nobody listened.
        if (this.store.state !== 'fine') this.loadFilters();
        this.#fine();
        break;
      case 'post':
        this.#arrived.push(data);
        this.#timer ??= setTimeout(() => this.#takeIn(), TOGETHER);
        break;
      case 'commit':
        this.#again ??= setTimeout(() => this.#refresh(), AGAIN);
        break;
      case 'filters':
        this.loadFilters();
        break;
      case 'away':
        this.#troubled(new ApiError(503, data.error));
        break;
      case 'back':
        this.#fine();
        this.loadFilters();
        break;
      case 'lost':
        if (data && data.status !== 0) this.#troubled(data);
        else this.#troubled(new ApiError(0, { code: 'unreachable', message: 'The server cannot be reached' }));
        break;
      case 'refused':
        this.#refused(data);
        break;
    }
  }

  #refresh() {
    this.#again = null;
    for (const column of this.columns) column.refresh().catch(() => {});
  }

  #takeIn() {
    this.#timer = null;
    const posts = this.#arrived.splice(0);
    for (const column of this.columns) column.arrive(posts);
    this.notices = posts.filter((post) => post.notify && !post.hidden);
    if (this.notices.length > 0) this.#tell('notices');
  }

  #troubled(error) {
    const state = error.code === 'unreachable' ? 'unreachable' : error.status === 429 ? 'busy' : 'away';
    if (this.store.state === state) return;
    const since = this.store.since ?? new Date();
    this.store = { state, since, message: error.message };
    this.#tell('store');
  }

  #fine() {
    if (this.store.state === 'fine') return;
    this.store = { state: 'fine', since: null, message: '' };
    this.#tell('store');
    for (const column of this.columns) column.retry();
  }

  #refused(error) {
    this.#leave();
    sessionStorage.removeItem(TOKEN);
    this.signedOut = error.message;
    this.#tell('session');
  }

  #leave() {
    this.#ends?.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    [this.#api, this.#ends, this.#timer, this.me] = [null, null, null, null];
    this.#again = null;
    [this.filters, this.filtersState, this.columns, this.#arrived] = [[], 'loading', [], []];
    this.store = { state: 'fine', since: null, message: '' };
    this.#tell('store');
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

export const model = new Model();
