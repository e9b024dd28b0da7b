// The stream of what is new: read event by event, taken up again where it broke off.

const FIRST_WAIT = 300;
const LONGEST_WAIT = 5_000;
// The server writes every 15 seconds, be it a comment; what is silent for longer is broken.
const SILENCE = 40_000;

/**
 * Calls `tell(name, data)` for each event, until the signal ends it or it is `refused`.
 *
 * A browser opens few connections to a server, so one tab of those that use a token holds the stream and passes on
 * what it hears. It is the one that was looked at last, since others may be put to sleep.
 */
export async function follow(api, { name, after }, tell, signal) {
  const place = { after };
  if (!navigator.locks) return stream(api, place, tell, signal);
  const channel = new BroadcastChannel(name);
  const heard = (event, data) => {
    if (event === 'commit') place.after = data.commit;
    tell(event, data);
  };
  channel.onmessage = ({ data: [event, data] }) => heard(event, data);
  const pass = (event, data) => {
    heard(event, data);
    if (!signal.aborted) channel.postMessage([event, data && { ...data, message: data.message }]);
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

async function stream(api, place, tell, signal) {
  let wait = FIRST_WAIT;
  while (!signal.aborted) {
    const silence = new AbortController();
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
    };
    try {
      heard();
      const events = await api.events('GET', '/live?hidden=true&highlights=true', {
        headers: { 'last-event-id': String(place.after) },
        signal: AbortSignal.any([signal, silence.signal]),
        heard,
      });
      tell('open', null);
      for await (const event of events) {
        if (event.name === 'commit') place.after = event.data.commit;
        if (event.name === 'end' && event.data.error.code === 'unknown_token') {
          tell('refused', event.data.error);
          return;
        }
        tell(event.name, event.data);
        wait = FIRST_WAIT;
      }
      tell('lost', null);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401 || error.status === 403) {
        tell('refused', error);
        return;
      }
      tell('lost', error);
      if (error.retryAfter) wait = Math.max(wait, error.retryAfter * 1_000);
    } finally {
      clearTimeout(timer);
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
