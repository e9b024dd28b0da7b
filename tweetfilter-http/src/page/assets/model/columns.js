// What a column of the timeline holds, and the rows that follow from it.

const PAGE = 100;
// More than this is let go of at the old end, from where it can be loaded again.
const MOST = 20_000;

/** Posts of everything (`filter` null) or of one filter, newest first. */
export class Column extends EventTarget {
  #api;
  #posts = [];
  #numbers = new Set();
  #revealed = new Set();
  #waiting = [];
  #next = null;
  #rows = null;

  constructor(api, filter) {
    super();
    this.#api = api;
    this.filter = filter;
    this.state = 'idle';
    this.error = null;
    /** How many posts came live. */
    this.arrivals = 0;
  }

  get key() {
    return this.filter === null ? 'all' : `filter-${this.filter}`;
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
    if (this.state === 'ready' && this.#next) return this.#fetch(this.#next);
  }

  retry() {
    if (this.state === 'error') return this.#fetch(this.#next);
  }

  #path(before) {
    const parameters = new URLSearchParams({ limit: PAGE, hidden: true, highlights: true });
    if (this.filter !== null) parameters.set('filter', this.filter);
    if (before) parameters.set('before', before);
    return `/timeline?${parameters}`;
  }

  async #fetch(before) {
    this.state = 'loading';
    this.error = null;
    this.#told();
    try {
      const { data, summary } = await this.#api.ask('GET', this.#path(before));
      const fresh = data.filter((post) => !this.#numbers.has(post.number));
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

  /** Takes out what was deleted meanwhile, and takes over what was edited, among the newest. */
  async refresh() {
    if (this.state !== 'ready') return;
    const { data, summary } = await this.#api.ask('GET', this.#path());
    const known = new Map(data.map((post) => [post.number, post]));
    const last = summary.next ? data.at(-1) : null;
    const covers = ({ commit, number }) =>
      commit <= summary.commit && (!last || commit > last.commit || (commit === last.commit && number >= last.number));
    let changed = false;
    this.#posts = this.#posts.flatMap((post) => {
      if (!covers(post)) return [post];
      const now = known.get(post.number);
      if (!now) this.#numbers.delete(post.number);
      changed ||= !now || now.commit !== post.commit || now.content.text !== post.content.text;
      return now ? [now] : [];
    });
    if (changed) this.#told();
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
    for (const post of this.#posts) {
      const revealed = this.#revealed.has(post.number);
      if (post.hidden && !revealed) {
        if (!run) rows.push((run = { kind: 'hidden', numbers: [], filters: new Set() }));
        run.numbers.push(post.number);
        for (const filter of post.filters) run.filters.add(filter);
        run.key = `h${post.number}`;
        run.version = run.numbers.length;
      } else {
        run = null;
        rows.push({ kind: 'post', key: `p${post.number}`, version: `${post.commit} ${revealed} ${post.content.text}`, post, revealed });
      }
    }
    const end = this.#end();
    rows.push({ kind: 'end', key: 'end', version: end.state + (end.error ?? ''), ...end });
    return (this.#rows = rows);
  }

  #end() {
    if (this.state === 'error') return { state: 'error', error: this.error.message };
    if (this.state === 'ready' && this.#posts.length === 0) return { state: 'empty' };
    if (this.state === 'ready' && !this.#next) return { state: 'done' };
    return { state: 'loading' };
  }

  #told() {
    this.#rows = null;
    this.dispatchEvent(new Event('change'));
  }
}
