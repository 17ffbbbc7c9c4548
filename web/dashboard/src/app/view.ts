/** What the list shows: the place, the words searched for, the status, the order. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { WHOLE } from '../pure/query.ts';
import type { Shown } from '../pure/query.ts';
import { same } from '../pure/same.ts';

export interface View {
  readonly shown: ReadonlySignal<Shown>;
  set(change: Partial<Shown>): void;
}

export function createView(start: Partial<Shown> = {}): View {
  const shown = signal<Shown>({ ...WHOLE, ...start });
  return {
    shown,
    set(change) {
      const next = { ...shown.peek(), ...change };
      if (!same(next, shown.peek())) shown.value = next;
    },
  };
}
