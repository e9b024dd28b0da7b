// The one place that talks to the API, keeps what it said, and works out what follows from it.
// Views listen for: session, filters, store, columns, notices, withdrawn; and to the lists that are kept beside.

import { Api, ApiError, pause, tokenOf } from './api.js';
import { Column } from './columns.js';
import { Kept } from './kept.js';
import { News } from './news.js';
import { ofAddress, ofTab } from './remembered.js';
import { Search } from './search.js';
import { Sets } from './sets.js';
import { FINE, TROUBLES, troubled } from './store.js';
import { Unsaved } from './unsaved.js';
import { Withdrawals } from './withdrawn.js';
import { seen } from '../views/text.js';

export { ApiError };

const TOKEN = 'tweetfilter.token';

class Model extends EventTarget {
  #api = null;
  #ends = null;
  #filtersAsked = 0;
  #filtersLoading = null;
  // The tag of the filters in their order, and when the last of those that were moved has its place.
  #filtersTag;
  #moved = Promise.resolve();

  me = null;
  signedOut = null;
  /** What was written and not saved. It outlives a token that is refused, and waits for the same account. */
  unsaved = new Unsaved();
  filters = [];
  filtersState = 'loading';
  filtersError = null;
  columns = [];
  operators = [];
  sets = new Sets(this);
  feeds = new Kept(this, '/feeds');
  tokens = new Kept(this, '/tokens');
  readings = new Kept(this, '/reading');
  /** All lists that are kept beside the filters. */
  kept = [this.sets, this.feeds, this.tokens, this.readings];
  /** Stretches of time of which posts are missing, newest first. */
  gaps = [];
  withdrawals = new Withdrawals();
  /** What was taken back just now. */
  taken = [];
  search = new Search(this);
  /** The text of a filter that a view asks to be written. */
  draft = null;
  /** Posts that just came and that a filter wants to be told of. */
  notices = [];
  /** How the server and its store are: `fine`, `away`, `unreachable` or `busy`, and since when. */
  store = FINE;
  /** Whether a stream is open, and why the last one was not: requests may be answered all the same. */
  stream = { isOpen: false, why: '' };

  constructor() {
    super();
    this.readings.addEventListener('change', () => this.columns.forEach((column) => column.surrounded()));
    addEventListener('storage', ({ key }) => this.me && key === this.#place() && this.#followColumns());
  }

  /**
   * Signs in with the token of the address (`#token=…`), or of this tab. Where that would lose what was not saved, since
   * it is of another account, `mayLose` is asked.
   */
  async begin(mayLose) {
    const said = new URLSearchParams(location.hash.slice(1)).get('token');
    if (said) history.replaceState(null, '', location.pathname + location.search);
    if (said && this.unsaved.has() && !(await this.#isOwn(said)) && !mayLose()) {
      this.tell('session');
      return;
    }
    const token = said ?? ofTab.get(TOKEN);
    if (token) await this.signIn(token);
    else this.tell('session');
  }

  // Whether a token is of the account that wrote what is not saved, or of none, which loses nothing.
  async #isOwn(token) {
    try {
      const known = tokenOf(token);
      if (known === null) return true;
      const { data } = await new Api(known).ask('GET', '/me', { tries: 1 });
      return data.account === this.unsaved.account;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // Whose it is turns out later.
      return !error.passes;
    }
  }

  /** Tries a token; what is wrong with it is thrown by `signIn`, unless it only takes time. */
  async signIn(token) {
    const wasIn = this.me !== null;
    this.#leave();
    if (wasIn) this.tell('session');
    const known = tokenOf(token);
    if (known === null) {
      this.refused(new ApiError(0, { code: 'no_token', message: NO_TOKEN }));
      return;
    }
    // One that is not tried yet is kept, too: it is in the address no more, and trying may take as long as the store is away.
    ofTab.set(TOKEN, known);
    const api = new Api(known);
    const ends = new AbortController();
    [this.#api, this.#ends] = [api, ends];
    for (;;) {
      try {
        const { data } = await api.ask('GET', '/me', { signal: ends.signal, tries: 1 });
        [this.me, this.signedOut] = [data, null];
        if (this.unsaved.account !== data.account) this.unsaved = new Unsaved(data.account, data.name);
        break;
      } catch (error) {
        if (ends.signal.aborted) return;
        if (!error.passes) {
          this.refused(error);
          return;
        }
        this.troubled(error);
        this.tell('session');
        await pause(error);
      }
    }
    const news = new News(this, ends.signal);
    this.fine();
    this.columns = this.#remembered().map((filter) => new Column(this, filter));
    this.tell('session');
    this.tell('columns');
    this.loadFilters();
    this.readings.load();
    api.ask('GET', '/operators').then(
      ({ data }) => (this.operators = data),
      () => {},
    );
    news.follow(api);
  }

  signOut() {
    this.#leave();
    this.unsaved = new Unsaved();
    ofTab.remove(TOKEN);
    this.signedOut = null;
    this.tell('session');
  }

  /** A request for a view. Trouble with the store is told to everybody, and thrown. */
  async ask(method, path, options) {
    const api = this.#api;
    if (!api) throw new ApiError(401, { code: 'signed_out', message: 'You are signed out' });
    try {
      const answer = await api.ask(method, path, options);
      // The stream says nothing where it was not cut off itself.
      if (api === this.#api) this.fine();
      return answer;
    } catch (error) {
      this.#failed(error, api);
      throw error;
    }
  }

  /** A request that is answered step by step: gives `{name, data}`, and ends with the one that is `done`. */
  async *askStepwise(method, path, options) {
    const api = this.#api;
    if (!api) throw new ApiError(401, { code: 'signed_out', message: 'You are signed out' });
    try {
      for await (const { name, data } of api.events(method, path, options)) {
        if (name === 'error') throw new ApiError(503, data.error);
        if (api === this.#api) this.fine();
        yield { name, data };
        if (name === 'done') return;
      }
      throw new ApiError(0, { code: 'unreachable', message: 'The answer broke off' });
    } catch (error) {
      this.#failed(error, api);
      throw error;
    }
  }

  // What was asked with another token says nothing of this one.
  #failed(error, api) {
    if (!(error instanceof ApiError) || api !== this.#api) return;
    if (error.status === 401) this.refused(error);
    else if (TROUBLES.includes(error.code)) this.troubled(error);
  }

  /** Scopes that a new token may have. */
  get scopes() {
    const all = ['read', 'write', 'admin'];
    return all.slice(0, all.indexOf(this.me?.token.scope) + 1);
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
    if (!filter && this.filtersState !== 'ready') return '…';
    return filter ? seen(filter.name) || filter.text : `filter ${id}, removed`;
  }

  /** Loads the filters. Whoever waits for it finds them loaded, also where they were asked for once more meanwhile. */
  loadFilters() {
    this.#filtersLoading = this.#askFilters();
    return this.#filtersLoading;
  }

  async #askFilters() {
    const asked = ++this.#filtersAsked;
    try {
      const { data, tag } = await this.ask('GET', '/filters');
      if (asked !== this.#filtersAsked) return this.#filtersLoading;
      this.#filtersTag = tag;
      [this.filters, this.filtersState, this.filtersError] = [data, 'ready', null];
      const kept = this.columns.filter(({ filter }) => filter === null || this.filter(filter));
      if (kept.length < this.columns.length) this.#setColumns(kept);
      for (const column of this.columns) column.surrounded();
    } catch (error) {
      if (asked !== this.#filtersAsked) return this.#filtersLoading;
      if (!(error instanceof ApiError)) return;
      [this.filtersState, this.filtersError] = ['error', error.message];
    }
    this.tell('filters');
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

  /** Removes a filter, if it is still as it is given here. */
  async removeFilter({ id, revision }) {
    await this.ask('DELETE', `/filters/${id}`, { ifMatch: revision });
    await this.loadFilters();
  }

  /**
   * Moves a filter by so many places, or as far as there are some, if nobody else changed the order. Those moved at once begin
   * where the one before ended.
   */
  moveFilter(id, by) {
    this.#moved = this.#moved.catch(() => {}).then(() => this.#move(id, by));
    return this.#moved;
  }

  async #move(id, by) {
    const ids = this.filters.map((filter) => filter.id);
    const from = ids.indexOf(id);
    const to = Math.max(0, Math.min(ids.length - 1, from + by));
    if (from < 0 || from === to) return;
    ids.splice(to, 0, ...ids.splice(from, 1));
    await this.ask('PUT', '/filters/order', { body: { ids }, ifMatch: this.#filtersTag });
    await this.loadFilters();
  }

  /** A filter that is being written, a saved one or (`null`) a new one: as it was left, if it was not saved. */
  write(id) {
    const draft = id === null ? this.draft : null;
    this.draft = null;
    return this.unsaved.write(this, id, draft);
  }

  /** Nobody writes on for now: what was not saved is kept until somebody does. */
  leave(writing) {
    this.unsaved.leave(writing);
    this.tell('filters');
  }

  /** Whether something was written, anywhere or into one filter (`null`: a new one), and not saved. */
  isUnsaved(id) {
    return this.unsaved.has(id);
  }

  // Columns

  addColumn(filter) {
    if (this.columns.some((column) => column.filter === filter)) return;
    this.#setColumns([...this.columns, new Column(this, filter)]);
  }

  removeColumn(column) {
    this.#setColumns(this.columns.filter((kept) => kept !== column));
  }

  #setColumns(columns) {
    this.columns = columns.length > 0 ? columns : [new Column(this, null)];
    const filters = this.columns.map((column) => column.filter);
    ofAddress.set(this.#place(), JSON.stringify(filters));
    this.tell('columns');
  }

  // Another tab has other columns now.
  #followColumns() {
    const known = new Map(this.columns.map((column) => [column.filter, column]));
    this.columns = this.#remembered().map((filter) => known.get(filter) ?? new Column(this, filter));
    this.tell('columns');
  }

  #place() {
    return `tweetfilter.columns.${this.me.account}`;
  }

  #remembered() {
    try {
      const filters = JSON.parse(ofAddress.get(this.#place()));
      const good = filters.filter((filter) => filter === null || Number.isInteger(filter));
      if (good.length > 0) return good;
    } catch {
      // Nothing is remembered, or nothing of use.
    }
    return [null];
  }

  // Reading positions: of everything, and of each filter.

  /** Up to where a column was read: `{commit, number}`, or null. */
  readUpTo(column) {
    const found = this.readings.items.find(({ name }) => name === column.place);
    if (!found) return null;
    const [commit, number] = found.up_to.split('-').map(Number);
    return { commit, number };
  }

  /** Keeps that a column was read up to a post. */
  async markRead(column, post) {
    const known = this.readUpTo(column);
    if (known && (post.commit < known.commit || (post.commit === known.commit && post.number <= known.number))) return;
    await this.readings.send('PUT', `/reading/${column.place}`, { up_to: post.place });
  }

  // How it goes: what the parts of the model found out

  /** Something is the matter with the store, or with the way to it. */
  troubled(error) {
    const store = troubled(this.store, error);
    if (store === this.store) return;
    this.store = store;
    this.tell('store');
  }

  /** Something was answered: what had to wait goes on. */
  fine() {
    if (this.store.state === 'fine') return;
    this.store = FINE;
    this.tell('store');
    for (const column of this.columns) column.retry();
    if (this.filtersState === 'error') this.loadFilters();
    for (const kept of this.kept) if (kept.state === 'error') kept.load();
  }

  /** Waits as long as there is trouble: somebody else asks whether it is over. */
  async untilFine() {
    while (this.store.state !== 'fine') await new Promise((done) => this.addEventListener('store', done, { once: true }));
  }

  /** The token is refused. */
  refused(error) {
    const wasIn = this.me !== null;
    this.#leave();
    ofTab.remove(TOKEN);
    this.signedOut = wasIn ? `Your access has ended. ${error.message}. Sign in with another token.` : error.message;
    this.tell('session');
  }

  tell(what) {
    this.dispatchEvent(new Event(what));
  }

  #leave() {
    this.#ends?.abort();
    [this.#api, this.#ends, this.me] = [null, null, null];
    [this.gaps, this.draft] = [[], null];
    for (const kept of this.kept) kept.reset();
    this.search.clear();
    this.#filtersAsked++;
    this.#filtersLoading = null;
    [this.filters, this.filtersState, this.columns] = [[], 'loading', []];
    this.store = FINE;
    this.stream = { isOpen: false, why: '' };
    this.tell('store');
  }
}

const NO_TOKEN = 'This is no token: one looks like tf_ and 64 digits and letters from a to f';

export const model = new Model();
