// How the server and its store are, as far as what was asked of them tells.

/** Trouble of the store or of the way to it, which concerns everybody. */
export const TROUBLES = ['store_away', 'store_busy', 'unreachable'];

/** All is well; since when it is not, and what is said of it, if it is not. */
export const FINE = { state: 'fine', since: null, message: '' };

/** What an error makes of what was known of the store: `away`, `unreachable` or `busy`, since the first of them. */
export function troubled(known, { status, code, message }) {
  const isBusy = status === 429 || code === 'store_busy';
  const state = ['unreachable', 'unexpected'].includes(code) ? 'unreachable' : isBusy ? 'busy' : 'away';
  return known.state === state ? known : { state, since: known.since ?? new Date(), message };
}
