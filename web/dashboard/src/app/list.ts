/**
 * The rows on screen: one signal for the order, one for each row.
 *
 * A card reads its own row's signal, so a change of one job draws one card. Rows come in windows of
 * `PAGE_ROWS`, one subscription each, so a change sends one window and not the whole list. Until
 * the first window of a new question has arrived the old answer stays.
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
  /** How many match altogether; null until somebody has answered. */
  readonly total: ReadonlySignal<number | null>;
  /** Whether rows and total answer the present question, not the one before. */
  readonly settled: ReadonlySignal<boolean>;
  row(key: string): ReadonlySignal<Row<Job>> | undefined;
  /** Asks for more rows, unless all are here. */
  more(): void;
  stop(): void;
}

/** One question, and the windows of its answer. */
interface Asked {
  shown: Shown;
  windows: { rows: readonly Row<Job>[] | null; stop: () => void }[];
}

export function createList(client: Client<Job>, shown: ReadonlySignal<Shown>): JobList {
  const rows = new Map<string, Signal<Row<Job>>>();
  const keys = signal<readonly string[]>([]);
  const total = signal<number | null>(null);
  const settled = signal(false);
  let asked: Asked = { shown: shown.peek(), windows: [] };
  let due: ReturnType<typeof setTimeout> | undefined;

  function show(found: readonly Row<Job>[]): void {
    batch(() => {
      for (const row of found) {
        const known = rows.get(row.key);
        if (!known) rows.set(row.key, signal(row));
        else if (!same(known.peek(), row)) known.value = row;
      }
      const next = [...new Set(found.map((row) => row.key))];
      if (!same(keys.peek(), next)) keys.value = next;
    });
    const kept = new Set(keys.peek());
    for (const key of rows.keys()) if (!kept.has(key)) rows.delete(key);
  }

  function showWindows({ windows }: Asked): void {
    const gap = windows.findIndex((one) => one.rows === null);
    show(windows.slice(0, gap < 0 ? windows.length : gap).flatMap((one) => one.rows ?? []));
  }

  /** An insertion moves a row from one window to the next: both come before anything is drawn. */
  function showSoon(question: Asked): void {
    clearTimeout(due);
    if (question.windows.length === 1) showWindows(question);
    else due = setTimeout(() => question === asked && showWindows(question), 0);
  }

  function watch(question: Asked): void {
    const one: Asked['windows'][number] = { rows: null, stop: () => {} };
    const offset = question.windows.length * PAGE_ROWS;
    question.windows.push(one);
    one.stop = client.jobs.subscribe(toQuery(question.shown, offset, PAGE_ROWS), (page: Page<Job>) => {
      one.rows = page.rows;
      if (question !== asked) return;
      total.value = page.total;
      settled.value = true;
      showSoon(question);
    });
  }

  const stopAll = ({ windows }: Asked) => windows.forEach((one) => one.stop());

  if (shown.peek().place === 'jobs' && isWhole(shown.peek())) show(client.first);
  watch(asked);
  const stopEffect = effect(() => {
    const wanted = shown.value;
    untracked(() => {
      if (wanted === asked.shown) return;
      stopAll(asked);
      asked = { shown: wanted, windows: [] };
      settled.value = false;
      watch(asked);
    });
  });

  return {
    keys,
    total,
    settled,
    row: (key) => rows.get(key),
    more() {
      const here = asked.windows.length * PAGE_ROWS;
      if (asked.windows.every((one) => one.rows !== null) && (total.peek() ?? 0) > here) watch(asked);
    },
    stop() {
      stopEffect();
      stopAll(asked);
      clearTimeout(due);
    },
  };
}

/** Reads the keys of everything that `shown` asks for, a page at a time. */
export async function allKeys(client: Client<Job>, shown: Shown, step: number): Promise<string[]> {
  const keys = new Set<string>();
  for (;;) {
    const before = keys.size;
    const page = await client.jobs.query(toQuery(shown, before, step));
    for (const row of page.rows) keys.add(row.key);
    if (keys.size === before || keys.size >= page.total) return [...keys];
  }
}
