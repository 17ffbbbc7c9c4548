/** Short messages at the edge of the page; some can be undone. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { TOASTS_MAX, TOAST_MS } from '../pure/limits.ts';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
  readonly action?: { label: string; run: () => void };
  /** Stays until dismissed. */
  readonly sticky?: boolean;
}

export interface Toasts {
  readonly list: ReadonlySignal<readonly Toast[]>;
  show(toast: Omit<Toast, 'id'>): void;
  dismiss(id: number): void;
  /** While somebody reads, points at or has focused them, none goes away. */
  hold(held: boolean): void;
}

export function createToasts(): Toasts {
  const list = signal<readonly Toast[]>([]);
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  let last = 0;
  const dismiss = (id: number) => {
    clearTimeout(timers.get(id));
    timers.delete(id);
    list.value = list.peek().filter((toast) => toast.id !== id);
  };
  const start = (toast: Toast) => {
    if (!toast.sticky)
      timers.set(
        toast.id,
        setTimeout(() => dismiss(toast.id), TOAST_MS),
      );
  };
  return {
    list,
    dismiss,
    show(toast) {
      const one = { ...toast, id: ++last };
      list.value = [...list.peek(), one];
      for (const old of list.peek().slice(0, -TOASTS_MAX)) dismiss(old.id);
      start(one);
    },
    hold(held) {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      if (!held) for (const toast of list.peek()) start(toast);
    },
  };
}
