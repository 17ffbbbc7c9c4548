/**
 * Fields that were edited apart: what stands against what, and settling it.
 *
 * What is shown stays as it was asked for. When somebody moves a side meanwhile it is said, and the engine refuses to settle
 * what nobody has seen; only then, or on demand, it is asked for again.
 */
import { effect, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Client, Conflict, Job, Row, Side } from '@plainsync/client';
import type { Log } from '../console/log.ts';
import { fieldWords, labelOf } from '../pure/job.ts';
import { same } from '../pure/same.ts';
import type { Toasts } from './toasts.ts';

/** One record's conflicts as somebody looks at them. */
export interface Settling {
  /** Null until they have come. */
  readonly conflicts: ReadonlySignal<readonly Conflict[] | null>;
  /** Somebody has changed one of them since. */
  readonly moved: ReadonlySignal<boolean>;
  /** One of them is being settled: a second click would mean what has come in its place. */
  readonly busy: ReadonlySignal<boolean>;
  /** Asks again. */
  look(): Promise<void>;
  keep(conflict: Conflict, side: Side): Promise<void>;
  /** Keeps a value of one's own. */
  write(conflict: Conflict, value: unknown): Promise<void>;
  /** Keeps what is shown, and makes a second job of the other side. */
  keepBoth(conflict: Conflict, other: Side): Promise<void>;
  stop(): void;
}

const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));
const opsOf = (conflicts: readonly Conflict[]) =>
  conflicts.map(({ field, values }) => [field, ...values.map(({ op }) => op)]);

/** Fields that a picture is drawn from: another value of one of them has no picture yet. */
const DRAWN_FROM = ['prompt', 'width', 'height', 'seed'];
/** Fields of a run, as the file has them. */
const OF_A_RUN = ['status', 'result', 'error', 'startTime', 'endTime', 'duration'];

/**
 * A second job that has `side` where the first one has another value: a label of its own, and no run that somebody
 * else is at.
 */
export function otherJob(job: Job, { field }: Conflict, side: Side): Partial<Job> {
  const { id: _label, ...rest } = structuredClone(job);
  const other: Partial<Job> = field === 'run' ? { ...rest, ...(side.value as Partial<Job>) } : { ...rest, [field]: side.value };
  const isEnded = other.status === 'success' || other.status === 'error';
  if (!isEnded || DRAWN_FROM.includes(field)) for (const name of OF_A_RUN) delete other[name];
  return other;
}

export function settle(
  client: Pick<Client<Job>, 'jobs'>,
  row: ReadonlySignal<Row<Job>>,
  toasts: Toasts,
  log: Log,
): Settling {
  const conflicts = signal<readonly Conflict[] | null>(null);
  const moved = signal(false);
  const busy = signal(false);
  const { key } = row.peek();

  async function look(): Promise<void> {
    conflicts.value = await client.jobs.conflicts(key);
    moved.value = false;
  }

  /** Does one thing at a time, and says what became of it. */
  async function attempt(conflict: Conflict, done: string, work: () => Promise<void>, undo?: () => void): Promise<void> {
    if (busy.peek()) return;
    busy.value = true;
    const name = `${fieldWords(conflict.field)} of ${labelOf(row.peek().job)}`;
    try {
      await work();
      log('JOB', 'SUCCESS', `${name}: ${done}`);
      toasts.show({
        text: `${name}: ${done}`,
        tone: 'good',
        ...(undo ? { action: { label: 'Undo', run: undo } } : {}),
      });
      await look();
    } catch (error) {
      log('JOB', 'WARNING', `${name} was not settled: ${sentence(error)}`);
      toasts.show({ text: `Not settled: ${sentence(error)}`, tone: 'bad' });
      moved.value = true; // What stands there now is shown when it is asked for, and not under somebody's finger.
    } finally {
      busy.value = false;
    }
  }

  /**
   * What takes a settled value back, unless somebody has changed it since; a run is a record of what happened and is
   * not written anew.
   */
  function back(conflict: Conflict, kept: unknown): (() => void) | undefined {
    const { field, values } = conflict;
    if (field === 'run') return undefined;
    return () =>
      void attempt(conflict, 'as it was shown before', async () => {
        const now = await client.jobs.get(key);
        if (!now || !same(now.job[field], kept)) throw new Error(`the ${fieldWords(field)} was changed since`);
        await client.jobs.change(key, { [field]: values.at(-1)?.value });
      });
  }

  const stopWatching = effect(() => {
    const now = row.value;
    const shown = conflicts.peek();
    if (shown === null) return;
    client.jobs.conflicts(now.key).then(
      (standing) => {
        if (conflicts.peek() === shown && !busy.peek()) moved.value = !same(opsOf(standing), opsOf(shown));
      },
      () => {}, // The client is closed, and the page with it.
    );
  });
  look().catch((error: unknown) => toasts.show({ text: `Not looked at: ${sentence(error)}`, tone: 'bad' }));

  return {
    conflicts,
    moved,
    busy,
    look,
    keep: (conflict, side) =>
      attempt(conflict, 'settled', () => client.jobs.resolve(key, conflict, { side }), back(conflict, side.value)),
    write: (conflict, value) =>
      attempt(conflict, 'settled', () => client.jobs.resolve(key, conflict, { value }), back(conflict, value)),
    keepBoth: (conflict, other) =>
      attempt(conflict, 'both kept, as two jobs', async () => {
        const shown = conflict.values.at(-1);
        if (!shown) return;
        // The second job first: whatever comes between, both values are there.
        const copy = await client.jobs.insert(otherJob(row.peek().job, conflict, other));
        try {
          await client.jobs.resolve(key, conflict, { side: shown });
        } catch (refused) {
          await client.jobs.remove(copy.key).catch(() => {}); // Then there is one job too many, and the reason is told.
          throw refused;
        }
      }),
    stop: stopWatching,
  };
}
