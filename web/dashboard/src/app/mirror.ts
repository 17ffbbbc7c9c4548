/**
 * All jobs, for the console: `app.getState().jobs`.
 *
 * Read in small pages once the page is idle, then kept up to date by the client's changes. Nothing
 * on screen depends on it.
 */
import type { ChangeEvent, Client, Job, Row } from '@plainsync/client';
import { ALL_ROWS_STEP } from '../pure/limits.ts';

export interface Mirror {
  /** Oldest first, as the file has them. */
  rows(): Row<Job>[];
  hear(change: ChangeEvent<Job>): void;
  /** Reads everything again. */
  load(): Promise<number>;
}

export function createMirror(client: Pick<Client<Job>, 'jobs'>): Mirror {
  let rows = new Map<string, Row<Job>>();
  /** Changes heard while a load runs: newer than what it reads. */
  let heard: Map<string, Row<Job> | null> | null = null;
  const put = (key: string, row: Row<Job> | null) => {
    heard?.set(key, row);
    if (row) rows.set(key, row);
    else rows.delete(key);
  };

  async function read(): Promise<number> {
    heard = new Map();
    const read = new Map<string, Row<Job>>();
    for (;;) {
      const page = await client.jobs.query({ sort: 'created', offset: read.size, limit: ALL_ROWS_STEP });
      const before = read.size;
      for (const row of page.rows) read.set(row.key, row);
      if (page.rows.length === 0 || read.size === before || read.size >= page.total) break;
    }
    for (const [key, row] of heard) {
      if (row) read.set(key, row);
      else read.delete(key);
    }
    rows = read;
    heard = null;
    return rows.size;
  }

  let loading: Promise<number> | null = null;
  return {
    rows: () => [...rows.values()].sort((a, b) => (a.job.createdAt ?? 0) - (b.job.createdAt ?? 0)),
    hear(change) {
      for (const row of [...change.added, ...change.updated]) put(row.key, row.inBin ? null : row);
      for (const row of change.removed) put(row.key, null);
    },
    load: () => (loading ??= read().finally(() => (loading = null))),
  };
}
