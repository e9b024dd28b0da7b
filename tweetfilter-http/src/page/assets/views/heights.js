// How high the rows of a list are and where each begins: measured where they were seen, guessed where not. Rows stand in
// blocks, so that finding a place, and putting rows on top, does not go through all of them.

const BLOCK = 128;
const GUESS = 120;
// How many more are known than there are rows, before those that are gone are forgotten: some come back at once.
const GONE = 1_000;

export class Heights {
  #known = new Map();
  #sum = 0;
  #blocks = [];

  /** How many rows there are. */
  length = 0;

  /** Takes other rows, by their keys. */
  set(keys) {
    if (this.#known.size > keys.length + GONE) this.#forget(new Set(keys));
    [this.#blocks, this.length] = [this.#cut(keys), keys.length];
  }

  #forget(kept) {
    for (const [key, height] of this.#known) {
      if (kept.has(key)) continue;
      this.#known.delete(key);
      this.#sum -= height;
    }
  }

  /** Puts rows in the place of the first `removed`. */
  replaceHead(removed, keys) {
    this.length += keys.length - removed;
    while (removed > 0) {
      const [block] = this.#blocks;
      if (block.heights.length <= removed) {
        removed -= this.#blocks.shift().heights.length;
      } else {
        this.#blocks[0] = summed(block.heights.slice(removed));
        removed = 0;
      }
    }
    const [first] = this.#blocks;
    if (first && first.heights.length + keys.length <= BLOCK) {
      this.#blocks[0] = summed([...this.#heights(keys), ...first.heights]);
    } else {
      this.#blocks.unshift(...this.#cut(keys));
    }
  }

  /** Notes how high a row turned out to be; false if that was known. */
  learn(at, key, height) {
    const known = this.#known.get(key);
    if (known === height) return false;
    this.#known.set(key, height);
    this.#sum += height - (known ?? 0);
    const [block, within] = this.#at(at);
    block.sum += height - block.heights[within];
    if (block.heights[within] === 0) block.unknown--;
    block.heights[within] = height;
    return true;
  }

  /** Where a row begins; behind the last, where all end. */
  top(at) {
    const guess = this.#guess;
    let top = 0;
    for (const block of this.#blocks) {
      if (at < block.heights.length) {
        for (let row = 0; row < at; row++) top += block.heights[row] || guess;
        return top;
      }
      top += block.sum + block.unknown * guess;
      at -= block.heights.length;
    }
    return top;
  }

  /** The row at a height; the last, if it is below all. */
  find(height) {
    const guess = this.#guess;
    let [at, end] = [0, 0];
    for (const block of this.#blocks) {
      const below = end + block.sum + block.unknown * guess;
      if (below <= height) {
        at += block.heights.length;
        end = below;
        continue;
      }
      for (const known of block.heights) {
        end += known || guess;
        if (end > height) break;
        at++;
      }
      break;
    }
    return Math.max(0, Math.min(at, this.length - 1));
  }

  get #guess() {
    return this.#known.size > 0 ? this.#sum / this.#known.size : GUESS;
  }

  #at(at) {
    for (const block of this.#blocks) {
      if (at < block.heights.length) return [block, at];
      at -= block.heights.length;
    }
    throw new RangeError('There is no such row');
  }

  #cut(keys) {
    const blocks = [];
    for (let at = 0; at < keys.length; at += BLOCK) blocks.push(summed(this.#heights(keys.slice(at, at + BLOCK))));
    return blocks;
  }

  #heights(keys) {
    return keys.map((key) => this.#known.get(key) ?? 0);
  }
}

// Rows side by side; 0 is a height that nobody knows.
function summed(heights) {
  const [sum, unknown] = heights.reduce(([sum, unknown], height) => [sum + height, unknown + (height === 0 ? 1 : 0)], [0, 0]);
  return { heights, sum, unknown };
}
