// A list of any length: only the rows that are near what is seen are in the document, and what is being read stays
// where it is when rows come in above it.

import { Heights } from './heights.js';
import { View, isAlone } from './template.js';

const AHEAD = 600;

export class List extends View {
  #rows = [];
  // Each row's rank by its key: they go on below 0 for what is put on top. The first row has the rank `#first`.
  #ranks = new Map();
  #first = 0;
  #heights = new Heights();
  #shown = new Map();
  // The row that the tabulator comes to; and whether somebody went there, or it only stands first.
  #focus = null;
  #wasGoneTo = false;
  #sizes = null;
  #drawing = false;
  #draw = null;
  #rest = null;
  // Where it was scrolled to last, and what came of that.
  #scrolled = { to: 0, came: 0 };
  /** Makes a row's element; called again when the row's `version` changes. */
  make = null;

  connectedCallback() {
    this.#draw ??= () => {
      this.#drawing = false;
      if (this.isConnected) this.#show();
    };
    if (!this.firstElementChild) {
      this.space = document.createElement('div');
      this.space.className = 'list-space';
      this.append(this.space);
    }
    super.connectedCallback();
  }

  begin() {
    this.#sizes = new ResizeObserver(() => this.#soon());
    this.on(this, 'scroll', () => {
      if (this.clientHeight > 0) this.#rest = this.isAtTop ? null : this.#anchor();
      this.#soon();
      this.dispatchEvent(new Event('moved'));
    });
    this.on(this, 'keydown', (event) => this.#pressed(event));
    this.on(this, 'focusin', (event) => {
      const row = event.target.closest('[data-row]');
      if (row && this.contains(row)) this.#attend(row.dataset.row, true);
    });
    // A list that was out of sight comes back to where it was read, whatever came in meanwhile.
    let height = this.clientHeight;
    const own = new ResizeObserver(() => {
      if (height === 0 && this.clientHeight > 0) this.#keep(this.#rest);
      height = this.clientHeight;
      this.#soon();
    });
    own.observe(this);
    this.end = () => {
      own.disconnect();
      this.#sizes.disconnect();
      this.#shown.clear();
      this.space.replaceChildren();
    };
  }

  /** Takes other rows. `stay` keeps the place even at the very top. */
  set(rows, stay) {
    const anchor = this.#isKept(stay) ? this.#anchor() : null;
    const above = this.#aboveKeyboardAtEnd();
    this.#rows = rows;
    this.#first = 0;
    this.#ranks = new Map(rows.map((row, at) => [row.key, at]));
    this.#heights.set(rows.map(({ key }) => key));
    this.#taken(anchor);
    // Who waits at the end goes on with what comes in its place.
    const at = above === null ? 0 : this.#at(above) + 1;
    if (above !== undefined && this.#rows[at] && !isEnd(this.#rows[at])) this.go(at);
  }

  // If the keyboard is at the end: the row above that, or null where there is none.
  #aboveKeyboardAtEnd() {
    const last = this.#rows.at(-1);
    if (!this.#hasKeyboard || !isEnd(last) || this.#focus !== last.key) return undefined;
    return this.#rows.at(-2)?.key ?? null;
  }

  /** The rows it has were changed: the first `removed` are gone, and `added` in their place. */
  replaceHead({ removed, added }, stay) {
    const anchor = this.#isKept(stay) ? this.#anchor(removed, added - removed) : null;
    const keys = this.#rows.slice(0, added).map(({ key }) => key);
    this.#first += removed - added;
    keys.forEach((key, at) => this.#ranks.set(key, this.#first + at));
    this.#heights.replaceHead(removed, keys);
    this.#taken(anchor);
  }

  #isKept(stay) {
    return this.clientHeight > 0 && (this.scrollTop > 4 || stay);
  }

  #taken(anchor) {
    this.#layOut();
    this.#keep(anchor);
    // Out of sight, and where nothing is left, nothing is placed; what is gone leaves the document all the same.
    if (this.clientHeight === 0 || this.#rows.length === 0) this.#drop((key) => this.#at(key) === undefined);
    this.#show();
  }

  // Where a row stands, if there is one of this key.
  #at(key) {
    const at = this.#ranks.get(key) - this.#first;
    return this.#rows[at]?.key === key ? at : undefined;
  }

  /** How many rows stand above what is seen. */
  get above() {
    return this.scrollTop <= 4 ? 0 : this.#heights.find(this.scrollTop);
  }

  get isAtTop() {
    return this.scrollTop <= 4;
  }

  toTop() {
    this.scrollTop = 0;
    this.#show();
  }

  /** Where a row is: -1 above what is seen, 0 within, 1 below; null if there is none. */
  where(key) {
    const at = this.#at(key);
    if (at === undefined) return null;
    if (this.#heights.top(at + 1) <= this.scrollTop) return -1;
    return this.#heights.top(at) >= this.scrollTop + this.clientHeight ? 1 : 0;
  }

  /** The key of the first row that is seen. */
  get first() {
    return this.#rows[this.above]?.key ?? null;
  }

  /** Brings a row to the upper part of what is seen, and puts the focus on it. */
  show(key) {
    const at = this.#at(key);
    if (at === undefined) return;
    this.go(at);
    this.scrollTop = Math.max(0, this.#heights.top(at) - this.clientHeight / 3);
    this.#show();
  }

  row(key) {
    return this.#rows[this.#at(key)] ?? null;
  }

  /** Brings a row into sight and puts the focus on it. */
  go(at) {
    const row = this.#rows[Math.max(0, Math.min(this.#rows.length - 1, at))];
    if (!row) return;
    const place = this.#at(row.key);
    this.#attend(row.key, true);
    const [top, bottom] = [this.#heights.top(place), this.#heights.top(place + 1)];
    if (top < this.scrollTop) this.scrollTop = top;
    else if (bottom > this.scrollTop + this.clientHeight) this.scrollTop = Math.min(top, bottom - this.clientHeight);
    this.#show();
    this.#shown.get(row.key)?.element.focus({ preventScroll: true });
  }

  // How far it is scrolled. Browsers round that to whole pixels: what was meant holds until somebody scrolls, or what is read
  // would creep away by what is lost each time.
  get #top() {
    const { to, came } = this.#scrolled;
    return this.scrollTop === came ? to : this.scrollTop;
  }

  set #top(to) {
    this.scrollTop = to;
    const { scrollTop: came } = this;
    // It can't be scrolled as far as that.
    this.#scrolled = { to: Math.abs(to - came) < 1 ? to : came, came };
  }

  // A row is the anchor if it is the first that is seen, from one on. The rows may have moved by some already, in the
  // list of them but not on the screen. The end is none: it stays below all that comes.
  #anchor(from = 0, moved = 0) {
    const top = this.#top;
    const at = Math.max(from, this.#heights.find(top));
    const rows = this.#rows.slice(at + moved, at + moved + 30).filter((row) => !isEnd(row));
    const keys = rows.map((row) => row.key);
    return { keys, offsets: keys.map((_, n) => this.#heights.top(at + n) - top) };
  }

  #keep(anchor) {
    if (!anchor) return;
    const n = anchor.keys.findIndex((key) => this.#at(key) !== undefined);
    if (n >= 0) this.#top = this.#heights.top(this.#at(anchor.keys[n])) - anchor.offsets[n];
  }

  #layOut() {
    this.space.style.height = `${this.#heights.top(this.#rows.length)}px`;
  }

  #show() {
    if (!this.make || this.#rows.length === 0 || this.clientHeight === 0) return;
    const anchor = this.isAtTop ? null : this.#anchor();
    let last = this.#place();
    // Rows that were never seen are as high as they turn out to be; that may bring others into sight.
    for (let again = 0; again < 4 && this.#measure(); again++) {
      this.#layOut();
      this.#keep(anchor);
      last = this.#place();
    }
    if (!this.#isKeptTo()) this.#attend(this.#rows[this.above].key, false);
    if (last >= this.#rows.length - 8) this.dispatchEvent(new Event('near-end'));
  }

  /** Draws what is seen again, where rows are of another version now. */
  redraw() {
    this.#show();
  }

  // Puts what is near into the document, and the rest out of it; gives the last that is near.
  #place() {
    const first = this.#heights.find(this.scrollTop - AHEAD);
    const last = this.#heights.find(this.scrollTop + this.clientHeight + AHEAD);
    const wanted = new Set();
    for (let at = first; at <= last; at++) wanted.add(at);
    // What has the focus stays, or the keyboard would lose its place.
    const focused = this.#focus && this.#hasKeyboard ? this.#at(this.#focus) : undefined;
    if (focused !== undefined) wanted.add(focused);
    this.#drop((key) => !wanted.has(this.#at(key)));
    let before = null;
    for (const at of [...wanted].sort((a, b) => a - b)) {
      const element = this.#element(at);
      element.style.transform = `translateY(${this.#heights.top(at)}px)`;
      element.setAttribute('aria-posinset', at + 1);
      element.setAttribute('aria-setsize', this.#rows.length);
      const next = before ? before.nextSibling : this.space.firstChild;
      // Moved, it would lose the focus.
      if (next !== element && !element.contains(document.activeElement)) this.space.insertBefore(element, next);
      before = element;
    }
    return last;
  }

  #drop(isGone) {
    for (const [key, { element }] of this.#shown) {
      if (!isGone(key)) continue;
      this.#sizes.unobserve(element);
      element.remove();
      this.#shown.delete(key);
    }
  }

  #element(at) {
    const row = this.#rows[at];
    const shown = this.#shown.get(row.key);
    if (shown && shown.version === row.version) return shown.element;
    const element = this.make(row);
    element.dataset.row = row.key;
    element.classList.add('list-row');
    const controls = [...element.querySelectorAll('a[href], button, summary')].filter(({ tabIndex }) => tabIndex >= 0);
    reach([element, ...controls], row.key === this.#focus);
    if (shown) {
      const focused = shown.element.contains(document.activeElement);
      this.#sizes.unobserve(shown.element);
      shown.element.replaceWith(element);
      if (focused) element.focus({ preventScroll: true });
    }
    this.#shown.set(row.key, { element, controls, version: row.version });
    if (!element.isConnected) this.space.append(element);
    this.#sizes.observe(element);
    return element;
  }

  // Whether some rows turned out to be of another height.
  #measure() {
    let changed = false;
    for (const [key, { element }] of this.#shown) {
      const { height } = element.getBoundingClientRect();
      const at = this.#at(key);
      if (height > 0 && at !== undefined && this.#heights.learn(at, key, height)) changed = true;
    }
    return changed;
  }

  #soon() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(this.#draw);
  }

  // Whether the tabulator comes back to where somebody was: to what is there still and, as long as the keyboard is elsewhere,
  // in sight. Else it comes to the first that is seen, so that no place is lost.
  #isKeptTo() {
    if (!this.#wasGoneTo || this.#at(this.#focus) === undefined) return false;
    return this.#hasKeyboard || this.where(this.#focus) === 0;
  }

  get #hasKeyboard() {
    return document.activeElement !== this && this.contains(document.activeElement);
  }

  #attend(key, isGoneTo) {
    this.#wasGoneTo = isGoneTo;
    if (key === this.#focus) return;
    const last = this.#shown.get(this.#focus);
    if (last) reach([last.element, ...last.controls], false);
    this.#focus = key;
    const now = this.#shown.get(key);
    if (now) reach([now.element, ...now.controls], true);
  }

  #pressed(event) {
    if (event.target.matches('input, textarea, select') || !isAlone(event)) return;
    const at = this.#at(this.#focus) ?? 0;
    const { clientHeight: high } = this;
    const top = this.#heights.top(at);
    const page = () => Math.max(1, this.#heights.find(top + high * 0.9) - at);
    // From around the rows one comes to the first of them.
    const next = this.#hasKeyboard ? at + 1 : at;
    const steps = {
      ArrowDown: () => next,
      j: () => next,
      ArrowUp: () => at - 1,
      k: () => at - 1,
      PageDown: () => at + page(),
      PageUp: () => this.#heights.find(Math.max(0, top - high * 0.9)),
      Home: () => 0,
      End: () => this.#rows.length - 1,
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    if (this.#pagesWithin(event.key, at)) return;
    const to = step();
    this.go(to);
    // From below one is at its end.
    if (event.key === 'PageUp' && this.#isTall(to)) this.#goOn(this.#heights.top(to + 1) - high);
  }

  // A row that is higher than what is seen is read to its end, and back to its beginning, before another is gone to.
  #pagesWithin(key, at) {
    const { scrollTop, clientHeight: high } = this;
    const [above, below] = [scrollTop - this.#heights.top(at), this.#heights.top(at + 1) - scrollTop - high];
    const isSeen = above > -high && below > -high;
    if (!this.#isTall(at) || !isSeen) return false;
    if (key === 'PageDown' && below > 1) this.#goOn(scrollTop + Math.min(high * 0.9, below));
    else if (key === 'PageUp' && above > 1) this.#goOn(scrollTop - Math.min(high * 0.9, above));
    else return false;
    return true;
  }

  #isTall(at) {
    return this.#heights.top(at + 1) - this.#heights.top(at) > this.clientHeight;
  }

  #goOn(top) {
    this.scrollTop = top;
    this.#show();
  }
}

const isEnd = (row) => row?.kind === 'end';

// The tabulator goes through the row that has the focus, and then on: through all of them it would find no end.
function reach(elements, isFocus) {
  for (const element of elements) element.tabIndex = isFocus ? 0 : -1;
}

customElements.define('tf-list', List);
