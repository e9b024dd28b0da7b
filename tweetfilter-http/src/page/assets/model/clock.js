// What time it is by the server's clock, which decides what has ended: a browser's may be days off.

// Answers say it in whole seconds and are under way for a while; what is off by less is taken for right.
const RIGHT = 30_000;

let ahead = 0;

/** Takes over what the header `Date` of an answer says. */
export function hear(date) {
  const off = Date.parse(date) - Date.now();
  if (!Number.isNaN(off)) ahead = Math.abs(off) < RIGHT ? 0 : off;
}

/** Now, in milliseconds. */
export const serverNow = () => Date.now() + ahead;
