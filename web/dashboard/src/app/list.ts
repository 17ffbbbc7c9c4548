/**
 * The rows on screen: one signal for each row, and one window that moves with the screen.
 *
 * A card reads its own row's signal, so a change of one job draws one card. Only the rows near the screen are
 * here; of the others only how many there are. Until the window of a new question has arrived the old answer stays.
 */
import { batch, effect, signal, untracked } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { ChangeEvent, Client, Job, Page, QueryFault, Row, Stretch, Subscription } from '@plainsync/client';
import { WINDOW_ROWS_MAX, WINDOW_STEP } from '../pure/limits.ts';
import { isWhole, toQuery } from '../pure/query.ts';
import type { Shown } from '../pure/query.ts';
import { same } from '../pure/same.ts';

/** The rows that are here: the keys of one stretch of all that match. */
export interface Here {
  readonly offset: number;
  readonly keys: readonly string[];
}

export interface JobList {
  readonly here: ReadonlySignal<Here>;
  /** How many match altogether; null until somebody has answered. */
  readonly total: ReadonlySignal<number | null>;
  /** Whether rows and total answer the present question, not the one before. */
  readonly settled: ReadonlySignal<boolean>;
  /** Why the present question has no answer. */
  readonly fault: ReadonlySignal<QueryFault | null>;
  row(key: string): ReadonlySignal<Row<Job>> | undefined;
  /** Keeps a row up to date wherever the list is, until it is let go. */
  hold(row: Row<Job>): { row: ReadonlySignal<Row<Job>>; release(): void };
  /** The places from `from` up to `to`, without `to`, are on screen: their rows come, and some around. */
  look(from: number, to: number): void;
  /** Takes in what the client says of rows, for those that are shown elsewhere than in the list. */
  hear(change: ChangeEvent<Job>): void;
  stop(): void;
}

/** One question, and the window of its answer. */
interface Watch {
  readonly shown: Shown;
  stretch: Stretch;
  /** That stretch is asked for and has not come. */
  moving: boolean;
  subscription: Subscription | null;
}

/** The stretch to ask for when these places are on screen: whole steps, with one more on each side. */
export function stretchAround(from: number, to: number): Stretch {
  const offset = Math.max(0, Math.floor(from / WINDOW_STEP) - 1) * WINDOW_STEP;
  const end = (Math.ceil(to / WINDOW_STEP) + 1) * WINDOW_STEP;
  return { offset, limit: Math.min(end - offset, WINDOW_ROWS_MAX) };
}

export function createList(client: Client<Job>, shown: ReadonlySignal<Shown>): JobList {
  const rows = new Map<string, Signal<Row<Job>>>();
  const here = signal<Here>({ offset: 0, keys: [] });
  const total = signal<number | null>(null);
  const settled = signal(false);
  const fault = signal<QueryFault | null>(null);
  let onScreen: readonly [number, number] = [0, 1];
  const watchOf = (question: Shown): Watch => ({
    shown: question,
    stretch: stretchAround(...onScreen),
    moving: true,
    subscription: null,
  });
  /** What is shown, and what is asked for instead as long as it has not been answered. */
  let current = watchOf(shown.peek());
  let next: Watch | null = null;
  let asked = shown.peek();
  /** How many hold a row that may be elsewhere. */
  const held = new Map<string, number>();

  const put = (row: Row<Job>): Signal<Row<Job>> => {
    const known = rows.get(row.key) ?? signal(row);
    rows.set(row.key, known);
    if (!same(known.peek(), row)) known.value = row;
    return known;
  };

  function show({ rows: found, offset, total: all }: Page<Job>, isAnswer: boolean): void {
    batch(() => {
      found.forEach(put);
      const now = { offset, keys: [...new Set(found.map((row) => row.key))] };
      if (!same(here.peek(), now)) here.value = now;
      total.value = all;
      if (!isAnswer) return;
      settled.value = true;
      fault.value = null;
    });
    const kept = new Set(here.peek().keys);
    for (const key of rows.keys()) if (!kept.has(key) && !held.has(key)) rows.delete(key);
  }

  /** Asks for the rows that are on screen, unless others are on their way: then when they have come. */
  function move(watch: Watch): void {
    const wanted = stretchAround(...onScreen);
    if (!watch.subscription || watch.moving || same(wanted, watch.stretch)) return;
    watch.moving = true;
    watch.stretch = wanted;
    watch.subscription.move(wanted);
  }

  function answered(watch: Watch, page: Page<Job>): void {
    if (watch === next) {
      current.subscription?.();
      current = watch;
      next = null;
    } else if (watch !== current) return;
    show(page, watch.shown === shown.peek());
    watch.moving &&= page.offset !== watch.stretch.offset;
    move(watch);
  }

  /** What has no answer is not asked any more; what was shown before stays, and stays up to date. */
  function refused(watch: Watch, why: QueryFault): void {
    if (watch !== next && watch !== current) return;
    fault.value = why;
    watch.moving = false;
    if (watch !== next) return;
    watch.subscription?.();
    next = null;
  }

  /** The cache is heard at once, before there is a subscription. */
  function start(watch: Watch): void {
    const { offset, limit } = watch.stretch;
    const subscription = client.jobs.subscribe(
      toQuery(watch.shown, offset, limit),
      (page) => answered(watch, page),
      (why) => refused(watch, why),
    );
    if (watch !== next && watch !== current) return subscription();
    watch.subscription = subscription;
    move(watch);
  }

  if (shown.peek().place === 'jobs' && isWhole(shown.peek()) && client.first.length > 0) {
    client.first.forEach(put);
    here.value = { offset: 0, keys: client.first.map((row) => row.key) };
  }
  start(current);
  const stopEffect = effect(() => {
    const wanted = shown.value;
    untracked(() => {
      if (wanted === asked) return;
      asked = wanted;
      next?.subscription?.();
      settled.value = false;
      // From the top, wherever the last answer was looked at.
      onScreen = [0, Math.max(1, onScreen[1] - onScreen[0])];
      next = watchOf(wanted);
      start(next);
    });
  });

  return {
    here,
    total,
    settled,
    fault,
    row: (key) => rows.get(key),
    hold(row) {
      const { key } = row;
      held.set(key, (held.get(key) ?? 0) + 1);
      return {
        row: rows.get(key) ?? put(row),
        release() {
          const left = (held.get(key) ?? 1) - 1;
          if (left > 0) held.set(key, left);
          else held.delete(key); // The next window forgets it, if it is not in it.
        },
      };
    },
    look(from, to) {
      onScreen = [from, Math.max(from + 1, to)];
      move(next ?? current);
    },
    hear({ added, updated, removed }) {
      for (const row of [...added, ...updated, ...removed]) if (rows.has(row.key)) put(row);
    },
    stop() {
      stopEffect();
      next?.subscription?.();
      current.subscription?.();
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
