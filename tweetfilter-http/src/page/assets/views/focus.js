// Keeps the keyboard's place: where what has the focus goes away or is drawn anew, the focus goes on to the same again, or
// to what stands beside it, and not to the top of the page.

const REACHED = 'a[href], button, input, select, textarea, summary, [tabindex]';
const HEADINGS = 'h1, h2, h3';

// What had the focus last, and the elements around it up to the root, each with its place among its siblings.
let last = null;
let way = [];
let root = null;

/** Watches what lies within an element that can have the focus itself, which takes it where nothing else is left. */
export function keepFocus(within) {
  root = within;
  document.addEventListener('focusin', ({ target }) => {
    // A dialog gives the focus back to where it came from.
    if (!target.closest('dialog')) note(target);
  });
  document.addEventListener('focusout', () => queueMicrotask(look));
  document.addEventListener('close', look, true);
  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ['hidden'] };
  new MutationObserver(look).observe(root, changes);
}

function note(element) {
  last = root.contains(element) && element !== root ? element : null;
  way = [];
  for (let at = last; at && at !== root.parentElement; at = at.parentElement) {
    way.push({ element: at, place: [...at.parentElement.children].indexOf(at), key: keyOf(at) });
  }
}

function look() {
  const { activeElement: active } = document;
  if (!last || (active !== document.body && active !== last)) return;
  if (!isHere(last)) goOn();
  else if (active === last) note(last);
  // Somebody pressed beside everything that can have it. What is disabled only waits.
  else if (!last.matches(':disabled')) last = null;
}

// All that is put out of sight here is so by one of these.
const isHere = (element) => element.isConnected && !element.closest('[hidden]');

function goOn() {
  const [lost, name] = [way, nameOf(last)];
  last = null;
  const from = lost.findIndex(({ element }) => isHere(element));
  for (let at = from; at > 0; at++) {
    const { element } = lost[at];
    for (const next of element === root ? [root] : heirs(element, lost[at - 1], name)) {
      if (next.matches(HEADINGS)) next.tabIndex = -1;
      next.focus();
      if (document.activeElement !== next) continue;
      note(next);
      return;
    }
    if (element === root) return;
  }
}

// What may take the place of something that was lost in an element, best first.
function* heirs(element, { place, key }, name) {
  const rows = [...element.children];
  const same = (found) => found.filter((one) => nameOf(one) === name);
  const row = key && rows.find((one) => keyOf(one) === key);
  if (row) yield* [...same(reached(row)), ...reached(row)];
  const again = same(reached(element));
  if (again.length === 1) yield again[0];
  const near = [...rows.slice(place), ...rows.slice(0, place).reverse()];
  for (const one of near) {
    const found = reached(one);
    yield* found.filter(({ dataset }) => name.startsWith(`${dataset.do} `));
    // Whoever goes on pressing must not remove something.
    yield* found.filter(({ classList }) => !classList.contains('danger'));
  }
  for (const one of near) yield* [one, ...one.querySelectorAll(HEADINGS)].filter((heading) => heading.matches(HEADINGS));
}

function reached(element) {
  const found = [element, ...element.querySelectorAll(REACHED)];
  return found.filter((one) => one.matches(REACHED) && !one.matches(':disabled') && isHere(one));
}

const keyOf = ({ dataset }) => dataset.row ?? dataset.key;

// By what something is known again that was drawn anew.
function nameOf(element) {
  const { do: does, part, row, id, name, of, by, filter, number } = element.dataset;
  return [does, element.localName, part, row, id, name, of, by, filter, number, element.name, element.value, element.href].join(' ');
}
