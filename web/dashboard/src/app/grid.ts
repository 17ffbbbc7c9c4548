/** Where the list is looked at: how it is laid out, what is on screen, and where it is to go next. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

export interface Goal {
  /** A place in the list, counted from 0. */
  readonly place: number;
  /** Whether what is there takes the focus. */
  readonly focus: boolean;
}

export interface Grid {
  /** Cards or rows beside each other. */
  readonly columns: ReadonlySignal<number>;
  /** The first place on screen, counted from 0. */
  readonly first: ReadonlySignal<number>;
  readonly goal: ReadonlySignal<Goal | null>;
  /** Scrolls to a place. */
  go(place: number, focus?: boolean): void;
  /** Said by the element: it is there. Where somebody has asked for another place since, that stands. */
  arrived(goal: Goal): void;
  /** Said by the element: how it is laid out and what is on screen. */
  shows(columns: number, first: number): void;
}

export function createGrid(): Grid {
  const columns = signal(1);
  const first = signal(0);
  const goal = signal<Goal | null>(null);
  return {
    columns,
    first,
    goal,
    go(place, focus = false) {
      goal.value = { place: Math.max(0, place), focus };
    },
    arrived(there) {
      if (goal.peek() === there) goal.value = null;
    },
    shows(now, top) {
      columns.value = now;
      first.value = top;
    },
  };
}
