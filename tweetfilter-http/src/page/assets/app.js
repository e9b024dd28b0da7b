// Puts the views together: who is signed in, which view is shown, and what concerns all of them.

import { model } from './model/index.js';
import { keepFocus } from './views/focus.js';
import { announce, isAlone, update } from './views/template.js';
import { called, when } from './views/text.js';
import './views/timeline.js';
import './views/filters.js';
import { notifications } from './views/notify.js';
import './views/access.js';
import './views/exchange.js';
import { searched } from './views/search.js';
import './views/sets.js';
import './views/status.js';

const VIEWS = {
  timeline: 'Timeline',
  search: 'Search',
  filters: 'Filters',
  sets: 'Named sets',
  exchange: 'Import and export',
  status: 'Status',
  access: 'Access',
};
// Views that stand together behind one entry of the bar.
const GROUPS = { sets: 'filters', exchange: 'filters', access: 'status' };
const KEYS = {
  t: '#/timeline',
  '/': '#/search',
  f: '#/filters',
  n: '#/filters/new',
  l: '#/sets',
  x: '#/exchange',
  s: '#/status',
  a: '#/access',
};

const element = (id) => document.getElementById(id);
const shown = {};

function route() {
  if (!model.me) return;
  const [, name = 'timeline', which] = /^#\/([a-z]+)(?:\/([\w-]+))?$/.exec(location.hash) ?? [];
  const wanted = searched(location.hash);
  const view = wanted !== null ? 'search' : VIEWS[name] ? name : 'timeline';
  for (const [known, title] of Object.entries(VIEWS)) {
    shown[known] ??= document.createElement(`tf-${known}`);
    const current = known === view;
    if (current && !shown[known].isConnected) element('views').append(shown[known]);
    shown[known].hidden = !current;
    if (current) document.title = `${title} · tweetfilter`;
  }
  const group = GROUPS[view] ?? view;
  for (const nav of document.querySelectorAll('nav')) {
    if (nav.dataset.group) nav.hidden = nav.dataset.group !== group;
    for (const link of nav.querySelectorAll('a')) {
      const leads = link.hash === `#/${view}` ? 'page' : link.hash === `#/${group}` && !nav.dataset.group ? 'true' : null;
      if (leads) link.setAttribute('aria-current', leads);
      else link.removeAttribute('aria-current');
    }
  }
  if (view === 'exchange') shown.exchange.open();
  if (view === 'filters') shown.filters.open(which === undefined ? null : which === 'new' ? 'new' : Number(which));
  shown.status.looking = view === 'status';
  shown.access.looking = view === 'access';
  if (view === 'search') shown.search.open(wanted);
}

/** Puts the focus where the keyboard goes on. */
function enter(key) {
  const view = { t: shown.timeline?.querySelector('tf-column'), f: shown.filters }[key];
  if (view) view.list.go(0);
  else if (key === '/') shown.search?.focusText();
  else if (key !== 'n') element('views').focus();
}

function gate() {
  const { name } = model.unsaved;
  const kept = `What you wrote as ${name} and did not save waits in this tab. Sign in as ${name} to go on with it; it is gone if somebody else signs in.`;
  update(element('gate'), {
    refused: model.signedOut,
    kept: model.isUnsaved() && kept,
    waiting: model.store.state !== 'fine' && waits(),
  });
}

function session() {
  const inside = model.me !== null;
  element('gate').hidden = inside;
  element('house').hidden = !inside;
  if (!inside) {
    element('views').replaceChildren();
    for (const name of Object.keys(shown)) delete shown[name];
    gate();
    element('token').focus();
    document.title = 'tweetfilter';
    return;
  }
  update(element('house'), { account: model.me.name, readOnly: !model.mayWrite });
  route();
}

// What filters want to be told of is told: aloud, and while nobody looks in the title.
let untold = 0;

function tell() {
  if (document.hidden) notifications.tell(model.notices);
  untold = document.hidden ? untold + model.notices.length : 0;
  for (const { content } of model.notices) announce(`${called(content.author) || 'Somebody'}: ${content.text}`);
  document.title = document.title.replace(/^\(\d+\) /, '');
  if (untold > 0) document.title = `(${untold}) ${document.title}`;
}

function waits() {
  return `${model.store.message}. It is tried again until it answers.`;
}

function store() {
  const { state, since, message } = model.store;
  const { isOpen, why } = model.stream;
  const trouble = state !== 'fine' || why !== '';
  const texts = {
    busy: message,
    away: `The store is away since ${when(since)}. What you see stays readable, and this page goes on by itself.`,
    unreachable: navigator.onLine
      ? `The server cannot be reached since ${when(since)}. What you see stays readable, and this page goes on by itself.`
      : `You are offline since ${when(since)}. What you see stays readable, and this page goes on by itself.`,
  };
  const polled = 'What is new does not come at once: the stream of it is refused, and it is asked for every two seconds.';
  const text = texts[state] ?? (trouble ? polled : '');
  update(element('trouble'), { text, why: state === 'away' ? message : state === 'fine' ? why : '' });
  element('trouble').hidden = !trouble || !model.me;
  const isLive = isOpen && !trouble;
  element('live').classList.toggle('is-live', isLive);
  update(element('live'), { live: isLive ? 'Live' : 'Waiting' });
  if (!model.me && state !== 'fine') gate();
}

element('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  const token = element('token').value;
  if (token.trim() === '') return;
  element('token').value = '';
  model.signIn(token);
});
element('sign-out').addEventListener('click', () => {
  const unsaved = 'What you wrote and did not save is lost when you sign out. Sign out?';
  if (model.isUnsaved() && !confirm(unsaved)) return;
  // What was searched for is of nobody who signs in here next.
  if (searched(location.hash) !== null) history.replaceState(null, '', KEYS['/']);
  model.signOut();
});
addEventListener('beforeunload', (event) => model.isUnsaved() && event.preventDefault());
element('keys-open').addEventListener('click', () => element('keys').showModal());
element('keys').addEventListener('click', (event) => event.target === element('keys') && element('keys').close());

addEventListener('keydown', (event) => {
  const typing = event.target.closest?.('input, textarea, select, dialog');
  if (typing || !isAlone(event) || !model.me) return;
  if (event.key === '?') {
    event.preventDefault();
    element('keys').showModal();
  } else if (KEYS[event.key]) {
    event.preventDefault();
    const there = location.hash === KEYS[event.key];
    location.hash = KEYS[event.key];
    if (there) enter(event.key);
    else addEventListener('hashchange', () => enter(event.key), { once: true });
  } else {
    passOn(event);
  }
});

// Keys of all lists that links and buttons don't take, those of a column of posts alone, and those that nothing takes where
// nothing has the focus.
const LIST_KEYS = ['j', 'k'];
const COLUMN_KEYS = ['.', 'm', 'b', 'w', 'ArrowLeft', 'ArrowRight'];
const FREE_KEYS = ['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight', 'PageDown', 'PageUp', 'Home', 'End'];

/** Gives a key that nothing else takes to the list that is looked at, from the first row that is seen on. */
function passOn(event) {
  const { key, target } = event;
  const isFree = target === document.body || target === element('views');
  const isTaken = key.length > 1 ? !(isFree && FREE_KEYS.includes(key)) : ![...LIST_KEYS, ...COLUMN_KEYS].includes(key);
  if (isTaken || target.closest?.('tf-list')) return;
  const lists = [...element('views').querySelectorAll('tf-list')].filter((one) => one.checkVisibility());
  const isInSight = (one) => one.getBoundingClientRect().left >= 0;
  const list = lists.find((one) => one.matches(':hover')) ?? lists.find(isInSight) ?? lists[0];
  if (!list || (COLUMN_KEYS.includes(key) && !list.closest('tf-column'))) return;
  event.preventDefault();
  list.go(list.above);
  const isStep = ['j', 'k', 'ArrowDown', 'ArrowUp'].includes(key);
  const { activeElement: row } = document;
  if (!isStep && list.contains(row)) row.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}
// Wherever a post stands, what matched it can be asked why.
document.addEventListener('click', ({ target }) => {
  const pressed = target.closest?.('[data-do="why"]');
  if (pressed) document.querySelector('tf-why').show(Number(pressed.dataset.number), Number(pressed.dataset.filter));
});
// What is not saved waits for the account that wrote it, and no other.
function mayLose() {
  const { name } = model.unsaved;
  return confirm(`What you wrote as ${name} and did not save is lost when somebody else signs in here. Sign in as somebody else?`);
}
addEventListener('hashchange', () => {
  // A link that signs in works in a tab that is open already, too.
  if (new URLSearchParams(location.hash.slice(1)).has('token')) model.begin(mayLose);
  else route();
});
for (const name of ['online', 'offline']) addEventListener(name, store);
model.addEventListener('session', session);
model.addEventListener('notices', tell);
document.addEventListener('visibilitychange', () => document.hidden || ((model.notices = []), tell()));
let troubled = false;
model.addEventListener('store', () => {
  store();
  const now = model.store.state !== 'fine' && model.me !== null;
  if (now) announce(element('trouble').textContent);
  else if (troubled && model.me) announce('The store is back');
  troubled = now;
});
model.addEventListener('stream', () => {
  store();
  if (model.stream.why !== '' && model.me) announce(element('trouble').textContent);
});

element('unloaded').remove();
keepFocus(element('views'));
model.begin(mayLose);
