/** Which dialog is open. One at a time. */
import { signal } from '@preact/signals';
import type { Job, Row } from '@plainsync/client';
import { count } from '../pure/format.ts';

export type Dialog =
  | { kind: 'confirm'; title: string; body: string; yes: string; danger: boolean; run: () => void }
  | { kind: 'rotate'; row: Row<Job>; picture: string }
  | { kind: 'details'; row: Row<Job> }
  | { kind: 'conflicts'; row: Row<Job> | null }
  | { kind: 'import' }
  | { kind: 'shortcuts' };

/** Asks before all jobs move to the bin. */
export function clearQuestion(total: number, run: () => void): Dialog {
  return {
    kind: 'confirm',
    title: `Clear ${count(total, 'job')}?`,
    body: 'All jobs, also those not shown now, move to the bin, here and for everybody who shares this list. From there they can be restored.',
    yes: `Clear ${count(total, 'job')}`,
    danger: true,
    run,
  };
}

export function createDialogs() {
  const open = signal<Dialog | null>(null);
  return {
    open,
    show(dialog: Dialog): void {
      open.value = dialog;
    },
    close(): void {
      open.value = null;
    },
  };
}
export type Dialogs = ReturnType<typeof createDialogs>;
