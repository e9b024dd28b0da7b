// The stream of what is new: read event by event, taken up again where it broke off.

const FIRST_WAIT = 300;
const LONGEST_WAIT = 5_000;
// The server writes every 15 seconds, be it a comment; what is silent for longer, and a little, is broken.
const SILENCE = 20_000;

// What tells of commits; all else is of now, and told wherever a tab stands.
const OF_COMMITS = ['post', 'removed', 'changed', 'commit', 'missed'];

/**
 * Calls `tell(name, data)` for each event, until the signal ends it or it is `refused`.
 *
 * A browser opens few connections to a server, so one tab of those that use a token holds the stream and passes on
 * what it hears. It is the one that was looked at last, since others may be put to sleep. A tab that the stream left
 * behind has it begin where that tab stands; the others know what comes again.
 */
export async function follow(api, { name, after }, tell, signal) {
  // Where the stream stands that this tab holds.
  const place = { after };
  if (!(await mayShare())) return stream(api, place, tell, signal);
  const channel = new BroadcastChannel(name);
  const tab = new Listener(after, tell, (behind) => channel.postMessage(['behind', behind]));
  channel.onmessage = ({ data: [event, data, from] }) => {
    if (event === 'behind') place.rewind?.(data);
    else tab.hear(event, data, from);
  };
  const pass = (event, data) => {
    const from = place.after;
    tab.hear(event, data, from);
    if (!signal.aborted) channel.postMessage([event, data && { ...data, message: data.message }, from]);
  };
  let steal = !document.hidden;
  while (!signal.aborted) {
    const ends = new AbortController();
    let holds = false;
    const looked = () => {
      if (!document.hidden && !holds) ends.abort();
    };
    document.addEventListener('visibilitychange', looked);
    const either = AbortSignal.any([signal, ends.signal]);
    try {
      const options = steal ? { steal } : { signal: either };
      await navigator.locks.request(name, options, () => {
        holds = true;
        place.after = tab.after;
        return stream(api, place, pass, either);
      });
      if (holds && !signal.aborted) break;
    } catch {
      // Another tab took it over, or this one is looked at and takes it itself.
    } finally {
      document.removeEventListener('visibilitychange', looked);
    }
    steal = !holds && !document.hidden;
    ends.abort();
  }
  channel.close();
}

// Whether tabs can agree on which of them holds the stream: a browser that lets nothing be kept refuses that, too.
async function mayShare() {
  try {
    await navigator.locks.query();
    return true;
  } catch {
    return false;
  }
}

/** What a tab has heard, whichever tab holds the stream. */
export class Listener {
  #tell;
  #ask;
  #asked = null;

  /** `ask` is called with where this tab stands, once a stream goes on from further. */
  constructor(after, tell, ask) {
    /** All up to this commit was heard. */
    this.after = after;
    [this.#tell, this.#ask] = [tell, ask];
  }

  /** Takes an event of a stream that goes on from a commit. */
  hear(event, data, from) {
    if (event === 'open') this.#asked = null;
    const isBehind = from > this.after && !data?.rewound;
    if (isBehind && this.#asked !== this.after) {
      this.#asked = this.after;
      this.#ask(this.after);
    }
    if (OF_COMMITS.includes(event)) {
      // It comes again once the stream is back at where this tab stands.
      if (isBehind) return;
      const isKnown = data.commit <= this.after;
      if (event === 'commit') this.after = data.rewound ? Math.min(this.after, data.commit) : Math.max(this.after, data.commit);
      else if (isKnown) return;
    }
    this.#tell(event, data);
  }
}

async function stream(api, place, tell, signal) {
  let wait = FIRST_WAIT;
  while (!signal.aborted) {
    const again = new AbortController();
    // Another tab was left behind.
    place.rewind = (after) => {
      if (after >= place.after) return;
      place.after = after;
      again.abort();
    };
    try {
      const asked = place.after;
      const events = api.events('GET', '/live?hidden=true&highlights=true', {
        headers: { 'last-event-id': String(asked) },
        signal: AbortSignal.any([signal, again.signal]),
        silence: SILENCE,
        opened: () => tell('open', null),
      });
      for await (const event of events) {
        if (again.signal.aborted) break;
        if (event.name === 'end' && event.data.error.code === 'unknown_token') {
          tell('refused', event.data.error);
          return;
        }
        // A store that was put back to an earlier state has fewer commits than it had.
        if (event.name === 'commit' && event.data.commit < asked) event.data.rewound = true;
        tell(event.name, event.data);
        if (event.name === 'commit') place.after = event.data.commit;
        wait = FIRST_WAIT;
      }
      if (!again.signal.aborted) tell('lost', null);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401 || error.status === 403) {
        tell('refused', error);
        return;
      }
      if (!again.signal.aborted) {
        tell('lost', error);
        if (error.retryAfter) wait = Math.max(wait, error.retryAfter * 1_000);
      }
    }
    await pause(wait, signal);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}

// Ends early where the browser says that it is online again.
function pause(time, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, time);
    addEventListener('online', done);
    signal.addEventListener('abort', done);
  });
}
