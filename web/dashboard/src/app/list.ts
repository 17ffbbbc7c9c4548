/**
 * The rows on screen: one signal for the order, one for each row.
 *
 * A card reads its own row's signal, so a change of one job draws one card. The window grows when
 * more is asked for; until the new window has arrived the old one stays.
 */
import { batch, effect, signal, untracked } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { Client, Job, Page, Row } from '@plainsync/client';
import { PAGE_ROWS } from '../pure/limits.ts';
import { isWhole, toQuery } from '../pure/query.ts';
import type { Shown } from '../pure/query.ts';
import { same } from '../pure/same.ts';

export interface JobList {
  readonly keys: ReadonlySignal<readonly string[]>;
  /** How many match altogether; null until the replica has answered. */
  readonly total: ReadonlySignal<number | null>;
  row(key: string): ReadonlySignal<Row<Job>> | undefined;
  /** Asks for more rows, unless all are here. */
  more(): void;
  stop(): void;
}

export function createList(client: Client<Job>, shown: ReadonlySignal<Shown>): JobList {
  const rows = new Map<string, Signal<Row<Job>>>();
  const keys = signal<readonly string[]>([]);
  const total = signal<number | null>(null);
  const limit = signal(PAGE_ROWS);
  let stopOld = () => {};
  let asked = '';
  let last = shown.peek();

  function show(page: Page<Job>): void {
    batch(() => {
      for (const row of page.rows) {
        const known = rows.get(row.key);
        if (!known) rows.set(row.key, signal(row));
        else if (!same(known.peek(), row)) known.value = row;
      }
      const next = page.rows.map((row) => row.key);
      if (!same(keys.peek(), next)) keys.value = next;
      total.value = page.total;
    });
    const kept = new Set(keys.peek());
    for (const key of rows.keys()) if (!kept.has(key)) rows.delete(key);
  }

  function watch(wanted: Shown, size: number): void {
    const query = toQuery(wanted, size);
    const text = JSON.stringify(query);
    if (text === asked) return;
    asked = text;
    const stopBefore = stopOld;
    let first = true;
    const stop = client.jobs.subscribe(query, (page) => {
      if (asked !== text) return;
      show(page);
      if (first) stopBefore();
      first = false;
    });
    stopOld = () => {
      stop();
      stopBefore();
    };
  }

  if (shown.peek().place === 'jobs' && isWhole(shown.peek())) {
    for (const row of client.first) rows.set(row.key, signal(row));
    keys.value = client.first.map((row) => row.key);
  }
  const stopEffect = effect(() => {
    const wanted = shown.value;
    if (wanted !== last) {
      last = wanted;
      limit.value = PAGE_ROWS;
    }
    const size = limit.value;
    untracked(() => watch(wanted, size));
  });

  return {
    keys,
    total,
    row: (key) => rows.get(key),
    more() {
      if (total.peek() !== null && keys.peek().length < (total.peek() ?? 0) && limit.peek() <= keys.peek().length) limit.value += PAGE_ROWS;
    },
    stop() {
      stopEffect();
      stopOld();
    },
  };
}
