// What is said of a filter, field by field: as it is saved, as it is written, and as it is saved by now.

import { serverNow } from './clock.js';

// What can't be told apart: a text is read by its dialect.
const TOGETHER = [['text', 'dialect'], ['name'], ['action'], ['enabled'], ['expires']];

/** The fields of a saved filter, as they are written. */
export function fieldsOf({ name, text, dialect, action, enabled, expires_at: expires }) {
  return { name, text, dialect, action, enabled, expires };
}

/** Those of one that are not as in the other, as `{name: value}`. */
export function changed(from, to) {
  const isSame = (name) => (name === 'expires' ? sameTime(from[name], to[name]) : from[name] === to[name]);
  return Object.fromEntries(Object.entries(to).filter(([name]) => !isSame(name)));
}

/** Whether a filter says what was written. */
export const isAs = (filter, written) => Object.keys(changed(fieldsOf(filter), written)).length === 0;

/**
 * Holds what was written into a filter `from` against what it was changed to elsewhere: `taken` is what nobody wrote here
 * and is another `now`, `clash` names what was changed in both to different things.
 */
export function merged(from, written, now) {
  const [before, theirs] = [fieldsOf(from), fieldsOf(now)];
  const [here, there] = [changed(before, written), changed(before, theirs)];
  const [taken, clash] = [{}, []];
  // It ended before a later end was saved, and is used until that.
  if ('expires' in here && isToCome(written.expires) && !isToCome(now.expires_at)) delete there.enabled;
  for (const names of TOGETHER) {
    if (!names.some((name) => name in there)) continue;
    const other = changed(written, Object.fromEntries(names.map((name) => [name, theirs[name]])));
    if (!names.some((name) => name in here)) Object.assign(taken, other);
    else if (Object.keys(other).length > 0) clash.push(...names);
  }
  return { taken, clash };
}

/** Whether an end is still to come, or there is none. */
export const isToCome = (expires) => !expires || new Date(expires) > serverNow();

export function sameTime(one, other) {
  if (!one || !other) return !one && !other;
  return new Date(one).getTime() === new Date(other).getTime();
}
