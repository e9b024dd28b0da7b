// Parts, hosts, what went wrong, and how it was over time. Those who run the server see all of it.

import { ApiError, model } from '../model/index.js';
import { Operations, ofPart } from '../model/operations.js';
import { plot } from './plot.js';
import { View, act, fill, part } from './template.js';
import { bytes, count, counted, exactly, when } from './text.js';

/** Milliseconds between two looks at the history, which grows every 15 seconds. */
const AGAIN = 15_000;

class OperationsView extends View {
  #operations = new Operations(model);
  #status = null;
  #drawn = {};
  #looked = 0;
  #letters = null;
  #trouble = '';
  #isRetrying = false;
  // What came of the last retry.
  #told = '';

  begin(signal) {
    act(
      this,
      {
        retry: ({ value }) => this.#retry((operations) => operations.retry([Number(value)])),
        'retry-all': () => this.#retry((operations) => operations.retryAll()),
        'letters-more': () => this.#try(() => this.#operations.moreLetters()),
      },
      signal,
    );
    this.part('hours').addEventListener(
      'change',
      ({ target }) => {
        this.#operations.hours = Number(target.value);
        this.#trouble = '';
        this.#look();
        this.#draw();
      },
      { signal },
    );
    this.on(model, 'session', () => {
      const { hours } = this.#operations;
      [this.#operations, this.#looked, this.#letters, this.#told] = [new Operations(model), 0, null, ''];
      this.#operations.hours = hours;
    });
  }

  /** What the API says now. */
  set status(status) {
    this.#status = status;
    this.#draw();
    if (Date.now() - this.#looked > AGAIN) this.#look();
    if (status.dead_letters !== undefined && status.dead_letters !== this.#letters) this.#loadLetters();
  }

  async #look() {
    this.#looked = Date.now();
    await this.#try(() => this.#operations.look());
  }

  // What did not come is asked for again with the next status.
  async #loadLetters() {
    const wanted = (this.#letters = this.#status.dead_letters);
    const isLoaded = await this.#try(() => this.#operations.loadLetters());
    if (!isLoaded && this.#letters === wanted) this.#letters = null;
  }

  // Says what came of it beside the button that was pressed.
  async #retry(asked) {
    if (this.#isRetrying) return;
    [this.#isRetrying, this.#told] = [true, 'They are put back …'];
    this.#draw();
    try {
      const back = counted(await asked(this.#operations), 'dead letter');
      this.#told = `${back} put back, to be tried again. What fails again comes back to this list.`;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#told = `Not all are put back: ${error.message}`;
    } finally {
      [this.#isRetrying, this.#letters] = [false, null];
    }
    this.#draw();
  }

  // Whether it went well.
  async #try(asked) {
    let isDone = false;
    try {
      await asked();
      [isDone, this.#trouble] = [true, ''];
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#trouble = error.message;
    }
    this.#draw();
    return isDone;
  }

  #draw() {
    const status = this.#status;
    if (!status || !this.firstElementChild) return;
    const { processes, hosts, crash_events: crashes } = status;
    const letters = this.#operations.letters;
    const totals = this.#operations.totals();
    this.update({
      trouble: this.#trouble,
      // Where it failed that is said instead, until it is asked for again.
      loading: this.#operations.isAwaited && !this.#trouble,
      totals: totals.length > 0,
      fresh: !this.#operations.isAwaited && totals.length === 0,
      processes: processes?.length > 0,
      kinds: !processes && status.parts.length > 0,
      hosts: hosts?.length > 0,
      crashes: crashes?.length > 0,
      letters: letters.length > 0 || this.#told,
      some: letters.length > 0,
      told: this.#told,
      more: this.#operations.hasMore && `The oldest ${count(letters.length)} of ${count(status.dead_letters ?? letters.length)} are shown.`,
    });
    this.part('over-time').setAttribute('aria-busy', String(this.#operations.isAwaited && !this.#trouble));
    this.#fill('totals', totals, drawn);
    this.#fill('process-rows', processes ?? [], processed);
    this.#fill('kind-rows', status.parts, ({ kind, running, troubled }) =>
      fill('kind', { kind, fine: troubled === 0, running: counted(running, 'runs', 'run'), troubled: troubled ? counted(troubled, 'has trouble', 'have trouble') : '' }),
    );
    const ofHosts = (hosts ?? []).map((host) => ({ host, plots: this.#operations.ofHost(host.name) }));
    this.#fill('host-rows', ofHosts, hosted);
    this.#fill('crash-rows', crashes ?? [], crashed);
    this.#fill('letter-rows', letters, ({ id, at, source, reason, bytes: size }) =>
      fill('letter', { id, at: when(at), exactly: exactly(at), what: `${source || 'unknown source'}: ${reason}`, size: bytes(size), label: `Try again: dead letter ${id}` }),
    );
  }

  /** Lays a list out again where it says something else: what is unfolded or selected stays. */
  #fill(name, values, made) {
    const said = JSON.stringify(values);
    if (this.#drawn[name] === said) return;
    this.#drawn[name] = said;
    this.part(name).replaceChildren(...values.map(made));
  }
}

function drawn(values) {
  const row = fill('plot', values);
  part(row, 'drawing').replaceChildren(plot(values));
  return row;
}

function processed({ name, host, state, seen, pid, version, started_at: started, cpu_percent: cpu, memory_bytes: memory, parts }) {
  const facts = [host, `process ${pid}`, `version ${version}`];
  if (cpu !== null) facts.push(`CPU ${cpu.toFixed(1)} % of one`, bytes(memory));
  facts.push(state === 'running' ? `since ${when(started)}` : `${state} since ${when(seen)}`);
  const row = fill('process', { name, facts: facts.join(' · '), exactly: exactly(started) });
  const shown = parts.map(ofPart).map(({ is, since, ...told }) =>
    fill('part', { ...told, is, fine: is === 'running' || is === 'standing_by', over: is === 'ended', since: is === 'running' ? '' : `since ${when(since)}` }),
  );
  part(row, 'parts').replaceChildren(...shown);
  return row;
}

function hosted({ host, plots }) {
  const { name, cpu_percent: cpu, cpus, load, watched } = host;
  const facts = [
    `CPU ${Math.round(cpu)} % of ${cpus}`,
    `load ${load.toFixed(2)}`,
    `memory ${bytes(host.memory_bytes)} of ${bytes(host.memory_total_bytes)}`,
    `disk ${bytes(host.disk_bytes)} of ${bytes(host.disk_total_bytes)}`,
    `network ${bytes(host.received_bytes_per_second)}/s in, ${bytes(host.sent_bytes_per_second)}/s out`,
  ];
  const row = fill('host', { name, facts: facts.join(' · '), watched: watched.length > 0 });
  const others = watched.map(({ name: called, count: many, cpu_percent: used, memory_bytes: memory }) =>
    fill('watched', {
      name: many > 1 ? `${called} (${many})` : called,
      fine: many > 0,
      gone: many === 0,
      facts: many > 0 ? `CPU ${used.toFixed(1)} % of one · ${bytes(memory)}` : '',
    }),
  );
  part(row, 'watched-rows').replaceChildren(...others);
  part(row, 'plots').replaceChildren(...plots.map(drawn));
  return row;
}

function crashed({ part: which, at, reason, backtrace }) {
  return fill('crash', { part: which, at: when(at), exactly: exactly(at), reason, backtrace: backtrace || 'No backtrace is known.' });
}

customElements.define('tf-operations', OperationsView);
