// What a column of the timeline holds, and the rows that follow from it.

import { ApiError } from './api.js';
import { takes } from './withdrawn.js';

const PAGE = 100;
// More than this is let go of at the old end, from where it can be loaded again.
const MOST = 20_000;

/** Posts of everything (`filter` null) or of one filter, newest first. */
export class Column extends EventTarget {
  #model;
  #posts = [];
  #numbers = new Set();
  #revealed = new Set();
  #waiting = [];
  #next = null;
  #rows = null;
  #fetching = null;
  #refreshing = false;
  #stale = false;

  constructor(model, filter) {
    super();
    this.#model = model;
    this.filter = filter;
    this.state = 'idle';
    this.error = null;
    /** How many posts came live. */
    this.arrivals = 0;
  }

  get key() {
    return this.filter === null ? 'all' : `filter-${this.filter}`;
  }

  /** By which name its reading position is kept. */
  get place() {
    return this.filter === null ? 'timeline' : this.key;
  }

  /** How many posts are above the line up to which it was read; null if there is no line among its rows. */
  get unread() {
    const at = this.rows.findIndex(({ kind }) => kind === 'line');
    return at < 0 ? null : this.rows.slice(0, at).reduce((sum, row) => sum + (row.numbers?.length ?? (row.post ? 1 : 0)), 0);
  }

  /** The newest post, or the newest from a row on. */
  newest(key = null) {
    const from = Math.max(0, this.rows.findIndex((row) => row.key === key));
    const row = this.rows.slice(from).find(({ post, numbers }) => post || numbers);
    const number = row?.post?.number ?? row?.numbers?.[0];
    return this.#posts.find((post) => post.number === number) ?? null;
  }

  get counts() {
    const hidden = this.#posts.reduce((sum, post) => sum + (post.hidden ? 1 : 0), 0);
    return { all: this.#posts.length, hidden, shown: this.#posts.length - hidden };
  }

  get hasMore() {
    return this.#next !== null;
  }

  /** Loads the newest page, once it is looked at. */
  load() {
    if (this.state === 'idle') return this.#fetch(null);
  }

  /** Loads what comes before the oldest. */
  more() {
    if (this.state === 'ready' && this.#next && !this.#refreshing) return this.#fetch(this.#next);
  }

  retry() {
    if (this.#stale) this.refresh();
    if (this.state === 'error') return this.#fetch(this.#next);
  }

  /** Loads anew what it holds: some of it may be another now, or be gone, or have come without being told of. */
  async refresh() {
    if (this.state === 'idle') return;
    this.#stale = true;
    if (this.#refreshing) return;
    this.#refreshing = true;
    try {
      await this.#fetching;
      while (this.#stale) {
        this.#stale = false;
        let before = null;
        do before = await this.#replace(before);
        while (before);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // It is tried again when the store is back.
      this.#stale = true;
    } finally {
      this.#refreshing = false;
      this.#told();
    }
  }

  // Puts a page as it is now in the place of what is held of it; gives the place where the next begins, as long as more
  // is held.
  async #replace(before) {
    const mark = this.#model.withdrawals.now;
    const newest = this.#posts[0];
    const { data, summary } = await this.#model.ask('GET', this.#path(before));
    const [from, to] = [before, summary.next].map((text) => (text ? placed(text) : null));
    const isBelow = (post) => to !== null && isOlder(post, to);
    // What came live is newer than the answer.
    const isAbove = (post) => post.commit > summary.commit || (from !== null && !isOlder(post, from));
    const above = this.#posts.filter((post) => isAbove(post));
    const newer = new Set(above.map((post) => post.number));
    const now = data.filter((post) => !newer.has(post.number) && !this.#model.withdrawals.since(mark, post));
    const numbers = new Set(now.map((post) => post.number));
    const below = this.#posts.filter((post) => !isAbove(post) && isBelow(post) && !numbers.has(post.number));
    const isArrival = (post) => !this.#numbers.has(post.number) && newest && isOlder(newest, post);
    this.arrivals += now.filter(isArrival).length;
    this.#posts = [...above, ...now, ...below];
    this.#numbers = new Set(this.#posts.map((post) => post.number));
    if (below.length === 0) this.#next = summary.next ?? null;
    this.#told();
    return below.length > 0 ? summary.next : null;
  }

  #path(before) {
    const parameters = new URLSearchParams({ limit: PAGE, hidden: true, highlights: true });
    if (this.filter !== null) parameters.set('filter', this.filter);
    if (before) parameters.set('before', before);
    return `/timeline?${parameters}`;
  }

  #fetch(before) {
    return (this.#fetching = this.#load(before));
  }

  async #load(before) {
    this.state = 'loading';
    this.error = null;
    this.#told();
    const mark = this.#model.withdrawals.now;
    try {
      const { data, summary } = await this.#model.ask('GET', this.#path(before));
      const stands = (post) => !this.#numbers.has(post.number) && !this.#model.withdrawals.since(mark, post);
      const fresh = data.filter(stands);
      for (const post of fresh) this.#numbers.add(post.number);
      this.#posts.push(...fresh);
      this.#next = summary.next ?? null;
      this.state = 'ready';
    } catch (error) {
      this.state = 'error';
      this.error = error;
    }
    const waiting = this.#waiting.splice(0);
    this.arrive(waiting, true);
  }

  /** Takes in what the stream brought, oldest first. */
  arrive(posts, always = false) {
    const wanted = posts.filter((post) => this.filter === null || post.filters.includes(this.filter));
    if (this.state === 'idle') return;
    if (this.state === 'loading' && this.#posts.length === 0) {
      this.#waiting.push(...wanted);
      return;
    }
    if (wanted.length === 0 && !always) return;
    const fresh = [];
    for (const post of wanted) {
      if (this.#numbers.has(post.number)) {
        // A newer version, or one that came twice.
        const at = this.#posts.findIndex((known) => known.number === post.number);
        if (at >= 0 && this.#posts[at].commit <= post.commit) this.#posts[at] = post;
      } else {
        this.#numbers.add(post.number);
        fresh.push(post);
      }
    }
    this.arrivals += fresh.length;
    this.#posts.unshift(...fresh.reverse());
    if (this.#posts.length > MOST) {
      for (const post of this.#posts.splice(MOST)) this.#numbers.delete(post.number);
      this.#next = this.#posts.at(-1).place;
    }
    this.#told();
  }

  has(number) {
    return this.#numbers.has(number);
  }

  /** Takes out what is not to be shown any more. */
  withdraw(all) {
    const kept = this.#posts.filter((post) => {
      const taken = all.some((one) => takes(one, post));
      if (taken) this.#numbers.delete(post.number);
      return !taken;
    });
    this.#waiting = this.#waiting.filter((post) => !all.some((one) => takes(one, post)));
    if (kept.length === this.#posts.length) return;
    this.#posts = kept;
    this.#told();
  }

  /** Takes over how a post is now. */
  replace(post) {
    const at = this.#posts.findIndex((known) => known.number === post.number);
    if (at < 0) return;
    this.#posts[at] = post;
    this.#told();
  }

  /** Gaps, the reading position, or names of filters changed. */
  surrounded() {
    this.#told();
  }

  /** Shows hidden posts, or puts them out of sight again. */
  reveal(numbers, shown) {
    for (const number of numbers) {
      if (shown) this.#revealed.add(number);
      else this.#revealed.delete(number);
    }
    this.#told();
  }

  /** Posts, hidden ones side by side as one row, and at the end what there is to say. */
  get rows() {
    if (this.#rows) return this.#rows;
    const rows = [];
    let run = null;
    const gaps = [...this.#model.gaps];
    let line = this.#model.readUpTo(this);
    for (const post of this.#posts) {
      const lost = [];
      while (gaps.length > 0 && new Date(gaps[0].to) > new Date(post.received_at)) lost.push(gaps.shift());
      if (lost.length > 0) rows.push(gapRow(lost));
      const isRead = line && !isOlder(line, post);
      if (isRead) {
        // Where nothing is new a line would say nothing.
        if (rows.length > 0) rows.push({ kind: 'line', key: 'line', version: '' });
        line = null;
      }
      if (lost.length > 0 || rows.at(-1)?.kind === 'line') run = null;
      const revealed = this.#revealed.has(post.number);
      if (post.hidden && !revealed) {
        if (!run) rows.push((run = { kind: 'hidden', numbers: [], filters: new Set() }));
        run.numbers.push(post.number);
        for (const filter of post.filters) run.filters.add(filter);
        run.key = `h${post.number}`;
        run.version = run.numbers.length;
      } else {
        run = null;
        const { text, quote } = post.content;
        const names = post.filters.map((id) => [this.#model.called(id), this.#model.filter(id)?.action]);
        const version = JSON.stringify([post.commit, revealed, text, quote?.text, names]);
        rows.push({ kind: 'post', key: `p${post.number}`, version, post, revealed });
      }
    }
    const end = this.#end();
    rows.push({ kind: 'end', key: 'end', version: end.state + (end.error ?? ''), ...end });
    return (this.#rows = rows);
  }

  #end() {
    if (this.state === 'error') return { state: 'error', error: this.error.message };
    // A page may have found nothing on its way back, and the next may.
    if (this.state === 'ready' && !this.#next) return { state: this.#posts.length === 0 ? 'empty' : 'done' };
    return { state: 'loading' };
  }

  #told() {
    this.#rows = null;
    this.dispatchEvent(new Event('change'));
  }
}

// A place as answers write it.
function placed(text) {
  const [commit, number] = text.split('-').map(Number);
  return { commit, number };
}

const isOlder = (post, place) =>
  post.commit < place.commit || (post.commit === place.commit && post.number < place.number);

// Gaps that no post stands between are one row.
function gapRow(gaps) {
  const missing = gaps.every((gap) => gap.missing !== null) ? gaps.reduce((sum, gap) => sum + gap.missing, 0) : null;
  const [from, to] = [gaps.at(-1).from, gaps[0].to];
  return { kind: 'gap', key: `g${from}`, version: `${to} ${missing}`, from, to, missing };
}
