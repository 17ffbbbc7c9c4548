/**
 * What one can do with jobs. Each action says in the log and in a toast what became of it;
 * what can be undone offers so.
 */
import type { Client, Job, Row } from '@plainsync/client';
import type { Bus } from '../console/bus.ts';
import type { Log } from '../console/log.ts';
import { DIRECTIONS } from '../pure/directions.ts';
import { count } from '../pure/format.ts';
import type { NewJob } from '../pure/validate.ts';
import type { Toasts } from './toasts.ts';

export interface Rotation {
  row: Row<Job>;
  /** The source's picture, as the record holds it. */
  picture: string;
  from: string;
  to: readonly string[];
}

export interface Actions {
  /** Adds `copies` equal jobs, the seed kept on each, and orders a run of each. */
  add(job: NewJob, copies?: number): Promise<Row<Job>[]>;
  run(row: Row<Job>): Promise<void>;
  remove(row: Row<Job>): Promise<void>;
  restore(keys: string[]): Promise<void>;
  purge(keys: string[]): Promise<void>;
  clear(): Promise<void>;
  rotate(rotation: Rotation): Promise<void>;
}

const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The side given to a rotation whose source does not say, in pixels. */
const SIDE_UNKNOWN_PX = 64;

export function createActions(
  client: Client<Job>,
  toasts: Toasts,
  log: Log,
  bus: Bus,
  now: () => number = Date.now,
): Actions {
  async function attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      log('JOB', 'ERROR', `${what}: ${sentence(error)}`);
      toasts.show({ text: `${what}: ${sentence(error)}`, tone: 'bad' });
      return undefined;
    }
  }

  /**
   * Adds records and orders a run of each. Before the first server has answered nobody can be
   * ordered; the records are kept at once all the same, and the order follows.
   */
  async function insertAll(records: Partial<Job>[]): Promise<Row<Job>[]> {
    const run = client.status.get().serverId !== null;
    const rows = await Promise.all(records.map((record) => client.jobs.insert(record, { run })));
    if (!run) await client.jobs.run(rows.map((row) => row.key));
    return rows;
  }

  async function restore(keys: string[]): Promise<void> {
    await attempt('Not restored', async () => {
      await client.jobs.restore(keys);
      bus.emit('jobs:restored', { count: keys.length });
      log('JOB', 'SUCCESS', `Restored ${count(keys.length, 'job')}`);
    });
  }

  return {
    restore,
    async add(job, copies = 1) {
      const createdAt = now();
      const rows = await attempt('Not added', () =>
        insertAll(Array.from({ length: copies }, (_, i) => ({ ...job, createdAt: createdAt + i }))),
      );
      if (!rows) return [];
      log('QUEUE', 'INFO', `Queued ${rows.map((row) => row.job.id).join(', ')}`);
      return rows;
    },
    async run(row) {
      await attempt(`${row.job.id} was not started`, async () => {
        await client.jobs.run(row.key);
        log('QUEUE', 'INFO', `Queued ${row.job.id}`);
      });
    },
    async remove(row) {
      await attempt(`${row.job.id} was not removed`, async () => {
        await client.jobs.remove(row.key);
        log('JOB', 'INFO', `Removed ${row.job.id}`);
        toasts.show({
          text: `${row.job.id} moved to the bin`,
          tone: 'plain',
          action: { label: 'Undo', run: () => void restore([row.key]) },
        });
      });
    },
    async purge(keys) {
      await attempt('Not deleted', async () => {
        await client.jobs.purge(keys);
        log('JOB', 'WARNING', `Deleted ${count(keys.length, 'job')} for good`);
        toasts.show({ text: `${count(keys.length, 'job')} deleted for good`, tone: 'plain' });
      });
    },
    async clear() {
      await attempt('Not cleared', async () => {
        const { keys } = await client.jobs.clear();
        bus.emit('jobs:cleared', { keys });
        log('JOB', 'INFO', `Cleared ${count(keys.length, 'job')}`);
        toasts.show({
          text: `${count(keys.length, 'job')} moved to the bin`,
          tone: 'plain',
          action: { label: 'Undo', run: () => void restore(keys) },
        });
      });
    },
    async rotate({ row, picture, from, to }) {
      const { job } = row;
      const createdAt = now();
      const rows = await attempt('Not rotated', () =>
        insertAll(
          to.map((toDirection, i) => ({
            prompt: job.prompt,
            width: Number.isFinite(job.width) ? job.width : SIDE_UNKNOWN_PX,
            height: Number.isFinite(job.height) ? job.height : SIDE_UNKNOWN_PX,
            seed: job.seed ?? null,
            createdAt: createdAt + i,
            isRotation: true,
            rotationData: { sourceJobId: row.key, imageDataUrl: picture, toDirection, fromDirection: from },
          })),
        ),
      );
      if (!rows) return;
      const labels = to.map((name) => DIRECTIONS.find((one) => one.name === name)?.label ?? name);
      log('QUEUE', 'INFO', `Queued ${count(rows.length, 'rotation')} of ${job.id}`, labels);
      toasts.show({ text: `${count(rows.length, 'rotation')} of ${job.id} queued`, tone: 'good' });
    },
  };
}
