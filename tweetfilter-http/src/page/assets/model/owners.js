// Whose filters a file has that is imported, and whose of them come in.

import { count } from '../views/text.js';

/** What can be chosen: `{owner, said}` each, all of them first. Nothing where it makes no difference. */
export function choices({ owners, filters, left_out: leftOut }, me) {
  const all = filters.length + leftOut;
  if (owners.every(({ filters }) => filters === all)) return [];
  const each = owners.map(({ name, filters }) => ({
    owner: name,
    said: `${name}${name === me ? ', you' : ''} (${count(filters)})`,
  }));
  return [{ owner: '', said: `all (${count(all)})` }, ...each];
}

/** Whose a file is to bring: who was chosen for the one before may not be in it. */
export const chosen = ({ owners }, owner) => (owners.some(({ name }) => name === owner) ? owner : '');
