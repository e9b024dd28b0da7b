// What a filter that is being written would have found.

import { postRow } from './post.js';
import { View, fill } from './template.js';
import { count, counted, seen } from './text.js';
import { unknown } from './unknown.js';

class Preview extends View {
  #unfolded = new Set();

  begin() {
    this.on(this.writing, 'previewed', () => this.#draw());
    this.#draw();
  }

  #draw() {
    const { preview, previewState: state, previewError, text } = this.writing;
    const found = ['ready', 'partial', 'loading'].includes(state) ? preview : null;
    const against = found?.against_saved;
    this.setAttribute('aria-busy', String(state === 'loading' || state === 'partial'));
    this.classList.toggle('is-old', state === 'loading' && found !== null);
    this.update({
      idle: text.trim() === '' && state !== 'loading',
      loading: state === 'loading' && !found,
      invalid: state === 'invalid',
      error: state === 'error' ? previewError : '',
      found: found !== null,
      matched: found && count(found.matched),
      of: found && `of ${counted(found.looked_at, 'post')}${found.cut_short ? ', as far as time allowed' : ''}`,
      share: found && percent(found.share),
      rate: found && (found.a_day === null ? '–' : count(Math.round(found.a_day))),
      hides: found?.would_hide?.of > 0 && `Would hide ${percent(found.would_hide.share)} of your timeline`,
      against: Boolean(against) && (against.adds > 0 || against.drops > 0),
      adds: against && `+${count(against.adds)}`,
      drops: against && `−${count(against.drops)}`,
      uncompared: found?.saved_unused && `The saved one can’t be compared: ${seen(found.saved_unused.message)}`,
      unknown: found?.unknown_handles && unknown(found.unknown_handles),
      none: found !== null && found.matched === 0,
      some: found !== null && found.matched > 0,
    });
    const list = this.querySelector('[data-part="samples"]');
    const shown = (posts) => posts.map((post) => postRow({ post }, this.#unfolded));
    if (!found) {
      list.replaceChildren();
      return;
    }
    const groups = [];
    if (against?.added.length > 0 && against.adds < found.matched) {
      groups.push(heading('New with this change'), ...shown(against.added.slice(0, 5)));
    }
    if (against?.dropped.length > 0) groups.push(heading('No longer found'), ...shown(against.dropped.slice(0, 5)));
    if (groups.length > 0 && found.samples.length > 0) groups.push(heading('Newest matches'));
    groups.push(...shown(found.samples));
    list.replaceChildren(...groups);
  }
}

const heading = (text) => fill('sample-heading', { text });
const percent = (share) => (share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`);

customElements.define('tf-preview', Preview);
