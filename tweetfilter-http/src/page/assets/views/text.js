// Texts in parts, times and numbers, as people read them.

import { serverNow } from '../model/clock.js';
import { announce } from './template.js';

/** What is said where something was to be removed that is another by now; it is shown as it is. */
export const NOT_REMOVED =
  'It was not removed, since it was changed elsewhere meanwhile. Remove it again if it is to go as it is now.';

/** Shows a text in parts, `{text, mark}`; marked ones stand in `<mark>`, and links where they stand in the text. */
export function segments(element, parts, links = []) {
  element.replaceChildren();
  const inOrder = links.filter(({ utf16 }) => utf16).sort((a, b) => a.utf16[0] - b.utf16[0]);
  let at = 0;
  let link = null;
  for (const { text, mark } of parts) {
    const end = at + text.length;
    const edges = inOrder.flatMap(({ utf16 }) => utf16).filter((edge) => edge > at && edge < end);
    for (const next of [...new Set(edges), end]) {
      const piece = text.slice(text.length - (end - at), text.length - (end - next));
      const found = inOrder.find(({ utf16 }) => utf16[0] <= at && utf16[1] >= next);
      if (!found) link = null;
      else if (link?.found !== found) {
        link = { found, node: linked(found) };
        if (link.node) element.append(link.node);
      }
      (link?.node ?? element).append(mark ? marked(piece) : piece);
      at = next;
    }
  }
}

function marked(text) {
  const element = document.createElement('mark');
  element.textContent = text;
  return element;
}

/** Where a link leads, if that is a page of the web; empty if not. */
export function webAddress(url) {
  const href = URL.canParse(url) ? new URL(url).href : '';
  return /^https?:/.test(href) ? href : '';
}

// What leads nowhere stays text.
function linked({ url, title }) {
  const href = webAddress(url);
  if (href === '') return null;
  const element = document.createElement('a');
  element.href = href;
  element.target = '_blank';
  element.rel = 'noopener noreferrer';
  element.title = title ? `${title}\n${href}` : href;
  return element;
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
  const [at, today] = [new Date(time), new Date(serverNow())];
  if (at.toDateString() === today.toDateString()) return clock.format(at);
  return at.getFullYear() === today.getFullYear() ? `${day.format(at)}, ${clock.format(at)}` : year.format(at);
}

/** A time to come, or one that decides something: the hour counts in every year. */
export function moment(time) {
  const at = new Date(time);
  const isOfYear = at.getFullYear() === new Date(serverNow()).getFullYear();
  return isOfYear ? when(time) : `${year.format(at)}, ${clock.format(at)}`;
}

export const exactly = (time) => (time ? full.format(new Date(time)) : '');
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

/** How long a button says what came of it, in milliseconds. */
const SAID_FOR = 4_000;
/** What ends that, by button. */
const ends = new WeakMap();

/** Puts what a field holds where it can be pasted, and says at the button whether that went. */
export async function copy(field, button) {
  field.select();
  const isDone = await put(field);
  announce(isDone ? 'Copied' : 'Your browser does not let it be copied. It is selected: copy it yourself.');
  // What is selected can be copied from where it stands.
  if (isDone) button.focus();
  button.textContent = isDone ? 'Copied' : 'Not copied: it is selected';
  // What was said before does not end what is said now.
  clearTimeout(ends.get(button));
  ends.set(button, setTimeout(() => (button.textContent = 'Copy'), SAID_FOR));
}

async function put(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    // Without leave, or over plain HTTP: the old way takes what is selected.
    field.focus();
    return document.execCommand('copy');
  }
}

/** The text that a file holds, in UTF-8 or in what its first bytes say it is; null where it is in neither. */
export async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const [first, second] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const encoding = isUtf16 ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** A name, or nothing where it has no character that is seen. */
export const seen = (name) => (/[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u.test(name ?? '') ? name : '');

/** What an author is called, for one line: by name, or else by handle or, where that is not known, by the network's id. */
export const called = ({ name, handle, id }) => seen(name) || handle || id;

/** As much of a text as tells which it is. */
export const brief = (text) => (text.length > 1_000 ? `${text.slice(0, 1_000)}…` : text);

export const roughly = (n) => compact.format(n);
export const count = (n) => number.format(n);
/** A sentence of the server with its numbers as they are written here. */
export const grouped = (text) => text.replace(/\d{4,}/g, (digits) => count(Number(digits)));
export const counted = (n, one, many = `${one}s`) => `${number.format(n)} ${n === 1 ? one : many}`;

/** A size in the unit that fits. */
export function bytes(n) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  for (; n >= 999.5 && at < units.length - 1; at++) n /= 1_000;
  return `${n < 9.95 && at > 0 ? n.toFixed(1) : Math.round(n)} ${units[at]}`;
}

/** A time in seconds, in the unit that fits. */
export function lasts(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
