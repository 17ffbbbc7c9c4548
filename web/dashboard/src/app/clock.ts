/** The time, twice: by the second for what runs, by the half minute for what is past. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

const SECOND_MS = 1_000;
const SLOW_MS = 30_000;

export interface Clock {
  readonly second: ReadonlySignal<number>;
  readonly slow: ReadonlySignal<number>;
  start(): () => void;
}

export function createClock(now: () => number = Date.now): Clock {
  const second = signal(now());
  const slow = signal(now());
  return {
    second,
    slow,
    start() {
      const timer = setInterval(() => {
        if (document.visibilityState !== 'visible') return;
        second.value = now();
        if (second.value - slow.value >= SLOW_MS) slow.value = second.value;
      }, SECOND_MS);
      return () => clearInterval(timer);
    },
  };
}
