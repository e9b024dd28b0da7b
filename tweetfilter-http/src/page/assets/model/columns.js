// What a column of the timeline holds, and the rows that follow from it.

import { ApiError, pause } from './api.js';
import { serverNow } from './clock.js';
import { Cell, Rows, isOlder, peopleOf } from './rows.js';
import { takes } from './withdrawn.js';

const PAGE = 100;
// More than this is let go of at the old end, from where it can be loaded again; many at once, since all rows are made
// anew then.
const MOST = 20_000;
const SLACK = 1_000;
// So many pages with so few posts to show, the rest of them hidden, are loaded in a row before somebody is asked.
const BARREN = 5;
const FEW = 8;
// What just came may have an author who is looked up still, and is known so much later.
const RECENT = 60_000;
const NAMED = 5_000;
// For so long a stream tells who they are.
const TOLD = 600_000;

/** Posts of everything (`filter` null) or of one filter, newest first. */
export class Column extends EventTarget {
  #model;
  // Newest first, and by their numbers.
  #posts = [];
  #cells = new Map();
  #hidden = 0;
  #revealed = new Set();
  #waiting = [];
  #next = null;
  #rows;
  // How many are held; more once somebody looked further back.
  #most = MOST;
  // What pages of hidden posts brought to show since somebody looked further back.
  #barren = { pages: 0, shown: 0 };
  #isBuilt = false;
  #fetching = null;
  #refreshing = false;
  // What was received since then may be another by now: all of it, or where nothing is, Infinity.
  #staleSince = Infinity;

  constructor(model, filter) {
    super();
    this.#model = model;
    this.filter = filter;
    this.state = 'idle';
    this.error = null;
    /** How many posts came live that are shown. */
    this.arrivals = 0;
    /** Counts what changed. */
    this.revision = 0;
    /** Where the last change was of the first rows alone: `removed` of them, and `added` in their place. */
    this.head = null;
    const column = this;
    this.#rows = new Rows({
      get gaps() {
        return model.gaps;
      },
      get line() {
        return model.readUpTo(column);
      },
      isRevealed: (number) => column.#revealed.has(number),
      named: (filters) => filters.map((id) => [model.called(id), model.filter(id)?.action]),
    });
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
    return this.rows && this.#rows.unread;
  }

  /** The newest post, or the newest from a row on. */
  newest(key = null) {
    const from = Math.max(0, this.rows.findIndex((row) => row.key === key));
    const row = this.rows.slice(from).find(({ post, numbers }) => post || numbers);
    return this.#cells.get(row?.post?.number ?? row?.numbers?.[0])?.post ?? null;
  }

  get counts() {
    return { all: this.#posts.length, hidden: this.#hidden, shown: this.#posts.length - this.#hidden };
  }

  get hasMore() {
    return this.#next !== null;
  }

  /** Loads the newest page, once it is looked at. */
  load() {
    if (this.state === 'idle') return this.#fetch(null);
  }

  /** Loads what comes before the oldest, since somebody wants it. */
  more() {
    this.#barren = { pages: 0, shown: 0 };
    if (this.#posts.length + PAGE > this.#most) this.#most = this.#posts.length + SLACK;
    return this.#further();
  }

  /** The same by itself, where its end comes into sight: that is so forever where nearly all is hidden. */
  ahead() {
    if (!this.#isPaused) return this.#further();
  }

  #further() {
    if (this.state === 'ready' && this.#next && !this.#refreshing) return this.#fetch(this.#next);
  }

  // What was let go of is loaded again only if somebody asks for it.
  get #isPaused() {
    return this.#barren.pages >= BARREN || this.#posts.length >= this.#most;
  }

  retry() {
    if (this.state === 'error') return this.#fetch(this.#next);
  }

  /**
   * Loads anew what it holds, back to what was received since a time: some of it may be another now, or be gone, or have come
   * without being told of.
   */
  async refresh(since = -Infinity) {
    if (this.state === 'idle') return;
    this.#staleSince = Math.min(this.#staleSince, since);
    if (this.#refreshing) return;
    this.#refreshing = true;
    try {
      await this.#fetching;
      while (this.#staleSince < Infinity) {
        const asked = this.#staleSince;
        this.#staleSince = Infinity;
        let before = null;
        do before = await this.#replaceAtLast(before);
        while (before && this.#reaches(before, asked));
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#refreshing = false;
      this.#told();
    }
  }

  /** Loads what is newer than all that it holds, which no stream tells of; false if that is to be tried again. */
  async catchUp() {
    if (this.state === 'idle') return true;
    await this.#fetching;
    if (this.state !== 'ready' || this.#refreshing) return false;
    this.#refreshing = true;
    const newest = this.#posts[0]?.post;
    let isLoaded = true;
    try {
      let before = null;
      // Broken off between, it would be asked only for what is newer than the newest of that.
      do before = await this.#replaceAtLast(before);
      while (before && newest && isOlder(newest, placed(before)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      isLoaded = false;
    } finally {
      this.#refreshing = false;
    }
    // It was asked for more meanwhile.
    if (this.#staleSince < Infinity) this.refresh(this.#staleSince);
    return isLoaded;
  }

  // Whether something is held below a place that was received since a time.
  #reaches(before, since) {
    const place = placed(before);
    return since === -Infinity || this.#posts.some(({ post, at }) => at > since && isOlder(post, place));
  }

  // The same as `#replace`, however often it takes: what time alone mends is waited for, and it goes on where it stood. Begun
  // anew each time it would never come to an end where there are more pages than may be asked for at once.
  async #replaceAtLast(before) {
    for (;;) {
      try {
        return await this.#replace(before);
      } catch (error) {
        if (!(error instanceof ApiError) || !error.passes) throw error;
        await pause(error);
        await this.#model.untilFine();
        // Nobody looks at it any more.
        if (!this.#model.columns.includes(this)) throw error;
      }
    }
  }

  // Puts a page as it is now in the place of what is held of it; gives the place where the next begins, as long as more
  // is held.
  async #replace(before) {
    const mark = this.#model.withdrawals.now;
    const newest = this.#posts[0]?.post;
    const { data, summary } = await this.#model.ask('GET', this.#path(before));
    const [from, to] = [before, summary.next].map((text) => (text ? placed(text) : null));
    const isBelow = (post) => to !== null && isOlder(post, to);
    // What came live is newer than the answer.
    const isAbove = (post) => post.commit > summary.commit || (from !== null && !isOlder(post, from));
    const above = this.#posts.filter(({ post }) => isAbove(post));
    const newer = new Set(above.map(({ post }) => post.number));
    const now = data.filter((post) => !newer.has(post.number) && !this.#model.withdrawals.since(mark, post));
    const numbers = new Set(now.map((post) => post.number));
    const below = this.#posts.filter(({ post }) => !isAbove(post) && isBelow(post) && !numbers.has(post.number));
    const isArrival = (post) => !post.hidden && !this.#cells.has(post.number) && newest && isOlder(newest, post);
    this.arrivals += now.filter(isArrival).length;
    this.#hold([...above, ...now.map((post) => new Cell(post)), ...below]);
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
      const stands = (post) => !this.#cells.has(post.number) && !this.#model.withdrawals.since(mark, post);
      const older = data.filter(stands);
      this.#posts.push(...older.map((post) => this.#cell(post)));
      this.#next = summary.next ?? null;
      this.#weigh(older);
      this.state = 'ready';
      // The stream tells who people are of what it sent itself.
      const isRecent = (post) => serverNow() - Date.parse(post.received_at) < RECENT;
      if (!before && older.some((post) => isNameless(post) && isRecent(post))) setTimeout(() => this.refresh(), NAMED);
    } catch (error) {
      this.state = 'error';
      this.error = error;
    }
    const waiting = this.#waiting.splice(0);
    this.arrive(waiting, true);
  }

  // A page without hidden posts says nothing of how much of what comes before is hidden.
  #weigh(posts) {
    const shown = posts.filter(({ hidden }) => !hidden).length;
    const barren = this.#barren;
    if (shown < posts.length) barren.pages++;
    barren.shown += shown;
    if (barren.shown >= FEW) this.#barren = { pages: 0, shown: 0 };
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
    const [first, fresh, wasPaused] = [this.#posts[0], [], this.#isPaused];
    let isHead = this.#isBuilt && first !== undefined && !always;
    for (const post of wanted) {
      const known = this.#cells.get(post.number);
      if (!known) fresh.push(this.#cell(post));
      // A newer version, or one that came twice.
      else if (known.post.commit <= post.commit) isHead = this.#swap(known, post) && isHead;
    }
    this.arrivals += fresh.filter(({ post }) => !post.hidden).length;
    this.#posts = fresh.reverse().concat(this.#posts);
    if (fresh.length > SLACK) isHead = false;
    if (this.#posts.length > this.#most + SLACK) {
      this.#hold(this.#posts.slice(0, this.#most));
      this.#next = this.#posts.at(-1).post.place;
      isHead = false;
    }
    // The last row says so.
    if (this.#isPaused !== wasPaused) isHead = false;
    this.#told(isHead ? this.#rows.prepend(fresh, first) : null);
  }

  has(number) {
    return this.#cells.has(number);
  }

  /** Takes out what is not to be shown any more. */
  withdraw(all) {
    if (all.length === 0) return;
    this.#waiting = this.#waiting.filter((post) => !all.some((one) => takes(one, post)));
    // Of an author's it may be any.
    const isAny = all.some(({ authors }) => authors.size > 0);
    const named = all.flatMap(({ posts }) => [...posts].map((number) => this.#cells.get(number)));
    const asked = isAny ? this.#posts : named.filter((cell) => cell !== undefined);
    const taken = new Set(asked.filter(({ post }) => all.some((one) => takes(one, post))));
    if (taken.size === 0) return;
    this.#hold(this.#posts.filter((cell) => !taken.has(cell)));
    this.#told();
  }

  /** Takes over how a post is now. */
  replace(post) {
    const known = this.#cells.get(post.number);
    if (known) this.#told(this.#swap(known, post) && this.#isBuilt ? { removed: 0, added: 0 } : null);
  }

  /** Takes over who people are who were known by id alone; by network and id, with what they are called. */
  named(people) {
    let isAny = false;
    for (const post of [...this.#posts.map((cell) => cell.post), ...this.#waiting]) {
      for (const one of peopleOf(post)) {
        const known = people.find(({ network, id }) => network === post.network && id === one.id);
        if (!known) continue;
        one.handle ||= known.handle ?? '';
        one.name ??= known.name;
        isAny = true;
      }
    }
    if (isAny) this.#told(this.#isBuilt ? { removed: 0, added: 0 } : null);
  }

  /**
   * A stream is taken up that said something last at a time. It knows nothing of whom the one before told by id alone: who is
   * known by now, or a little later, is asked for.
   */
  async resumed(heardAt) {
    const since = heardAt - TOLD;
    const isAwaited = ({ post, at }) => at > since && isNameless(post);
    for (const wait of [0, NAMED]) {
      if (!this.#posts.some(isAwaited)) return;
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      await this.refresh(since);
    }
  }

  // Holds these and no others.
  #hold(cells) {
    this.#posts = cells;
    this.#cells = new Map(cells.map((cell) => [cell.post.number, cell]));
    this.#hidden = cells.reduce((sum, { post }) => sum + (post.hidden ? 1 : 0), 0);
  }

  #cell(post) {
    const cell = new Cell(post);
    this.#cells.set(post.number, cell);
    if (post.hidden) this.#hidden++;
    return cell;
  }

  // Puts a version in the place of another; true if the rows around it are as they were.
  #swap(cell, post) {
    const [was, at] = [cell.post, cell.at];
    cell.take(post);
    this.#hidden += (post.hidden ? 1 : 0) - (was.hidden ? 1 : 0);
    const line = this.#model.readUpTo(this);
    const isSideTheSame = !line || isOlder(line, was) === isOlder(line, post);
    // A row of hidden ones says by which filters they are.
    return !was.hidden && !post.hidden && cell.at === at && isSideTheSame;
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
    if (!this.#isBuilt) this.#rows.build(this.#posts, this.#end());
    this.#isBuilt = true;
    return this.#rows.all;
  }

  #end() {
    if (this.state === 'error') return { state: 'error', error: this.error.message };
    // A page may have found nothing on its way back, and the next may.
    if (this.state === 'ready' && !this.#next) return { state: this.#posts.length === 0 ? 'empty' : 'done' };
    if (this.state === 'ready' && this.#isPaused) return { state: 'paused', isFull: this.#posts.length >= this.#most };
    return { state: 'loading' };
  }

  // Tells that something changed: all of it, or the first rows.
  #told(head = null) {
    this.#isBuilt &&= head !== null;
    this.head = head;
    this.revision++;
    this.dispatchEvent(new Event('change'));
  }
}

// A place as answers write it.
function placed(text) {
  const [commit, number] = text.split('-').map(Number);
  return { commit, number };
}

// Whether it says who wrote it by id alone.
const isNameless = ({ content, retweeted_by }) => [content.author, retweeted_by].some((author) => author?.handle === '');
