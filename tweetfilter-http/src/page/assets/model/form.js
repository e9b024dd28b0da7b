// A filter as fields of a form: written as text, and read from it where the form can say as much.

export const EMPTY = { all: '', any: '', none: '', from: '', lang: '', has: [], without: [] };
export const HAS = ['has:images', 'has:videos', 'has:links', 'is:reply', 'is:quote'];
export const WITHOUT = ['is:retweet', 'is:reply', 'is:sensitive', 'is:bot', 'has:links'];

// What is filled in as text.
const TEXTS = ['all', 'any', 'none', 'from', 'lang'];
// Values that are named of those that are none, and how much of one.
const [NAMED, BRIEF] = [10, 60];

// Whether they hold more than a filter may have: they are not split, which would take long to no end.
const isTooLong = (fields, most) => TEXTS.reduce((sum, name) => sum + fields[name].length, 0) > most;

/** The text that the fields say. Where it would have more than `most` bytes already as it was filled in, it stands as that. */
export function write(fields, most = Infinity) {
  if (isTooLong(fields, most)) return TEXTS.map((name) => fields[name]).filter((text) => text !== '').join(' ');
  const any = terms(fields.any).map(quoted).join(' OR ');
  const parts = [
    ...terms(fields.all).map(quoted),
    any,
    ...terms(fields.none).map((term) => `-${quoted(term)}`),
    list('from', fields.from, account),
    list('lang', fields.lang, language),
    ...HAS.filter((known) => fields.has.includes(known)),
    ...WITHOUT.filter((known) => fields.without.includes(known)).map((known) => `-${known}`),
  ];
  const said = parts.filter((part) => part !== '');
  return said.map((part) => (part === any && said.length > 1 && any.includes(' OR ') ? `(${part})` : part)).join(' ');
}

/** What is wrong in fields, by their names, as a sentence each; nothing where all are too long to be a filter. */
export function troubles(fields, most = Infinity) {
  const { from, lang } = isTooLong(fields, most) ? EMPTY : fields;
  return {
    from: strange(from, account, 'name of an account, or address of a profile', 'A name looks like bob or bob@example.social.'),
    lang: strange(lang, language, 'language', 'Languages look like en or pt-br.'),
  };
}

/** The fields that say a text, or null where they cannot. */
export function read(text) {
  const fields = { ...EMPTY, has: [], without: [] };
  const lists = { all: [], none: [] };
  let rest = text.trim();
  // In one pattern, each OR would be held against all that follows it.
  const unquoted = rest.replaceAll(/"[^"]*"/g, '""');
  if (/ OR /.test(unquoted) && !/[()]/.test(unquoted)) rest = `(${rest})`;
  while (rest !== '') {
    const found =
      /^\(((?:"[^"\\]*"|[^"()])+)\)(?:\s+|$)/.exec(rest) ?? /^(-?(?:(?:contains:)?"[^"\\]*"|[^\s"()]+))(?:\s+|$)/.exec(rest);
    if (!found) return null;
    const [whole, part] = found;
    if (whole.startsWith('(')) {
      const any = part.match(/(?:contains:)?"[^"]*"|[^\s"]+/g) ?? [];
      fields.any = any.filter((one) => one !== 'OR').map(bare).join(', ');
    } else if (/^(from|lang):/.test(part)) {
      const colon = part.indexOf(':');
      fields[part.slice(0, colon)] = part.slice(colon + 1).replaceAll(',', ', ');
    } else if (HAS.includes(part)) {
      fields.has.push(part);
    } else if (part.startsWith('-') && WITHOUT.includes(part.slice(1))) {
      fields.without.push(part.slice(1));
    } else if (part.startsWith('-')) {
      lists.none.push(bare(part.slice(1)));
    } else {
      lists.all.push(bare(part));
    }
    rest = rest.slice(whole.length);
  }
  fields.all = lists.all.join(', ');
  fields.none = lists.none.join(', ');
  // Whatever was not understood in full is written differently. The order of what must all hold says nothing.
  const said = write(fields);
  return [said, `(${said})`].some((same) => parts(same) === parts(text)) ? fields : null;
}

function bare(part) {
  const said = part.replace(/^contains:(?=")/, '').replaceAll('"', '');
  // Without its quotes it would be several.
  return said.includes(',') ? `"${said}"` : said;
}

const parts = (text) => (text.match(/\((?:"[^"]*"|[^")])*\)|-?(?:contains:)?"[^"]*"|\S+/g) ?? []).sort().join(' ');

// Of a value in quotes, whichever a keyboard types, they are no part.
const QUOTES = /["“”„‟＂«»\\]/g;

// A value ends at a comma, unless that stands between quotes.
const VALUES = /(?:(?<![^\s,])["“”„‟＂«»][^"“”„‟＂«»\n]*["“”„‟＂«»]|[^,\n])+/g;

function terms(text) {
  return (text.match(VALUES) ?? [])
    .map((term) => term.replaceAll(QUOTES, '').trim())
    .filter((term) => term !== '');
}

// What words are made of, and what may be left out at the edges of a phrase, since it only separates.
const WORDS = /(?:(?![#*])[\p{L}\p{N}\p{M}\p{Emoji}\p{Extended_Pictographic}_\u200c\u200d])+/u;
const SEPARATES = /^[\s\p{Default_Ignorable_Code_Point}"'“”„‟‘’‚‹›«»`()[\]{}（）「」『』【】.,!?…:;¿¡。、，！？*]*$/u;

// What the language reads as it stands: words and tags, names, symbols of stocks, and beginnings of words.
const PLAIN = [
  /^#?[\p{M}_]*[\p{L}\p{N}][\p{L}\p{N}\p{M}_]*$/u,
  /^@\w+$/,
  /^\$[a-z]{1,6}(?:[._][a-z]{1,2})?$/i,
  /^#?[\p{L}\p{N}\p{M}_]*(?:[\p{L}\p{N}]\p{M}*){2}\*$/u,
];
// Its words are found by their characters, and have no beginnings.
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmr}\p{scx=Mymr}]/u;

function isPlain(term) {
  if (/^(AND|OR|NOT)$/.test(term) || (term.endsWith('*') && UNSPACED.test(term))) return false;
  return PLAIN.some((known) => known.test(term));
}

// What can't stand as it is, but has signs at its edges, as C++, or nothing but signs is searched for by its characters;
// everything else is a phrase.
function quoted(term) {
  if (isPlain(term)) return term;
  const between = term.split(WORDS);
  // In a phrase a * would say nothing.
  const isWord = /[\p{L}\p{N}\p{Extended_Pictographic}\p{RI}]/u.test(term) && !/^\S+\*$/.test(term);
  const whole = isWord && between.length > 1 && SEPARATES.test(between[0]) && SEPARATES.test(between.at(-1));
  return whole ? `"${term}"` : `contains:"${term}"`;
}

const values = (text) => text.split(/[\s,]+/).filter((value) => value !== '');

function list(name, text, known) {
  const said = values(text).map(known).filter((value) => value !== null);
  return said.length > 0 ? `${name}:${said.join(',')}` : '';
}

function strange(text, known, what, hint) {
  const left = values(text).filter((value) => known(value) === null);
  if (left.length === 0) return '';
  const named = left.slice(0, NAMED).map((value) => `“${value.length > BRIEF ? `${value.slice(0, BRIEF)}…` : value}”`);
  const said = named.join(', ') + (left.length > NAMED ? ` and ${left.length - NAMED} more` : '');
  return `${said} ${left.length === 1 ? `is no ${what}, and is` : `are no ${what}, and are`} left out. ${hint}`;
}

const language = (value) => (/^[\p{L}\p{N}_-]+$/u.test(value) ? value : null);

// The name of an account, also from the address of its profile; null if it is neither.
function account(value) {
  const name = value.replace(/^[@＠]/, '');
  return isName(name) ? name : ofProfile(value);
}

const isName = (text) => /^[A-Za-z0-9_-][A-Za-z0-9_.:@-]*$/.test(text) && /[A-Za-z0-9_]/.test(text) && !/[.:@]$/.test(text);

// What stands on X where a name would.
const PAGES = ['compose', 'explore', 'hashtag', 'home', 'i', 'intent', 'messages', 'notifications', 'search', 'settings', 'share'];
// Names there are of no server that others read.
const CLOSED = /(^|\.)(facebook|instagram|medium|reddit|tiktok|youtube)\.com$/;

function ofProfile(value) {
  const address = /^https?:\/\//i.test(value) ? value : `https://${value}`;
  if (!value.includes('/') || !URL.canParse(address)) return null;
  const { hostname, pathname } = new URL(address);
  const host = hostname.replace(/^(www|mobile|m)\./, '');
  const [first = '', second = ''] = pathname.split('/').filter((part) => part !== '');
  if (host === 'x.com' || host === 'twitter.com') {
    const name = first.replace(/^@/, '');
    return /^\w{1,15}$/.test(name) && !PAGES.includes(name.toLowerCase()) ? name : null;
  }
  if (host === 'bsky.app') return first === 'profile' && isName(second) ? second : null;
  // Mastodon and those that speak with it.
  const local = first.startsWith('@') ? first.slice(1) : first === 'users' ? second : '';
  if (!isName(local) || CLOSED.test(host)) return null;
  return local.includes('@') ? local : `${local}@${hostname}`;
}
