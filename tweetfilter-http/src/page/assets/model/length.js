// How long a text is that is to be a filter.

const utf8 = new TextEncoder();

/** Bytes of a text as UTF-8, which is what a filter's limit counts. */
export const bytes = (text) => utf8.encode(text).length;

/** How many bytes a text has, if that is more than `most`; 0 if not. What cannot have as many is not counted. */
export function tooMany(text, most) {
  if (text.length * 3 <= most) return 0;
  const has = bytes(text);
  return has > most ? has : 0;
}
