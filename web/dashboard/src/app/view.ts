/** What the list shows: the place, the words searched for, the status, the order. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { SEARCH_DELAY_MS } from '../pure/limits.ts';
import type { Shown } from '../pure/query.ts';

export interface View {
  readonly shown: ReadonlySignal<Shown>;
  /** The search box as typed; the list follows a moment later. */
  readonly typed: ReadonlySignal<string>;
  type(words: string): void;
  set(change: Partial<Shown>): void;
}

export function createView(start: Partial<Shown> = {}): View {
  const shown = signal<Shown>({ place: 'jobs', words: '', status: 'all', sort: '-created', ...start });
  const typed = signal(shown.peek().words);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const set = (change: Partial<Shown>) => {
    shown.value = { ...shown.peek(), ...change };
  };
  return {
    shown,
    typed,
    set(change) {
      if (change.words !== undefined) {
        clearTimeout(timer);
        typed.value = change.words;
      }
      set(change);
    },
    type(words) {
      typed.value = words;
      clearTimeout(timer);
      timer = setTimeout(() => set({ words }), SEARCH_DELAY_MS);
    },
  };
}
