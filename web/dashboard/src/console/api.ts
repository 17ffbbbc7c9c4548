/**
 * What one may type in the browser's console: `app` and `state`, as in the old dashboard.
 */
import type { Client, Job, Row, Stats, Status } from '@plainsync/client';
import type { App } from '../app/app.ts';
import type { Config } from '../app/config.ts';
import type { Diagnostics } from '../app/diagnostics.ts';
import { count } from '../pure/format.ts';
import { jobOf } from './bus.ts';
import type { BusEvent, BusEvents } from './bus.ts';
import type { Line } from './log.ts';

export interface Snapshot {
  jobs: Job[];
  lastJobId: number;
  stats: Stats;
  status: Status;
  config: Config;
  diagnostics: Diagnostics;
  log: readonly Line[];
}

export interface Metrics extends Stats {
  /** Running and queued. */
  active: number;
  maxParallelJobs: number;
  waiting: number;
  oldestWaitingMs: number | null;
}

export interface ConsoleApp {
  /** The typed client that the page itself uses: insert, change, remove, query, subscribe … */
  readonly client: Client<Job>;
  /** Everything the page knows now, as plain data. */
  getState(): Snapshot;
  getMetrics(): Metrics;
  /** Moves all jobs to the bin; a toast offers Undo. */
  clearHistory(): Promise<void>;
  refreshDiagnostics(): Promise<Diagnostics>;
  /** Adds a small job with a fixed seed and runs it. */
  createTestJob(): Promise<Job>;
  /** Says how many jobs may run together; gives what holds now. */
  setMaxParallelJobs(n: number): Promise<number>;
}

export interface ConsoleState {
  /** Reads the jobs kept in this browser again; gives how many. */
  loadFromStorage(): Promise<number>;
  /** Waits until everything the server has is here; gives whether it is. */
  loadFromServer(): Promise<boolean>;
  /** Resolves when every edit made so far is safe in this browser. */
  saveToStorage(): Promise<void>;
  saveToLocalStorage(): Promise<void>;
  subscribe<E extends BusEvent>(event: E, listener: (payload: BusEvents[E]) => void): () => void;
}

/** How long `loadFromServer` waits, in ms. */
export const SERVER_WAIT_MS = 10_000;
/** Most jobs that may be asked to run together. */
export const PARALLEL_JOBS_MAX = 16;

/** The number after the highest label here: what the next job will be called, or more. */
export function nextNumber(rows: readonly Row<Job>[]): number {
  const numbers = rows.map((row) => Number(/^job-(\d{1,15})$/.exec(String(row.job.id))?.[1] ?? 0));
  return numbers.reduce((highest, n) => Math.max(highest, n), 0) + 1;
}

function serverAnswers(app: App, waitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let stop = () => {};
    const end = (value: boolean) => {
      clearTimeout(timer);
      queueMicrotask(() => stop());
      resolve(value);
    };
    const timer = setTimeout(() => end(false), waitMs);
    stop = app.status.subscribe((status) => {
      if (status.connection === 'online' && status.serverHasIt) end(true);
    });
  });
}

export function createConsole(
  app: App,
  serverWaitMs: number = SERVER_WAIT_MS,
): { app: ConsoleApp; state: ConsoleState } {
  const save = async () => {
    await app.client.flush();
    app.log('SYSTEM', 'SUCCESS', 'Saved jobs in this browser');
  };
  return {
    app: {
      client: app.client,
      getState() {
        const rows = app.mirror.rows();
        return {
          jobs: rows.map(jobOf),
          lastJobId: nextNumber(rows),
          stats: app.stats.peek(),
          status: app.status.peek(),
          config: app.config.value.peek(),
          diagnostics: app.diagnostics.value.peek(),
          log: [...app.log.lines],
        };
      },
      getMetrics() {
        const [stats, status] = [app.stats.peek(), app.status.peek()];
        return {
          ...stats,
          active: stats.running + stats.queued,
          maxParallelJobs: app.config.value.peek().maxParallelJobs,
          waiting: status.waiting,
          oldestWaitingMs: status.oldestWaitingAt === null ? null : Date.now() - status.oldestWaitingAt,
        };
      },
      clearHistory: () => app.actions.clear(),
      refreshDiagnostics: () => app.diagnostics.refresh(),
      async createTestJob() {
        const [row] = await app.actions.add({
          prompt: 'test job: a tiny robot waving',
          width: 32,
          height: 32,
          seed: '1',
        });
        if (!row) throw new Error('the test job was not added; the log says why');
        return jobOf(row);
      },
      async setMaxParallelJobs(n) {
        if (!Number.isInteger(n) || n < 1 || n > PARALLEL_JOBS_MAX)
          throw new RangeError(`setMaxParallelJobs(n): n is ${n}; it may be 1 to ${PARALLEL_JOBS_MAX}`);
        return app.setMaxParallelJobs(n);
      },
    },
    state: {
      async loadFromStorage() {
        await app.client.ready;
        const here = await app.mirror.load();
        app.log('SYSTEM', 'INFO', `Loaded ${count(here, 'job')} from this browser`);
        app.bus.emit('jobs:restored', { count: here });
        return here;
      },
      async loadFromServer() {
        const here = await serverAnswers(app, serverWaitMs);
        if (here) app.log('API', 'SUCCESS', 'Loaded jobs from server', { count: await app.mirror.load() });
        else app.log('API', 'WARNING', `The server did not answer within ${serverWaitMs / 1000} s; the jobs here stay`);
        return here;
      },
      saveToStorage: save,
      saveToLocalStorage: save,
      subscribe: (event, listener) => app.bus.subscribe(event, listener),
    },
  };
}
