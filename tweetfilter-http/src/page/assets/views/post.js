// A post as a row, and hidden ones as one.

import { model } from '../model/index.js';
import { fill, part } from './template.js';
import { called, count, counted, exactly, roughly, seen, segments, webAddress, when } from './text.js';

const TONES = 8;
// So many filters of a post are named; the others are unfolded, unless that would be one alone.
const NAMED = 6;

/** The element of a post. `unfolded` keeps the numbers of those of which all filters are seen, since elements are made anew. */
export function postRow({ post, revealed = false }, unfolded) {
  const { content } = post;
  const element = fill('post', {
    ...spoken(content.author),
    label: `${called(content.author) || 'Somebody'}: ${content.text}`,
    network: post.network === 'x' ? '' : post.network,
    time: when(content.created_at ?? post.received_at),
    exactly: exactly(content.created_at ?? post.received_at),
    iso: content.created_at ?? post.received_at,
    url: webAddress(post.url ?? '') || null,
    retweetedBy: post.retweeted_by && `Retweeted by ${title(post.retweeted_by)}`,
    replyTo: content.reply_to?.author.handle && `In answer to @${content.reply_to.author.handle}`,
    warning: content.warning,
    sensitive: content.sensitive && !content.warning && 'Marked as sensitive',
    edited: content.edited,
    lang: content.lang && content.lang !== 'und' ? content.lang : null,
    hidden: post.hidden,
    revealed,
    highlighted: post.highlighted,
    numbers: numbers(content),
    number: post.number,
  });
  part(element, 'initial').classList.add(`tone-${tone(content.author.handle || content.author.id)}`);
  segments(part(element, 'text'), content.segments ?? [{ text: content.text, mark: false }], content.links);
  const quoted = content.quote;
  if (quoted) part(element, 'quote').append(fill('quote', { ...spoken(quoted.author), text: quoted.text }));
  for (const { url, title } of content.links.filter(({ utf16 }) => !utf16)) {
    const text = title || shortened(url);
    // A title may say anything of an address that is none.
    const plain = title ? `${title} (${shortened(url)})` : text;
    part(element, 'links').append(webAddress(url) ? fill('link', { url, text }) : fill('plain-link', { text: plain }));
  }
  for (const { kind, alt } of content.media) {
    const name = { image: 'Picture', video: 'Video', gif: 'Moving picture', other: 'Media' }[kind];
    part(element, 'links').append(fill('medium', { text: alt ? `${name}: ${alt}` : name }));
  }
  const { filters, number } = post;
  const chips = (ids) => ids.map((id) => fill('match', { name: model.called(id), id, number, action: model.filter(id)?.action ?? '' }));
  const named = filters.length > NAMED + 1 ? NAMED : filters.length;
  part(element, 'filters').append(...chips(filters.slice(0, named)));
  if (named < filters.length) {
    const rest = fill('matches', { text: `and ${count(filters.length - named)} more` });
    part(rest, 'rest').append(...chips(filters.slice(named)));
    rest.open = unfolded.has(number);
    rest.addEventListener('toggle', () => (rest.open ? unfolded.add(number) : unfolded.delete(number)));
    part(element, 'filters').append(rest);
  }
  return element;
}

/** One row for hidden posts that stand side by side. */
export function hiddenRow({ numbers, filters }) {
  const names = [...filters].filter((id) => model.filter(id)?.action === 'hide').map((id) => model.called(id));
  return fill('hidden', {
    text: counted(numbers.length, 'hidden post'),
    by: names.length > 0 ? `by ${names.slice(0, 2).join(', ')}${names.length > 2 ? ' …' : ''}` : '',
  });
}

function spoken(author) {
  const name = called(author) || 'Unknown';
  return { author: name, handle: author.handle ? `@${author.handle}` : '', initial: [...name].find((char) => seen(char)) ?? '?' };
}

const title = (author) => seen(author.name) || (author.handle ? `@${author.handle}` : author.id);

function tone(name) {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + char.codePointAt(0)) % 9973;
  return sum % TONES;
}

function numbers({ replies, retweets, likes }) {
  const some = [
    [replies, 'answer'],
    [retweets, 'retweet'],
    [likes, 'like'],
  ].filter(([n]) => n);
  return some.map(([n, one]) => `${roughly(n)} ${n === 1 ? one : `${one}s`}`).join(' · ');
}

function shortened(url) {
  const bare = url.replace(/^https?:\/\/(www\.)?/, '');
  return bare.length > 48 ? `${bare.slice(0, 47)}…` : bare;
}
