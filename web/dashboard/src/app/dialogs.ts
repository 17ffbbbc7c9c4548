/** Which dialog is open. One at a time. */
import { signal } from '@preact/signals';
import type { Job, Row } from '@plainsync/client';

export type Dialog =
  | { kind: 'confirm'; title: string; body: string; yes: string; danger: boolean; run: () => void }
  | { kind: 'rotate'; row: Row<Job>; picture: string }
  | { kind: 'details'; row: Row<Job> }
  | { kind: 'import' }
  | { kind: 'shortcuts' };

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
