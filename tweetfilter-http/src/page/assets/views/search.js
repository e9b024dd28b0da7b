// Searching what is kept, by an expression.

import { model } from '../model/index.js';
import { postRow } from './post.js';
import { View, act, announce, fill, isAlone, update } from './template.js';
import { brief, count, counted, when } from './text.js';
import { unknown } from './unknown.js';
import './list.js';

const PLACE = '#/search';

// The address of a search, at which it stands again after the page was loaded anew.
const addressOf = (text) => (text === '' ? PLACE : `${PLACE}/${encodeURIComponent(text)}`);

/** What an address searches for; null if it is none of a search. */
export function searched(address) {
  if (!address.startsWith(`${PLACE}/`)) return null;
  // Somebody may have written it, percent signs as they are.
  const text = address.slice(PLACE.length + 1).replaceAll(/%(?![\da-f]{2})/gi, '%25');
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const ofAccount = () => ({ account: model.me.account });

class SearchView extends View {
  begin(signal) {
    const { search } = model;
    this.list = this.part('list');
    this.list.make = (row) => this.#row(row);
    this.on(search, 'change', () => this.#draw());
    this.on(model, 'filters', () => this.#draw());
    this.on(this.part('form'), 'submit', (event) => {
      event.preventDefault();
      this.#begin(this.part('text').value);
    });
    this.on(this.part('text'), 'input', () => this.#drawBar());
    this.on(this.list, 'keydown', (event) => {
      const row = event.target.closest('[data-row]');
      if (row && isAlone(event) && (event.key === 'w' || (event.key === 'Enter' && event.target === row))) {
        row.querySelector('[data-do="why"], [data-do="more"]')?.click();
      }
    });
    act(
      this,
      {
        more: () => search.more(),
        stop: () => search.stop(),
        save: () => {
          model.draft = search.text;
          location.hash = '#/filters/new';
        },
        try: ({ dataset }) => {
          this.part('text').value = dataset.search;
          this.#begin(dataset.search);
          this.focusText();
        },
      },
      signal,
    );
    this.#draw();
  }

  /** Shows the search that an address names, or the last one (`null`). */
  open(address) {
    const { search } = model;
    // What somebody else searched for here, who signed out since, is theirs.
    const isTheirs = history.state && history.state.account !== model.me.account;
    const wanted = isTheirs ? null : address;
    if (wanted !== null && wanted !== search.text) {
      this.part('text').value = wanted;
      search.begin(wanted);
    }
    history.replaceState(ofAccount(), '', addressOf(search.text));
    this.focusText();
  }

  // The way back leads past each that was searched for.
  #begin(text) {
    model.search.begin(text);
    const [before, now] = [searched(location.hash), addressOf(model.search.text)];
    const isAnother = before !== null && addressOf(before) !== now;
    history[isAnother ? 'pushState' : 'replaceState'](ofAccount(), '', now);
  }

  focusText() {
    this.part('text').focus({ preventScroll: true });
  }

  #drawBar() {
    const { search } = model;
    const written = this.part('text').value.trim();
    update(this.part('bar'), {
      found: search.text !== '',
      counts: this.#said(),
      searching: search.state === 'searching',
      save: search.text !== '' && written === search.text.trim() && search.findings.length === 0 && model.mayWrite,
    });
  }

  #said() {
    const { posts, state, backTo } = model.search;
    const found = counted(posts.length, 'post');
    if (state === 'done') return `${found} in all that is kept`;
    if (!backTo) return state === 'searching' ? 'Searching …' : '';
    return `${found}, searched back to ${when(backTo)}`;
  }

  #draw() {
    const { search } = model;
    if (search.state === 'idle' && this.part('text').value === '') this.list.set([], false);
    this.#drawBar();
    const findings = search.findings.map(({ message, span }) => {
      const [from, to] = span.utf16;
      return fill('search-finding', { message, excerpt: brief(search.text.slice(from, Math.max(to, from + 1))) });
    });
    if (search.tooLong > 0) {
      const most = count(model.me.limits.expression_bytes);
      findings.push(fill('too-long', { most, bytes: count(search.tooLong) }));
    }
    this.part('findings').replaceChildren(...findings);
    this.part('text').setAttribute('aria-invalid', String(findings.length > 0));
    this.update({
      idle: search.state === 'idle' && findings.length === 0,
      error: search.state === 'error' && search.findings.length === 0 ? search.error : '',
      unknown: search.unknown && unknown(search.unknown),
    });
    this.list.hidden = search.state === 'idle' || search.findings.length > 0;
    this.list.setAttribute('aria-busy', String(search.state === 'searching'));
    const rows = search.posts.map((post) => ({
      kind: 'post',
      key: `p${post.number}`,
      version: `${post.commit} ${post.filters.map((id) => model.called(id))}`,
      post,
    }));
    const { state, posts, backTo, error } = search;
    if (search.text !== '') rows.push({ kind: 'end', key: 'end', version: `${state} ${backTo} ${posts.length} ${error}`, state });
    this.list.set(rows, false);
    if (state !== this.#state && (state === 'paused' || state === 'done')) announce(this.#said());
    this.#state = state;
  }

  #state = 'idle';
  #unfolded = new Set();

  #row(row) {
    if (row.kind === 'post') return postRow(row, this.#unfolded);
    const { state, posts, backTo, error } = model.search;
    return fill('search-end', {
      searching: state === 'searching',
      back: backTo && state === 'searching' ? `Searching, back to ${when(backTo)} …` : 'Searching …',
      paused: state === 'paused' && (backTo ? `Searched back to ${when(backTo)}` : 'Stopped before anything was searched.'),
      done: state === 'done' && (posts.length > 0 ? 'That is all that is kept.' : ''),
      none: state === 'done' && posts.length === 0,
      error: state === 'error' ? error : '',
      again: state === 'error',
    });
  }
}

customElements.define('tf-search', SearchView);
