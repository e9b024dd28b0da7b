// Why nobody is meant by a handle of Bluesky in an expression. What else it says is found all the same.

import { count } from './text.js';

/** What is said of handles, as a preview or a search tells of them. */
export function unknown({ handles, more, nobodys, more_nobodys: moreNobodys }) {
  return [notKnown(handles, more), ofNobody(nobodys, moreNobodys)].filter((said) => said !== '').join(' ');
}

function notKnown([first, ...others], more) {
  if (!first) return '';
  const many = 1 + others.length + more;
  const [whose, them] =
    many === 1
      ? [`whose handle on Bluesky ${first} is`, 'it']
      : [`whose ${count(many)} handles of Bluesky are, the first ${first}`, 'them'];
  const found = `It is not known yet ${whose}, so no post is known to be by ${them}.`;
  const way = 'If it looks nothing up (--no-lookup), write ids, as in from:did:plc:…';
  return `${found} The server looks that up once a filter of yours that names ${them} is saved. ${way}`;
}

function ofNobody([first, ...others], more) {
  if (!first) return '';
  const many = 1 + others.length + more;
  if (many === 1) return `Nobody on Bluesky has the handle ${first}, so there is no post by it.`;
  return `Nobody on Bluesky has ${count(many)} of the handles, the first ${first}, so there is no post by them.`;
}
