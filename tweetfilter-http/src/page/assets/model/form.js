// A filter as fields of a form: written as text, and read from it where the form can say as much.

export const EMPTY = { all: '', any: '', none: '', from: '', lang: '', has: [], without: [] };
export const HAS = ['has:images', 'has:videos', 'has:links', 'is:reply', 'is:quote'];
export const WITHOUT = ['is:retweet', 'is:reply', 'is:sensitive', 'is:bot', 'has:links'];

/** The text that the fields say. */
export function write(fields) {
  const any = terms(fields.any).map(quoted).join(' OR ');
  const parts = [
    ...terms(fields.all).map(quoted),
    any,
    ...terms(fields.none).map((term) => `-${quoted(term)}`),
    list('from', fields.from),
    list('lang', fields.lang),
    ...HAS.filter((known) => fields.has.includes(known)),
    ...WITHOUT.filter((known) => fields.without.includes(known)).map((known) => `-${known}`),
  ];
  const said = parts.filter((part) => part !== '');
  return said.map((part) => (part === any && said.length > 1 && any.includes(' OR ') ? `(${part})` : part)).join(' ');
}

/** The fields that say a text, or null where they cannot. */
export function read(text) {
  const fields = { ...EMPTY, has: [], without: [] };
  const lists = { all: [], none: [] };
  let rest = text.trim();
  if (/^[^()]+ OR [^()]+$/.test(rest)) rest = `(${rest})`;
  while (rest !== '') {
    const found =
      /^\(([^()]+)\)(?:\s+|$)/.exec(rest) ?? /^(-?(?:"[^"\\]*"|[^\s"()]+))(?:\s+|$)/.exec(rest);
    if (!found) return null;
    const [whole, part] = found;
    if (whole.startsWith('(')) {
      fields.any = part.split(/\s+OR\s+/).join(', ').replaceAll('"', '');
    } else if (/^(from|lang):/.test(part)) {
      const [name, values] = part.split(':');
      fields[name] = values.replaceAll(',', ', ');
    } else if (HAS.includes(part)) {
      fields.has.push(part);
    } else if (part.startsWith('-') && WITHOUT.includes(part.slice(1))) {
      fields.without.push(part.slice(1));
    } else if (part.startsWith('-')) {
      lists.none.push(part.slice(1).replaceAll('"', ''));
    } else {
      lists.all.push(part.replaceAll('"', ''));
    }
    rest = rest.slice(whole.length);
  }
  fields.all = lists.all.join(', ');
  fields.none = lists.none.join(', ');
  // Whatever was not understood in full is written differently. The order of what must all hold says nothing.
  return parts(write(fields)) === parts(text) ? fields : null;
}

const parts = (text) => (text.match(/\([^)]*\)|-?"[^"]*"|\S+/g) ?? []).sort().join(' ');

function terms(text) {
  return text
    .split(/[,\n]/)
    .map((term) => term.trim().replaceAll(/["\\]/g, ''))
    .filter((term) => term !== '');
}

// Tags, names and plain words stand as they are; everything else is a phrase.
function quoted(term) {
  const plain = /^[#@$]?[\p{L}\p{N}\p{M}_]+\*?$/u.test(term) && !/^(AND|OR|NOT)$/.test(term);
  return plain ? term : `"${term}"`;
}

function list(name, text) {
  const values = text
    .split(/[\s,]+/)
    .map((value) => value.replace(/^@/, '').replaceAll(/[^\p{L}\p{N}_.:@-]/gu, ''))
    .filter((value) => value !== '');
  return values.length > 0 ? `${name}:${values.join(',')}` : '';
}
