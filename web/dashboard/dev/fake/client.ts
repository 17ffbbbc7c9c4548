/**
 * `@plainsync/client` in memory: the same interface, no worker, no server, nothing stored.
 *
 * For unit tests and for looking at the dashboard. Run orders are carried out by a timer; pictures
 * are drawn on the spot. Never part of the bundle that ships.
 */
import type { ChangeEvent, Client, Events, FileNews, Job, Jobs, Page, Peer, Presence, Query, Row, Stats, Status, Stretch } from '@plainsync/client';
import { Cell } from './readable.ts';
import type { Scenario } from './scenario.ts';

/** How the fake is told to behave. `paint` draws a picture; without it pictures are refused. */
export interface FakeOptions {
  scenario: Scenario;
  paint?: (seed: string, width: number, height: number) => string;
  runMs?: number;
}

const asList = (keys: string | string[]) => (typeof keys === 'string' ? [keys] : keys);

export class FakeClient implements Client<Job> {
  readonly ready: Promise<void>;
  readonly first: readonly Row<Job>[];
  readonly stats: Cell<Stats>;
  readonly status: Cell<Status>;
  readonly file: Cell<FileNews | null>;
  readonly presence: Presence = { set: () => {}, others: new Cell<readonly Peer[]>([]) };
  readonly #rows = new Map<string, Row<Job>>();
  readonly #windows = new Set<() => void>();
  readonly #listeners = new Map<string, Set<(payload: never) => void>>();
  readonly #options: FakeOptions;
  #number = 0;

  constructor(options: FakeOptions) {
    this.#options = options;
    const { scenario } = options;
    for (const row of scenario.rows) this.#rows.set(row.key, row);
    this.#number = scenario.rows.length;
    this.first = scenario.cached ? this.#find({ limit: 24 }).rows : [];
    this.stats = new Cell(this.#count());
    this.file = new Cell<FileNews | null>(scenario.news ?? null);
    this.status = new Cell<Status>({
      saved: scenario.saved,
      waiting: scenario.waiting,
      oldestWaitingAt: scenario.waiting > 0 ? Date.now() - 134_000 : null,
      connection: scenario.connection,
      serverHasIt: scenario.connection === 'online',
      peers: scenario.connection === 'online' ? 2 : 0,
      serverId: 'fake',
      ...(scenario.saved === 'failed'
        ? { detail: 'the database of this browser refused the write: the disk is full' }
        : {}),
      ...(scenario.connection === 'refused' ? { detail: 'the token is missing or has expired' } : {}),
    });
    this.ready = new Promise((done) => {
      setTimeout(() => {
        done();
        for (const notice of scenario.notices) this.#emit('notice', notice);
        for (const row of this.#rows.values())
          if (row.job.status === 'queued' && scenario.connection === 'online') this.#later(row.key);
      }, scenario.loadMs);
    });
  }

  readonly jobs: Jobs<Job> = {
    insert: async (record, options) => {
      await this.ready;
      this.#number += 1;
      const key = `f${crypto.randomUUID().replaceAll('-', '')}`;
      const row: Row<Job> = {
        key,
        job: {
          id: `job-${this.#number}`,
          prompt: '',
          width: 64,
          height: 64,
          seed: null,
          result: null,
          error: null,
          startTime: null,
          endTime: null,
          duration: null,
          createdAt: 0,
          ...record,
          status: options?.run ? 'queued' : 'idle',
        },
        inBin: false,
        keptByEdit: false,
        conflicts: [],
        run: options?.run ? { id: `r${key}`, server: 'fake' } : null,
      };
      this.#put({ added: [row] });
      if (options?.run) this.#later(key);
      return row;
    },
    change: async (key, set, unset = []) => {
      const row = this.#must(key);
      const job: Job = { ...row.job, ...set };
      for (const field of unset) delete job[field];
      this.#put({ updated: [{ ...row, job }] });
    },
    remove: async (keys) => this.#put({ removed: asList(keys).map((key) => ({ ...this.#must(key), inBin: true })) }),
    restore: async (keys) => this.#put({ added: asList(keys).map((key) => ({ ...this.#must(key), inBin: false })) }),
    purge: async (keys) => {
      for (const key of asList(keys)) this.#rows.delete(key);
      this.#put({});
    },
    run: async (keys) => {
      for (const key of asList(keys)) {
        const row = this.#must(key);
        this.#put({
          updated: [
            {
              ...row,
              job: {
                ...row.job,
                status: 'queued',
                error: null,
                result: null,
                startTime: null,
                endTime: null,
                duration: null,
              },
              run: { id: `r${Date.now()}`, server: 'fake' },
            },
          ],
        });
        this.#later(key);
      }
    },
    clear: async () => {
      const shown = [...this.#rows.values()].filter((row) => !row.inBin);
      this.#put({ removed: shown.map((row) => ({ ...row, inBin: true })) });
      return { keys: shown.map((row) => row.key) };
    },
    get: async (key) => this.#rows.get(key),
    conflicts: async (key) => {
      const { conflicts, job } = this.#must(key);
      return conflicts.map((field) => ({
        field,
        values: [
          { op: `1@${field}`, value: this.#other(field, job), device: 'a1b2c3d4e5f60718', author: 'Laptop', at: 1_769_854_271_000 },
          { op: `2@${field}`, value: field === 'run' ? job : job[field], device: 'b2b2c3d4e5f60718', author: null, at: 1_769_854_300_000 },
        ],
      }));
    },
    resolve: async (key, { field }, keep) => {
      const row = this.#must(key);
      if (!row.conflicts.includes(field)) throw new Error('it is not the conflict that was shown');
      const value = 'side' in keep ? keep.side.value : keep.value;
      const job: Job = field === 'run' ? { ...row.job, ...(value as Job) } : { ...row.job, [field]: value };
      this.#put({ updated: [{ ...row, job, conflicts: row.conflicts.filter((other) => other !== field) }] });
    },
    query: async (query = {}) => {
      await this.ready;
      return this.#find(query);
    },
    subscribe: (asked, listener, fault) => {
      const query = { ...asked };
      let before = '';
      const tell = () => {
        if (query.q?.endsWith(':')) return fault?.({ message: 'a value is missing', at: query.q.length });
        const page = this.#find(query);
        const now = JSON.stringify(page);
        if (now !== before) listener(structuredClone(page));
        before = now;
      };
      let stopped = false;
      void this.ready.then(() => {
        if (stopped) return;
        this.#windows.add(tell);
        tell();
      });
      const stop = () => {
        stopped = true;
        this.#windows.delete(tell);
      };
      const move = (stretch: Stretch) => {
        Object.assign(query, stretch);
        before = '';
        void this.ready.then(() => stopped || tell());
      };
      return Object.assign(stop, { move });
    },
  };

  on<E extends keyof Events<Job>>(event: E, listener: (payload: Events<Job>[E]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    set.add(listener as (payload: never) => void);
    return () => set.delete(listener as (payload: never) => void);
  }

  async image(value: string): Promise<string> {
    const [, n, width, height] = /^blob:sha256-fake-(.+)-(\d+)-(\d+)$/.exec(value) ?? [];
    if (!n) throw new Error('this is no picture: expected PNG, JPEG, WebP or GIF');
    const { paint, scenario } = this.#options;
    if (!paint || (scenario.connection === 'offline' && n.endsWith('3')))
      throw new Error('not kept on this device, and the server is out of reach');
    const answer = await fetch(paint(n, Number(width), Number(height)));
    return URL.createObjectURL(await answer.blob());
  }

  async exportJson(): Promise<string> {
    return `${JSON.stringify({ jobs: this.#find({ limit: 1e9 }).rows.map((row) => row.job), lastJobId: this.#number + 1, version: '1.0' }, null, 2)}\n`;
  }

  async importText(text: string): Promise<{ added: number; changed: number; ignored: number }> {
    const file = JSON.parse(text) as { jobs?: Job[] };
    if (!Array.isArray(file.jobs)) throw new Error('expected an object with a list "jobs"');
    for (const job of file.jobs) await this.jobs.insert(job);
    return { added: file.jobs.length, changed: 0, ignored: 0 };
  }

  async flush(): Promise<void> {
    await this.ready;
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#windows.clear();
  }

  /** Lets something happen as if it came from elsewhere. */
  #emit<E extends keyof Events<Job>>(event: E, payload: Events<Job>[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(payload as never);
  }

  #other(field: string, job: Job): unknown {
    const { status, result, error } = job;
    return field === 'run' ? { status, result, error } : `${String(job[field])}, otherwise`;
  }

  #must(key: string): Row<Job> {
    const row = this.#rows.get(key);
    if (!row) throw new Error('no such job');
    return row;
  }

  #put(change: Partial<ChangeEvent<Job>>): void {
    const { added = [], updated = [], removed = [] } = change;
    for (const row of [...added, ...updated, ...removed]) this.#rows.set(row.key, row);
    this.stats.set(this.#count());
    for (const tell of this.#windows) tell();
    this.#emit('change', { added, updated, removed, origin: 'local' });
    const status = this.status.get();
    if (status.connection !== 'online')
      this.status.set({
        ...status,
        waiting: status.waiting + 1,
        oldestWaitingAt: status.oldestWaitingAt ?? Date.now(),
      });
  }

  #later(key: string): void {
    if (this.#options.scenario.connection !== 'online') return;
    const ms = this.#options.runMs ?? 2500;
    const step = (job: Partial<Job>) => {
      const row = this.#rows.get(key);
      if (row) this.#put({ updated: [{ ...row, job: { ...row.job, ...job } }] });
    };
    setTimeout(() => step({ status: 'running', startTime: Date.now() }), ms / 3);
    setTimeout(() => {
      const job = this.#rows.get(key)?.job;
      if (job)
        step({
          status: 'success',
          endTime: Date.now(),
          duration: ms / 1000,
          result: `blob:sha256-fake-${job.prompt}${job.seed ?? key}-${job.width}-${job.height}`,
        });
    }, ms * 1.3);
  }

  #find(query: Query): Page<Job> {
    const words = (query.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (row: Row<Job>) =>
      row.inBin === (query.bin ?? false) &&
      words.every((word) => {
        if (word === 'has:conflict') return row.conflicts.length > 0;
        const [, not, status, plain] = /^(-?)(?:status:(\S+)|(.*))$/.exec(word) ?? [];
        const found = status
          ? status.split(',').includes(row.job.status)
          : `${row.job.id} ${row.job.prompt}`.toLowerCase().includes((plain ?? '').replaceAll('"', ''));
        return found !== (not === '-');
      });
    const found = [...this.#rows.values()].filter(fits);
    const sort = query.sort ?? '-created';
    const field = sort.replace(/^-/, '').replace(/^created$/, 'createdAt');
    const sign = sort.startsWith('-') ? -1 : 1;
    const of = (row: Row<Job>) => row.job[field] as number | string | null;
    found.sort((a, b) => {
      const [left, right] = [of(a) ?? -1, of(b) ?? -1];
      return left === right ? 0 : sign * (left < right ? -1 : 1);
    });
    const offset = query.offset ?? 0;
    return { rows: found.slice(offset, offset + (query.limit ?? 100)), total: found.length, offset };
  }

  #count(): Stats {
    const shown = [...this.#rows.values()].filter((row) => !row.inBin);
    const of = (status: string) => shown.filter((row) => row.job.status === status).length;
    const [success, error] = [of('success'), of('error')];
    return {
      total: shown.length,
      idle: of('idle'),
      queued: of('queued'),
      running: of('running'),
      success,
      error,
      bin: this.#rows.size - shown.length,
      conflicts: shown.filter((row) => row.conflicts.length > 0).length,
      successRate: success + error > 0 ? success / (success + error) : null,
      averageDuration: null,
    };
  }
}
