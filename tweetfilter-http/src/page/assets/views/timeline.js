// The timeline: columns side by side, each a list that goes on live.

import { ApiError, model } from '../model/index.js';
import { hiddenRow, postRow } from './post.js';
import { View, act, announce, fill, isAlone, update } from './template.js';
import { count, counted, exactly, when } from './text.js';
import './list.js';
import './why.js';

class Timeline extends View {
  begin(signal) {
    this.on(model, 'columns filters', () => this.#draw());
    this.on(this.part('add'), 'change', (event) => {
      const { value } = event.target;
      event.target.value = '';
      if (value === '') return;
      model.addColumn(value === 'all' ? null : Number(value));
      this.part('columns').lastElementChild?.scrollIntoView({ inline: 'end', block: 'nearest' });
    });
    act(
      this,
      {
        jump: (pressed) => {
          const column = this.querySelector(`tf-column[data-key="${pressed.dataset.key}"]`);
          column.scrollIntoView({ inline: 'start', block: 'nearest' });
          column.list.go(0);
        },
      },
      signal,
    );
    this.#draw();
  }

  #draw() {
    const place = this.part('columns');
    const kept = new Map([...place.children].map((element) => [element.column, element]));
    const elements = model.columns.map((column) => {
      const element = kept.get(column) ?? document.createElement('tf-column');
      element.column = column;
      element.dataset.key = column.key;
      return element;
    });
    for (const element of place.children) if (!elements.includes(element)) element.remove();
    elements.forEach((element, at) => {
      if (place.children[at] !== element) place.insertBefore(element, place.children[at] ?? null);
    });
    const tabs = model.columns.map((column) => fill('column-tab', { name: named(column), key: column.key }));
    this.part('tabs').replaceChildren(...tabs);
    this.part('tabs').hidden = tabs.length < 2;
    const taken = new Set(model.columns.map((column) => column.filter));
    const options = [new Option('Add a column …', '')];
    if (!taken.has(null)) options.push(new Option('Everything', 'all'));
    for (const { id } of model.filters) if (!taken.has(id)) options.push(new Option(model.called(id), id));
    this.part('add').replaceChildren(...options);
    this.part('add').disabled = options.length === 1;
  }
}

class ColumnView extends View {
  #seen = 0;
  #near = null;
  // What the list has of the column.
  #drawn = null;
  #unfolded = new Set();
  // What was said against the last mark; it stands until another goes well, or somebody has read it.
  #trouble = '';

  begin(signal) {
    this.list = this.part('list');
    this.list.make = (row) => this.#row(row);
    const { column, list } = this;
    this.on(column, 'change', () => this.#draw());
    this.on(model, 'filters', () => this.#draw());
    // Whoever goes away finds a line where they were.
    this.on(document, 'visibilitychange', () => document.hidden && this.checkVisibility() && this.#read());
    this.on(list, 'near-end', () => queueMicrotask(() => column.ahead()));
    this.on(list, 'moved', () => this.#news());
    act(
      this,
      {
        top: () => {
          list.toTop();
          list.go(0);
        },
        close: () => this.#close(),
        reveal: (pressed) => {
          const row = list.row(pressed.closest('[data-row]').dataset.row);
          this.#reveal(row.numbers, true);
        },
        conceal: (pressed) => this.#reveal([Number(pressed.dataset.number)], false),
        retry: () => column.retry(),
        further: () => column.more(),
        read: () => this.#read(true),
        back: () => this.#back(),
        dismiss: () => {
          this.#trouble = '';
          this.#draw();
          list.go(list.above);
        },
      },
      signal,
    );
    this.on(list, 'keydown', (event) => this.#pressed(event));
    this.#drawn = null;
    this.#draw();
    // A column that is not in sight asks for nothing.
    this.#near = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) column.load();
      },
      { rootMargin: '0px 200px' },
    );
    this.#near.observe(this);
  }

  end() {
    this.#near?.disconnect();
  }

  // The keyboard goes on in the column that is beside it then.
  #close() {
    const at = [...this.parentElement.children].indexOf(this);
    const place = this.parentElement;
    model.removeColumn(this.column);
    const { list } = place.children[Math.min(at, place.children.length - 1)];
    list.go(list.above);
  }

  // Shown or put out of sight, they are in another row; the focus goes there.
  #reveal(numbers, shown) {
    const [first] = numbers;
    this.column.reveal(numbers, shown);
    this.list.go(this.column.rows.findIndex((row) => (row.numbers ?? [row.post?.number]).includes(first)));
  }

  #row(row) {
    if (row.kind === 'post') return postRow(row, this.#unfolded);
    if (row.kind === 'hidden') return hiddenRow(row);
    if (row.kind === 'line') return fill('line');
    if (row.kind === 'gap') return gapRow(row);
    const filter = this.column.filter === null ? null : model.filter(this.column.filter);
    return fill(`end-${row.state}`, {
      error: row.error,
      paused: row.isFull ? 'Older posts are kept, too.' : 'Nearly all of what came before this is hidden.',
      text: filter ? 'Nothing has matched this filter yet' : 'Nothing has come yet',
      hint: filter
        ? 'As soon as a post does, it stands here.'
        : 'Posts stand here as soon as a source brings some that you see, or that one of your filters matches.',
    });
  }

  #draw() {
    const { column, list } = this;
    const { all, hidden } = column.counts;
    const name = named(column);
    const some = `${counted(all, 'post')}${column.hasMore ? ' so far' : ''}`;
    const said = hidden > 0 ? `${some}, ${count(hidden)} hidden` : some;
    const filter = column.filter === null ? null : model.filter(column.filter);
    const edit = filter && `#/filters/${filter.id}`;
    this.update({ name, counts: said, feed: `${name}, newest first`, edit, trouble: this.#trouble });
    list.setAttribute('aria-busy', String(column.state === 'loading'));
    // Whoever reads, points or has the focus here is not moved.
    const stay = !list.isAtTop || list.matches(':hover') || list.contains(document.activeElement);
    const { rows, head, revision } = column;
    if (revision === this.#drawn) list.redraw();
    else if (head && revision - 1 === this.#drawn) list.replaceHead(head, stay);
    else list.set(rows, stay);
    this.#drawn = revision;
    this.#news();
  }

  // How many posts came in above what is seen.
  #news() {
    const { column, list } = this;
    if (list.isAtTop) this.#seen = column.arrivals;
    const fresh = column.arrivals - this.#seen;
    update(this.part('news'), { news: fresh > 0 ? `${counted(fresh, 'new post')}` : '' });
    // The line is offered where it is out of sight, or not loaded yet.
    const { unread } = column;
    const away = unread === null ? column.hasMore && model.readUpTo(column) !== null : list.where('line') === 1;
    update(this.part('back'), { back: away });
  }

  // All from what is seen first is read; whoever asked for it is told what went wrong.
  async #read(isAsked = false) {
    const post = this.column.newest(this.list.isAtTop ? null : this.list.first);
    if (!post || !model.me) return;
    try {
      await model.markRead(this.column, post);
      this.#trouble = '';
      if (!document.hidden) announce('Marked as read');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (isAsked) this.#trouble = error.message;
    }
    if (this.isConnected) this.#draw();
  }

  // To the line up to which it was read, which may have to be loaded first.
  async #back() {
    const { column, list } = this;
    for (let pages = 0; column.unread === null && column.hasMore && pages < 50; pages++) await column.more();
    list.show('line');
    this.#news();
  }

  #pressed(event) {
    if (event.target.matches('input, select, textarea') || !isAlone(event)) return;
    const row = event.target.closest('[data-row]');
    if (event.key === '.') {
      event.preventDefault();
      this.list.toTop();
      this.list.go(0);
    } else if (event.key === 'm') {
      this.#read(true);
    } else if (event.key === 'b') {
      this.#back();
    } else if (row && event.key === 'w') {
      row.querySelector('[data-do="why"]')?.click();
    } else if (row && event.target === row && event.key === 'Enter') {
      (row.querySelector('[data-do="reveal"]') ?? row.querySelector('[data-do="why"]'))?.click();
    } else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      const columns = [...document.querySelectorAll('tf-column')];
      const other = columns[columns.indexOf(this) + (event.key === 'ArrowRight' ? 1 : -1)];
      if (!other) return;
      event.preventDefault();
      other.scrollIntoView({ inline: 'nearest', block: 'nearest' });
      other.list.go(other.list.above);
    }
  }
}

function gapRow({ from, to, missing }) {
  const what = missing === null ? 'Some posts never arrived' : `${counted(missing, 'message')} never arrived`;
  return fill('gap-row', { what, time: `${when(from)} – ${when(to)}`, exactly: `${exactly(from)} – ${exactly(to)}` });
}

const named = (column) => (column.filter === null ? 'Everything' : model.called(column.filter));

customElements.define('tf-timeline', Timeline);
customElements.define('tf-column', ColumnView);
