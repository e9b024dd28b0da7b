// How the system was over time, and what it could not store: asked of the API, and put into the order of people.

import { ApiError, pause } from './api.js';
import { bytes, lasts, roughly } from '../views/text.js';

/** What is drawn: its name in a series, what people call it, and how a value is said. */
const TOTALS = [
  { name: 'lines', title: 'Lines a second', say: rate },
  { name: 'posts', title: 'Posts stored a second', say: rate },
  { name: 'matches', title: 'Matches a second', say: rate },
  { name: 'requests', title: 'Requests a second', say: rate },
  { name: 'waiting', title: 'Waiting in the buffer', say: (n) => roughly(Math.round(n)) },
  { name: 'oldest', title: 'The oldest waits', say: lasts },
  { name: 'lag', title: 'Stored after', say: (n) => `${n.toFixed(2)} s` },
];
/** So many dead letters the API puts back at once. */
const AT_ONCE = 100;
const OF_HOST = [
  { name: 'cpu', title: 'CPU', say: (n) => `${Math.round(n)} %`, most: 100 },
  { name: 'load', title: 'Load', say: (n) => n.toFixed(2) },
  { name: 'memory', title: 'Memory', say: bytes },
  { name: 'disk', title: 'Disk', say: bytes },
  { name: 'received', title: 'From the network', say: (n) => `${bytes(n)}/s` },
  { name: 'sent', title: 'To the network', say: (n) => `${bytes(n)}/s` },
];

export class Operations {
  #model;
  #asked = 0;
  #pages = 1;
  // Of how many hours the history is.
  #read = 0;

  hours = 1;
  history = null;
  /** Dead letters, oldest first, of as many pages as were asked for; and whether there are more. */
  letters = [];
  hasMore = false;

  constructor(model) {
    this.#model = model;
  }

  /** Reads what was noted in the last `hours`; an answer that somebody asked for later wins. */
  async look() {
    const [asked, hours] = [++this.#asked, this.hours];
    const { data } = await this.#model.ask('GET', `/status/history?hours=${hours}`);
    if (asked === this.#asked) [this.history, this.#read] = [data, hours];
  }

  /** Whether what was asked for last is still to come. */
  get isAwaited() {
    return this.#read !== this.hours;
  }

  async loadLetters() {
    [this.letters, this.hasMore] = await this.#lettersOf(this.#pages);
  }

  /** Loads a page of dead letters more. */
  moreLetters() {
    this.#pages++;
    return this.loadLetters();
  }

  // The dead letters of so many pages, and whether there are more.
  async #lettersOf(pages) {
    const letters = [];
    let after = 0;
    for (let page = 0; page < pages && after !== null; page++) {
      const { data, summary } = await this.#ask('GET', `/dead-letters?after=${after}`);
      letters.push(...data);
      after = summary.next ?? null;
    }
    return [letters, after !== null];
  }

  /** Puts dead letters back, as many at a time as may be; gives how many went. */
  async retry(ids) {
    let back = 0;
    try {
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const body = { ids: ids.slice(at, at + AT_ONCE) };
        const { data } = await this.#ask('POST', '/dead-letters/retry', { body });
        back += data.put_back;
      }
    } finally {
      await this.loadLetters();
    }
    return back;
  }

  /** Puts all back that are there now: those that fail meanwhile come to the end of the list, and are not tried for ever. */
  async retryAll() {
    const [letters] = await this.#lettersOf(Infinity);
    return this.retry(letters.map(({ id }) => id));
  }

  // What asks often waits as long as it is told to.
  async #ask(...asked) {
    for (;;) {
      try {
        return await this.#model.ask(...asked);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'too_many_requests') throw error;
        await pause(error);
      }
    }
  }

  /** What all parts do together, as plots. */
  totals() {
    return this.#plots(TOTALS, '');
  }

  /** How a host was, as plots. */
  ofHost(host) {
    return this.#plots(OF_HOST, host);
  }

  #plots(wanted, host) {
    const { series = [], step_seconds: step = 0 } = this.history ?? {};
    return wanted.flatMap(({ name, title, say, most }) => {
      const all = series.filter((one) => one.name === name);
      // Of a lag there is one for each worker: the longest is what people wait for.
      const found = name === 'lag' ? longest(all) : all.find((one) => one.host === host && one.of === '');
      const known = found?.points.filter((point) => point !== null) ?? [];
      if (known.length < 2) return [];
      const [now, least, top] = [known.at(-1), Math.min(...known), Math.max(...known)];
      const time = lasts(step * (found.points.length - 1));
      return [
        {
          title,
          now: say(now),
          range: `${say(least)} – ${say(top)}`,
          label: `${title} over ${time}: now ${say(now)}, at least ${say(least)}, at most ${say(top)}`,
          points: found.points,
          most: Math.max(most ?? 0, top) || 1,
        },
      ];
    });
  }
}

function longest(all) {
  const at = (n) => all.map(({ points }) => points[n]).filter((point) => point !== null);
  return all[0] && { points: all[0].points.map((_, n) => (at(n).length > 0 ? Math.max(...at(n)) : null)) };
}

const BUSY = ['store_busy', 'too_many_requests'];
// What the state of the store says while it is so: where that is fine, it is over.
const PASSING = ['unreachable', 'store_away'];
// What is said first where one of these is gravest.
const HEADLINES = {
  store_busy: 'The server is busy',
  store_takes_no_writes: 'The store takes no writes',
  nobody_works: 'Nobody works on what is received',
  entries_wait: 'Workers are behind',
  part: 'Not all parts run',
  source_away: 'Not all sources have a connection',
};

/**
 * How all of it is: what is said first, and what is not well (`unwell`, in words). `answers`: the server says so itself, now.
 * `store` is what this page found last, `error` why the server did not say how it is, and `status` what it said.
 */
export function health({ store, error, status, isOnline }) {
  const state = trouble(store, error, isOnline);
  if (state) return { state, answers: false, fine: false, unwell: [] };
  if (!status) return { state: 'Asking how it is …', answers: true, fine: false, unwell: [] };
  const { unwell } = status;
  const fine = unwell.length === 0;
  return { state: fine ? 'All is well' : (HEADLINES[unwell[0].code] ?? 'Not all is well'), answers: true, fine, unwell };
}

// Which of the network, the server and the store it is that does not answer; empty if all do.
function trouble({ state }, error, isOnline) {
  if (state === 'unreachable') return isOnline ? 'The server cannot be reached' : 'You are offline';
  if (state === 'busy' || (state === 'fine' && BUSY.includes(error?.code))) return 'The server is busy';
  if (state === 'away') return 'The store is away';
  return error && !PASSING.includes(error.code) ? 'The server does not say how it is' : '';
}

/** A part as people read it. */
export function ofPart({ name, state, since, restarts, rates, streams, waits, refused, lag_seconds: lag }) {
  const does = ['lines', 'entries', 'posts', 'matches', 'requests']
    .filter((what) => rates?.[what] > 0)
    .map((what) => `${rate(rates[what])} ${what}/s`);
  if (streams > 0) does.push(`${streams} live ${streams === 1 ? 'stream' : 'streams'}`);
  if (lag !== null && lag !== undefined) does.push(`stored after ${lag.toFixed(2)} s`);
  if (restarts > 0) does.push(restarts === 1 ? 'started again once' : `started again ${restarts} times`);
  if (waits ?? refused) does.push(waits ?? refused);
  return { name, is: state, state: STATES[state] ?? state, since, does: does.join(' · ') };
}

const STATES = {
  running: 'running',
  waiting_for_store: 'waiting for the store',
  waiting_for_buffer: 'waiting for the buffer',
  source_away: 'without a connection',
  standing_by: 'standing by',
  restarting: 'starting again',
  refused: 'refused',
  ended: 'ended',
  silent: 'silent',
};

/** Where the buffer is going, as people read it. */
export function ofBuffer(buffer) {
  switch (buffer?.outlook) {
    case 'drains':
      return `drains, empty in ${lasts(buffer.seconds)}`;
    case 'grows':
      return 'grows';
    case 'full':
      return buffer.seconds < 1 ? 'full' : `grows, full in ${lasts(buffer.seconds)}`;
    default:
      return '';
  }
}

function rate(n) {
  return n < 10 ? n.toFixed(1) : roughly(Math.round(n));
}
