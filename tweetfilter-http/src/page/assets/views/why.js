// Why a post matched a filter, or what it lacks.

import { ApiError, model } from '../model/index.js';
import { View, fill } from './template.js';
import { brief, count, cut, segments, spans } from './text.js';

// Parts that somebody reads of a filter that may have thousands.
const READ = 20;

class Why extends View {
  #post = null;

  begin() {
    const dialog = this.part('dialog');
    this.on(this.part('filter'), 'change', (event) => this.#explain(Number(event.target.value)));
    this.on(dialog, 'click', (event) => event.target === dialog && dialog.close());
    this.on(this.part('close'), 'click', () => dialog.close());
    this.on(dialog, 'close', () => this.#back?.focus());
    // What was taken back is not explained any more either.
    this.on(model, 'withdrawn', () => dialog.open && this.#explain(Number(this.part('filter').value)));
  }

  #back = null;

  /** Explains a post under a filter; others can be chosen. */
  show(number, filter) {
    this.#post = number;
    this.#back = document.activeElement;
    const select = this.part('filter');
    const ids = model.filters.map(({ id }) => id);
    // One that was removed is not explained any more, and no other in its place.
    if (filter && !ids.includes(filter)) ids.unshift(filter);
    const options = ids.map((id) => {
      const option = new Option(model.called(id), id);
      option.selected = id === filter;
      return option;
    });
    select.replaceChildren(...options);
    this.part('dialog').showModal();
    if (options.length > 0) this.#explain(Number(select.value));
    else this.#say('There is no filter yet that could say something of it.');
  }

  async #explain(filter) {
    const post = this.#post;
    // The same verdict of another filter is read out, too.
    this.update({ lead: '' });
    this.part('body').setAttribute('aria-busy', 'true');
    try {
      const { data } = await model.ask('POST', '/explain', { body: { post, filter } });
      if (post === this.#post && filter === Number(this.part('filter').value)) this.#shown(data, filter);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(error.message);
    }
    this.part('body').removeAttribute('aria-busy');
  }

  #say(lead) {
    this.update({ lead });
    this.part('body').replaceChildren();
  }

  #shown(explained, filter) {
    const { matched, text, each_suffices: suffices } = explained;
    const parts = matched ? standing(explained.parts) : explained.parts.slice(0, READ);
    const more = explained.parts.length + explained.more_parts - parts.length;
    // It alone is read out: the rest may be long, and is there to be read.
    this.update({ lead: matched ? 'It matches.' : 'It does not match.', matched });
    let what = matched ? 'What it took:' : 'What it lacks:';
    if (!matched && suffices && parts.length > 1) what = 'Any one of these would have made it match:';
    if (!matched && parts.length === 0) what = '';
    const saved = model.filter(filter);
    const action = saved ? outcome(saved, matched) : '';
    const body = fill('explained', { what, action, more: more > 0 && `and ${count(more)} more` });
    const places = parts.map(({ span }) => ({ from: span.utf16[0], to: span.utf16[1], kind: 'counted' }));
    body.querySelector('[data-part="expression"]').replaceChildren(...spans(cut(brief(text), places)));
    segments(body.querySelector('[data-part="post"]'), explained.segments);
    const list = body.querySelector('[data-part="parts"]');
    for (const part of parts) list.append(fill('reason', { written: brief(written(part)), said: reason(part, matched) }));
    this.part('body').replaceChildren(body);
  }
}

/** Of the parts of a match as many as are read, in their order: rather those that stand in the post than those that are rightly absent. */
function standing(parts) {
  const there = parts.filter(({ places }) => places.length > 0);
  const absent = parts.filter(({ places }) => places.length === 0);
  const kept = new Set([...there, ...absent].slice(0, READ));
  return parts.filter((part) => kept.has(part));
}

function written({ written, negated }) {
  return negated && !/^(-|NOT\b)/.test(written) ? `not ${written}` : written;
}

function reason({ negated, unknown, places }, matched) {
  if (unknown) return 'The post does not say';
  const found = places.map(({ field, text, scopes }) => {
    const where = [...scopes, field].join(', ');
    return text ? `“${text}” in the ${where}` : `in the ${where}`;
  });
  if (found.length > 0) return `${negated && !matched ? 'But there is ' : 'Found '}${[...new Set(found)].slice(0, 6).join('; ')}`;
  if (matched) return negated ? 'Rightly absent' : 'It holds';
  return negated ? 'It must not hold' : 'Not found';
}

function outcome({ action, enabled }, matched) {
  if (!matched) return '';
  if (!enabled) return 'The filter is switched off, so nothing follows from it now.';
  return {
    show: 'The filter shows such posts, whatever later ones say.',
    hide: 'The filter hides such posts, unless an earlier one shows them.',
    highlight: 'The filter highlights such posts.',
    notify: 'The filter highlights such posts and wants you to be told.',
  }[action];
}

customElements.define('tf-why', Why);
