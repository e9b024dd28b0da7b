// Templates of the document, filled with values. Values become text and attributes, never markup.
//
//   data-text="name"        its text is the value of `name`
//   data-if="name"          it is there only if the value is true, not empty and not 0
//   data-unless="name"      … only if it is not
//   data-set="href:url a:b" attributes; null and false take one away
//   data-class="mod:name"   a class if the value is true
//   data-do="act"           a press calls the view's action `act`

const BOUND = '[data-text], [data-if], [data-unless], [data-set], [data-class]';

/** A template's content, filled. */
export function fill(name, values = {}) {
  const template = document.getElementById(`t-${name}`);
  const element = template.content.firstElementChild.cloneNode(true);
  element.dataset.filled = '';
  return update(element, values);
}

/** Fills an element again with other values, but not what other templates filled within it. */
export function update(root, values) {
  const own = root.closest('[data-filled]');
  for (const element of [root, ...root.querySelectorAll(BOUND)]) {
    if (element.closest('[data-filled]') !== own) continue;
    const { text, if: wanted, unless, set, class: classes } = element.dataset;
    if (text !== undefined) say(element, value(values, text) ?? '');
    if (wanted !== undefined) element.hidden = !truth(value(values, wanted));
    if (unless !== undefined) element.hidden = truth(value(values, unless));
    for (const [name, path] of pairs(set)) setAttribute(element, name, value(values, path));
    for (const [name, path] of pairs(classes)) element.classList.toggle(name, truth(value(values, path)));
  }
  return root;
}

/** Sets a text, unless it stands there already: what is read aloud or selected stays. */
export function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

export function part(root, name) {
  return root.querySelector(`[data-part="${name}"]`);
}

/**
 * Calls the actions of a view when something with `data-do` is pressed. What takes time (gives a promise) is not begun
 * again by the same press before it has ended.
 */
export function act(root, actions, signal) {
  const once = unrepeated();
  root.addEventListener(
    'click',
    (event) => {
      const pressed = event.target.closest?.('[data-do]');
      if (!pressed || !root.contains(pressed)) return;
      // Rows are made anew meanwhile: a press is told by what it says and where it stands.
      const which = JSON.stringify([pressed.closest('[data-row]')?.dataset.row, { ...pressed.dataset }]);
      once(which, () => actions[pressed.dataset.do]?.(pressed, event), pressed);
    },
    { signal },
  );
}

/** Makes a function that runs something by its name, unless what it began under this name still runs. */
function unrepeated() {
  const running = new Set();
  return (name, run, pressed) => {
    if (running.has(name)) return;
    const done = run();
    if (!(done instanceof Promise)) return;
    running.add(name);
    pressed?.setAttribute('aria-busy', 'true');
    done.finally(() => {
      running.delete(name);
      pressed?.removeAttribute('aria-busy');
    });
  };
}
/** Whether a key was pressed by itself: with others it is the browser's. */
export const isAlone = ({ altKey, ctrlKey, metaKey }) => !altKey && !ctrlKey && !metaKey;

/** A custom element that is built from the template of its name, and lets go of all it listens to. */
export class View extends HTMLElement {
  #ends = null;

  connectedCallback() {
    this.#ends = new AbortController();
    if (!this.firstElementChild) {
      const content = fill(this.localName.slice(3));
      this.prepare?.(content);
      this.append(content);
    }
    this.begin(this.#ends.signal);
  }

  disconnectedCallback() {
    this.#ends?.abort();
    this.end?.();
  }

  part(name) {
    return part(this, name);
  }

  /** Runs what takes time, unless it still does: as `act` does, for what is not pressed. */
  once = unrepeated();

  /** Fills its template again. */
  update(values) {
    update(this.firstElementChild, values);
  }

  /** Listens as long as the view is shown. */
  on(target, names, heard) {
    const { signal } = this.#ends;
    for (const name of names.split(' ')) target.addEventListener(name, heard, { signal });
  }
}

// What is told in one moment is read as one; more than this nobody listens to.
const TOLD_AT_ONCE = 4;
const told = [];

/** Tells people who do not see what happens. */
export function announce(text) {
  told.push(text);
  if (told.length > 1) {
    if (told.length > TOLD_AT_ONCE) told.shift();
    return;
  }
  const place = document.getElementById('announcer');
  place.textContent = '';
  requestAnimationFrame(() => (place.textContent = told.splice(0).join(' · ')));
}

const truth = (value) => (Array.isArray(value) ? value.length > 0 : Boolean(value));
const value = (values, path) => path.split('.').reduce((at, name) => at?.[name], values);

function* pairs(text) {
  for (const pair of text?.split(' ') ?? []) yield pair.split(':');
}

function setAttribute(element, name, value) {
  if (name === 'value' || name === 'checked' || name === 'disabled') {
    if (element[name] !== value) element[name] = value ?? '';
    return;
  }
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (name === 'href') lead(element, value);
  else element.setAttribute(name, value === true ? '' : value);
}

// Only what leads to a page of the web becomes a link that can be followed.
function lead(element, text) {
  const url = URL.canParse(text, location.href) ? new URL(text, location.href) : null;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') element.setAttribute('href', url.href);
  else element.removeAttribute('href');
}
