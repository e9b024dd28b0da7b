// The rows of a column: posts, hidden ones side by side as one row, gaps, the line up to which it was read, and the end.
// What comes in on top costs what it is, however many rows stand below.

/** A post that a column holds; another version of it takes its place in the same cell. */
export class Cell {
  constructor(post) {
    this.row = null;
    this.take(post);
  }

  take(post) {
    this.post = post;
    this.at = Date.parse(post.received_at);
  }
}

/** All whom a post names. */
export const peopleOf = ({ content, retweeted_by }) =>
  [content.author, retweeted_by, content.reply_to?.author, content.quote?.author].filter(Boolean);

/** Whether a post, or a place, stands below another. */
export const isOlder = (post, place) =>
  post.commit < place.commit || (post.commit === place.commit && post.number < place.number);

export class Rows {
  #around;

  /** `around` knows the `gaps` (newest first), the `line`, whether a post `isRevealed`, and what filters are `named`. */
  constructor(around) {
    this.#around = around;
    this.all = [];
    /** How many posts stand above the line up to which it was read; null if that is below all of the rows. */
    this.unread = null;
  }

  /** Makes all rows anew; `end` is what the last one says. */
  build(cells, end) {
    const walk = new Walk(this.#around);
    this.all = [];
    this.unread = null;
    cells.forEach((cell, above) => {
      if (walk.comeTo(cell, this.all)) this.unread = above;
      this.#add(cell, this.all);
    });
    this.all.push({ kind: 'end', key: 'end', version: `${end.state} ${end.error ?? ''} ${end.isFull ?? ''}`, ...end });
  }

  /**
   * Puts posts on top, newest first; `first` is the one that was. Gives how many rows of the head were taken away and how
   * many came in their place; null if more than the head is another now, and has to be built.
   */
  prepend(cells, first) {
    const at = this.all.findIndex(({ kind }) => kind === 'post' || kind === 'hidden');
    const [walk, before] = [new Walk(this.#around), new Walk(this.#around)];
    const rows = [];
    let unread = null;
    cells.forEach((cell, above) => {
      if (walk.comeTo(cell, rows)) unread = above;
      this.#add(cell, rows);
    });
    before.comeTo(first, []);
    if (at < 0 || walk.isBeyond(before)) return null;
    if (walk.comeTo(first, rows)) unread = cells.length;
    if (unread !== null) this.unread = unread;
    else if (this.unread !== null) this.unread += cells.length;
    const below = this.all[at];
    if (below.kind === 'hidden' && rows.at(-1)?.kind === 'hidden') below.absorb(rows.pop());
    this.all.splice(0, at, ...rows);
    return { removed: at, added: rows.length };
  }

  #add(cell, rows) {
    const { number, hidden } = cell.post;
    if (!hidden || this.#around.isRevealed(number)) {
      cell.row ??= new PostRow(cell, this.#around);
      rows.push(cell.row);
      return;
    }
    let run = rows.at(-1);
    if (run?.kind !== 'hidden') rows.push((run = new HiddenRow(this.#around)));
    run.add(cell.post);
  }
}

// Goes down along posts, and meets what stands between them.
class Walk {
  #gaps;
  #line;
  #met = 0;

  constructor({ gaps, line }) {
    this.#gaps = gaps;
    this.#line = line;
  }

  /** Adds what stands above a post; says whether it has been read up to there. */
  comeTo({ post, at }, rows) {
    const from = this.#met;
    while (this.#met < this.#gaps.length && Date.parse(this.#gaps[this.#met].to) > at) this.#met++;
    if (this.#met > from) rows.push(gapRow(this.#gaps.slice(from, this.#met)));
    if (!this.#line || isOlder(this.#line, post)) return false;
    this.#line = null;
    // Where nothing is new a line would say nothing.
    if (rows.length > 0) rows.push({ kind: 'line', key: 'line', version: '' });
    return true;
  }

  /** Whether it met something that another has still before it. */
  isBeyond(other) {
    return this.#met > other.#met || (this.#line === null && other.#line !== null);
  }
}

// Their versions are worked out for those that are drawn alone.
class PostRow {
  #cell;
  #around;
  kind = 'post';

  constructor(cell, around) {
    [this.#cell, this.#around] = [cell, around];
    this.key = `p${cell.post.number}`;
  }

  get post() {
    return this.#cell.post;
  }

  get revealed() {
    return this.#around.isRevealed(this.post.number);
  }

  get version() {
    const { commit, content, filters } = this.post;
    const people = peopleOf(this.post).map(({ handle, name }) => [handle, name]);
    return JSON.stringify([commit, this.revealed, content.text, content.quote?.text, people, this.#around.named(filters)]);
  }
}

class HiddenRow {
  #around;
  kind = 'hidden';
  numbers = [];
  filters = new Set();

  constructor(around) {
    this.#around = around;
  }

  /** The oldest names it: that one stays while newer ones come. */
  get key() {
    return `h${this.numbers.at(-1)}`;
  }

  get version() {
    return JSON.stringify([this.numbers.length, this.#around.named([...this.filters])]);
  }

  add({ number, filters }) {
    this.numbers.push(number);
    for (const filter of filters) this.filters.add(filter);
  }

  /** Takes in what stands right above it. */
  absorb({ numbers, filters }) {
    this.numbers.unshift(...numbers);
    for (const filter of filters) this.filters.add(filter);
  }
}

// Gaps that no post stands between are one row.
function gapRow(gaps) {
  const missing = gaps.every((gap) => gap.missing !== null) ? gaps.reduce((sum, gap) => sum + gap.missing, 0) : null;
  const [from, to] = [gaps.at(-1).from, gaps[0].to];
  return { kind: 'gap', key: `g${from}`, version: `${to} ${missing}`, from, to, missing };
}
