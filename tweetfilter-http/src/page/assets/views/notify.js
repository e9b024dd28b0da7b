// Notifications of the desktop: asked for on a press, few, and none while somebody looks.

import { model } from '../model/index.js';
import { ofAddress } from '../model/remembered.js';
import { called, seen } from './text.js';

const WANTED = 'tweetfilter.notify';
// So many within so long; the rest is summed up by the next one.
const MOST = 3;
const WITHIN = 60_000;
// Held by each tab that somebody looks at.
const LOOKED_AT = 'tweetfilter.looked-at';

class Notifications extends EventTarget {
  #shown = [];
  #left = 0;

  /** `on`, `off`, `refused` by the browser, or `none` to be had. */
  get state() {
    if (!('Notification' in window) || !isSecureContext) return 'none';
    if (Notification.permission === 'denied') return 'refused';
    return Notification.permission === 'granted' && ofAddress.get(WANTED) === 'on' ? 'on' : 'off';
  }

  /** Turns them on or off; browsers ask for leave only where a press wants it. */
  async turn(on) {
    const granted = !on || (await Notification.requestPermission()) === 'granted';
    ofAddress.set(WANTED, on && granted ? 'on' : 'off');
    this.dispatchEvent(new Event('change'));
  }

  /** Tells of posts, if that is wanted. */
  async tell(posts) {
    if (this.state !== 'on' || posts.length === 0 || (await isLookedAt())) return;
    const now = Date.now();
    this.#shown = this.#shown.filter((at) => now - at < WITHIN);
    for (const { number, content, filters } of posts) {
      if (this.#shown.length >= MOST) {
        this.#left++;
        continue;
      }
      this.#shown.push(now);
      const more = this.#left > 0 ? `\n… and ${this.#left} more before it` : '';
      this.#left = 0;
      const by = filters.map((id) => model.filter(id)).find((filter) => filter?.action === 'notify');
      const title = called(content.author) || 'A post';
      // The same post told by several tabs is one notification.
      const note = new Notification(by ? `${title} · ${seen(by.name) || by.text}` : title, {
        body: content.text.slice(0, 240) + more,
        tag: `tweetfilter-${number}`,
        icon: '/page/icon.svg',
      });
      note.onclick = () => {
        window.focus();
        location.hash = '#/timeline';
        note.close();
      };
    }
  }
}

async function isLookedAt() {
  if (!document.hidden) return true;
  try {
    const { held } = await navigator.locks.query();
    return held.some(({ name }) => name === LOOKED_AT);
  } catch {
    // There are none, or the browser denies them.
    return false;
  }
}

// Lets go of the lock when it is looked at no more.
function look() {
  if (document.hidden || !navigator.locks) return;
  const ends = new Promise((done) => document.addEventListener('visibilitychange', done, { once: true }));
  navigator.locks.request(LOOKED_AT, { mode: 'shared' }, () => ends).catch(() => {});
}

document.addEventListener('visibilitychange', look);
look();

export const notifications = new Notifications();
