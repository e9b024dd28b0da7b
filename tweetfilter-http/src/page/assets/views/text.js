// Texts in parts, times and numbers, as people read them.

/** Shows a text in parts, `{text, mark}`; marked ones stand in `<mark>`. */
export function segments(element, parts) {
  const nodes = parts.map(({ text, mark }) => {
    if (!mark) return document.createTextNode(text);
    const marked = document.createElement('mark');
    marked.textContent = text;
    return marked;
  });
  element.replaceChildren(...nodes);
}

/** Cuts a text at places; each is `{from, to, kind}`, and those that overlap an earlier one are left out. */
export function cut(text, places) {
  const parts = [];
  let at = 0;
  const inOrder = [...places].sort((a, b) => a.from - b.from || b.to - a.to);
  for (const { from, to, kind } of inOrder) {
    if (from < at || to > text.length) continue;
    if (from > at) parts.push({ text: text.slice(at, from), kind: null });
    parts.push({ text: text.slice(from, to), kind });
    at = to;
  }
  if (at < text.length) parts.push({ text: text.slice(at), kind: null });
  return parts;
}

/** The parts of `cut` as spans with classes. */
export function spans(parts) {
  return parts.map(({ text, kind }) => {
    if (!kind) return document.createTextNode(text);
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = text;
    return span;
  });
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const year = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const number = new Intl.NumberFormat();

/** A time: of today the hour, else the day. */
export function when(time) {
  if (!time) return '';
  const [at, now] = [new Date(time), new Date()];
  if (at.toDateString() === now.toDateString()) return clock.format(at);
  return at.getFullYear() === now.getFullYear() ? `${day.format(at)}, ${clock.format(at)}` : year.format(at);
}

export const exactly = (time) => (time ? full.format(new Date(time)) : '');
export const count = (n) => number.format(n);
export const counted = (n, one, many = `${one}s`) => `${number.format(n)} ${n === 1 ? one : many}`;
