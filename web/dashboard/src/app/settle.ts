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

/** A second job that has `side` where the first one has another value: a label of its own, all else the same. */
export function otherJob(job: Job, { field }: Conflict, side: Side): Partial<Job> {
  const { id: _label, ...rest } = structuredClone(job);
  return field === 'run' ? { ...rest, ...(side.value as Partial<Job>) } : { ...rest, [field]: side.value };
}

export function settle(
  client: Pick<Client<Job>, 'jobs'>,
  row: ReadonlySignal<Row<Job>>,
  toasts: Toasts,
  log: Log,
): Settling {
  const conflicts = signal<readonly Conflict[] | null>(null);
  const moved = signal(false);
  const { key } = row.peek();

  async function look(): Promise<void> {
    conflicts.value = await client.jobs.conflicts(key);
    moved.value = false;
  }

  async function attempt(conflict: Conflict, done: string, work: () => Promise<void>, undo?: () => void): Promise<void> {
    const name = `${fieldWords(conflict.field)} of ${labelOf(row.peek().job)}`;
    try {
      await work();
      log('JOB', 'SUCCESS', `${name}: ${done}`);
      toasts.show({
        text: `${name}: ${done}`,
        tone: 'good',
        ...(undo ? { action: { label: 'Undo', run: undo } } : {}),
      });
    } catch (error) {
      log('JOB', 'WARNING', `${name} was not settled: ${sentence(error)}`);
      toasts.show({ text: `Not settled: ${sentence(error)}`, tone: 'bad' });
    }
    await look();
  }

  /** What takes a settled value back; a run is a record of what happened and is not written anew. */
  const back = ({ field, values }: Conflict) =>
    field === 'run' ? undefined : () => void client.jobs.change(key, { [field]: values.at(-1)?.value });

  const stopWatching = effect(() => {
    const now = row.value;
    const shown = conflicts.peek();
    if (shown === null) return;
    void client.jobs.conflicts(now.key).then((standing) => {
      if (conflicts.peek() === shown) moved.value = !same(opsOf(standing), opsOf(shown));
    });
  });
  void look();

  return {
    conflicts,
    moved,
    look,
    keep: (conflict, side) =>
      attempt(conflict, 'settled', () => client.jobs.resolve(key, conflict, { side }), back(conflict)),
    write: (conflict, value) =>
      attempt(conflict, 'settled', () => client.jobs.resolve(key, conflict, { value }), back(conflict)),
    keepBoth: (conflict, other) =>
      attempt(conflict, 'both kept, as two jobs', async () => {
        const shown = conflict.values.at(-1);
        if (!shown) return;
        // Settled first: what is refused leaves no second job behind.
        const copy = otherJob(row.peek().job, conflict, other);
        await client.jobs.resolve(key, conflict, { side: shown });
        await client.jobs.insert(copy);
      }),
    stop: stopWatching,
  };
}
