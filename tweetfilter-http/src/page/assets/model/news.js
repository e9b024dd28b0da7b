// What is new since somebody signed in: as the stream tells it, or as it is asked for while none is open. From here it
// reaches columns and lists.

import { ApiError } from './api.js';
import { serverNow } from './clock.js';
import { follow } from './live.js';
import { TROUBLES } from './store.js';
import { takes } from './withdrawn.js';

// Posts are taken in together, so that a busy stream does not lay the page out for each.
const TOGETHER = 150;
// Nobody tells of gaps, so they are asked for, this often.
const GAPS = 15_000;
// While no stream tells what is new, it is asked for, this often.
const POLL = 2_000;
// A browser may hold several connections that fell silent, and ask on each: while nothing is reached, they are given up sooner.
const SILENCE = 4_000;

export class News {
  #model;
  #signal;
  #arrived = [];
  #withdrawn = [];
  #changed = new Set();
  #timer = null;
  #gapsTimer = null;
  #pollTimer = null;
  // Whether a stream broke off, or was refused, and none is open since.
  #wasLost = false;
  // The last commit that was heard of, by the stream or an answer.
  #commit;
  // The numbers of the last changes that were heard of: see `/me`.
  #known;
  #isCatchingUp = false;
  // When the stream said something last; null before it did.
  #heardAt = null;

  /** Whoever signed in, and what they know by now, stands in `model.me`; it ends with `signal`. */
  constructor(model, signal) {
    [this.#model, this.#signal] = [model, signal];
    const { commit, revision, change, results } = model.me;
    this.#commit = commit;
    this.#known = { revision, change, results };
    signal.addEventListener('abort', () => {
      for (const timer of [this.#timer, this.#gapsTimer, this.#pollTimer]) clearTimeout(timer);
    });
  }

  /** Asks for what is new from now on, and follows the stream of an API. */
  follow(api) {
    this.#lookForGaps();
    this.#pollLater();
    const { token, commit } = this.#model.me;
    const stream = { name: `tweetfilter.live.${token.id}`, after: commit };
    follow(api, stream, (name, data) => this.#heard(name, data), this.#signal);
  }

  #heard(name, data) {
    const model = this.#model;
    if (name !== 'open' && name !== 'lost') this.#heardAt = serverNow();
    if (name !== 'lost' && name !== 'refused') this.#streams(true);
    switch (name) {
      case 'open':
        model.fine();
        if (this.#heardAt !== null) for (const column of model.columns) column.resumed(this.#heardAt);
        break;
      case 'post':
        this.#arrived.push(data);
        this.#takeInSoon();
        break;
      case 'removed':
        this.#withdrawn.push(model.withdrawals.take(data));
        this.#takeInSoon();
        break;
      case 'changed':
        for (const number of data.posts) this.#changed.add(number);
        this.#takeInSoon();
        break;
      case 'commit':
        this.#commit = data.commit;
        // A stream begins with the numbers of the last changes.
        if (data.revision !== undefined) this.#compare(data);
        break;
      case 'filters':
        this.#compare({ revision: data.revision });
        break;
      case 'account':
        this.#compare({ change: Math.max(data.change, this.#known.change + 1) });
        break;
      case 'results':
        this.#compare({ results: data.results });
        break;
      case 'authors':
        for (const column of model.columns) column.named(data.authors);
        break;
      case 'missed':
        // What came in between is not told any more.
        this.#loadAgain();
        for (const column of model.columns) column.refresh();
        break;
      case 'away':
        model.troubled(new ApiError(503, data.error));
        break;
      case 'back':
        model.fine();
        this.#loadAgain();
        break;
      case 'lost':
        // What is between refuses the stream alone, or it may have one less: that says nothing of the store.
        if (data?.status > 0 && !TROUBLES.includes(data.code)) {
          this.#streams(false, data.message);
          break;
        }
        this.#streams(false);
        model.troubled(data?.status > 0 ? data : new ApiError(0, { code: 'unreachable', message: 'The server cannot be reached' }));
        break;
      case 'refused':
        model.refused(data);
        break;
    }
  }

  #streams(isOpen, why = '') {
    const was = this.#model.stream;
    if (was.isOpen === isOpen && was.why === why) return;
    this.#model.stream = { isOpen, why };
    if (!isOpen) this.#wasLost = true;
    // What changed while nobody listened.
    else if (this.#wasLost) this.#loadAgain();
    this.#wasLost &&= !isOpen;
    this.#model.tell('stream');
  }

  #pollLater() {
    clearTimeout(this.#pollTimer);
    this.#pollTimer = setTimeout(() => this.#poll(), POLL);
  }

  // Asks for what a stream would tell, as long as none is open; and whether the store is back.
  async #poll() {
    const [model, signal] = [this.#model, this.#signal];
    const isFine = model.stream.isOpen && model.store.state === 'fine';
    if (!isFine && !document.hidden) {
      try {
        const silence = model.store.state === 'unreachable' ? SILENCE : undefined;
        const { data } = await model.ask('GET', '/me', { signal, tries: 1, silence });
        // What waits there for the store goes on once it is found out here that it is back.
        if (!model.stream.isOpen) this.#catchUp(data);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        // What is before the server says so of everything: it is not there.
        if (error.status >= 500 && error.code === 'unexpected') model.troubled(error);
      }
    }
    if (!signal.aborted) this.#pollLater();
  }

  async #catchUp(now) {
    this.#compare(now);
    if (now.commit === this.#commit || this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    try {
      const loading = this.#model.columns.map((column) => column.catchUp());
      const loaded = await Promise.all([this.#askWithdrawn(now.commit), ...loading]);
      if (loaded.every((isLoaded) => isLoaded)) this.#commit = now.commit;
    } finally {
      this.#isCatchingUp = false;
    }
  }

  // Asks what was taken back since the last commit that was heard of: it may be of any post that is shown. False if that is
  // to be tried again.
  async #askWithdrawn(upTo) {
    const [model, signal] = [this.#model, this.#signal];
    try {
      for (let after = this.#commit; after < upTo; ) {
        const { data } = await model.ask('GET', `/withdrawn?after=${after}`, { signal });
        if (data.missed_before !== null) for (const column of model.columns) column.refresh();
        for (const { changed, ...taken } of data.commits) {
          if (taken.posts.length + taken.authors.length > 0) this.#withdrawn.push(model.withdrawals.take(taken));
          for (const number of changed) this.#changed.add(number);
        }
        this.#takeInSoon();
        after = data.commit;
      }
      return true;
    } catch (error) {
      if (!signal.aborted && !(error instanceof ApiError)) throw error;
      return false;
    }
  }

  // Loads what is another than it was when it was heard of last, be it while no stream was open.
  #compare(now) {
    const model = this.#model;
    const isNew = (name) => now[name] !== undefined && now[name] !== this.#known[name];
    if (isNew('revision')) {
      model.loadFilters();
      model.sets.changed();
    }
    if (isNew('change')) for (const kept of [model.feeds, model.tokens, model.readings]) kept.changed();
    if (isNew('results')) for (const column of model.columns) column.refresh();
    const { revision, change, results } = { ...this.#known, ...now };
    this.#known = { revision, change, results };
  }

  // What may have changed while nobody could tell.
  #loadAgain() {
    this.#model.loadFilters();
    for (const kept of this.#model.kept) kept.changed();
  }

  async #lookForGaps() {
    const [model, signal] = [this.#model, this.#signal];
    clearTimeout(this.#gapsTimer);
    try {
      const { data } = await model.ask('GET', '/status', { signal });
      if (JSON.stringify(data.gaps) !== JSON.stringify(model.gaps)) {
        model.gaps = data.gaps;
        for (const column of model.columns) column.surrounded();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
    }
    if (!signal.aborted) this.#gapsTimer = setTimeout(() => this.#lookForGaps(), GAPS);
  }

  #takeInSoon() {
    this.#timer ??= setTimeout(() => this.#takeIn(), TOGETHER);
  }

  #takeIn() {
    const model = this.#model;
    this.#timer = null;
    const posts = this.#arrived.splice(0);
    const taken = this.#withdrawn.splice(0);
    model.taken = taken;
    // What was edited is taken back and comes anew: it is replaced where it stands before the old one is looked for.
    for (const column of model.columns) {
      column.arrive(posts);
      column.withdraw(taken);
    }
    if (taken.length > 0) model.tell('withdrawn');
    this.#askAgain();
    model.notices = posts.filter((post) => post.notify && !post.hidden && !taken.some((one) => takes(one, post)));
    if (model.notices.length > 0) model.tell('notices');
  }

  // Posts that lost a part are asked for as they are now.
  async #askAgain() {
    const model = this.#model;
    const numbers = [...this.#changed].filter((number) => model.columns.some((column) => column.has(number)));
    this.#changed.clear();
    for (const number of numbers) {
      try {
        const { data } = await model.ask('GET', `/posts/${number}`);
        for (const column of model.columns) column.replace(data);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }
}
