// What the stream said is not to be shown any more, for as long as an answer may be under way that does not know of it.

const MOST = 2_000;

/** Tells whether a post was taken back since an answer was asked for. */
export class Withdrawals {
  #taken = [];
  #count = 0;

  /** A mark to ask `since` with. */
  get now() {
    return this.#count;
  }

  take({ commit, posts, authors }) {
    const taken = { at: ++this.#count, commit, posts: new Set(posts), authors: new Set(authors.map(named)) };
    this.#taken.push(taken);
    if (this.#taken.length > MOST) this.#taken.shift();
    return taken;
  }

  /** Whether something that came after a mark takes this post. */
  since(mark, post) {
    return this.#taken.some((taken) => taken.at > mark && takes(taken, post));
  }
}

/** Whether a post is one of those that were taken back, and older than that. */
export function takes(taken, post) {
  if (post.commit >= taken.commit) return false;
  if (taken.posts.has(post.number)) return true;
  if (taken.authors.size === 0) return false;
  const { author, quote } = post.content;
  const authors = [author, post.retweeted_by, quote?.author].filter(Boolean);
  return authors.some(({ id }) => taken.authors.has(named({ network: post.network, id })));
}

const named = ({ network, id }) => JSON.stringify([network, id]);
