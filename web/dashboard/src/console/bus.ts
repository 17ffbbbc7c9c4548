/** The events that `state.subscribe(event, fn)` offers, and what each carries. */
import type { Job, Row, Stats } from '@plainsync/client';
import type { Diagnostics } from '../app/diagnostics.ts';
import type { Config } from '../app/config.ts';

export interface BusEvents {
  'job:added': Job;
  'job:updated': Job;
  'job:removed': Job;
  'jobs:cleared': { keys: string[] };
  'jobs:restored': { count: number };
  'config:updated': Config;
  'stats:updated': Stats;
  'diagnostics:updated': Diagnostics;
  'state:updated': { reason: string };
}
export type BusEvent = keyof BusEvents;

export const BUS_EVENTS: readonly BusEvent[] = [
  'job:added',
  'job:updated',
  'job:removed',
  'jobs:cleared',
  'jobs:restored',
  'config:updated',
  'stats:updated',
  'diagnostics:updated',
  'state:updated',
];

type Listener<E extends BusEvent> = (payload: BusEvents[E]) => void;

export interface Bus {
  /** Calls `listener` at each `event` from now on; returns the way to stop. */
  subscribe<E extends BusEvent>(event: E, listener: Listener<E>): () => void;
  emit<E extends BusEvent>(event: E, payload: BusEvents[E]): void;
}

/** One broken listener does not keep the others from hearing. */
export function createBus(onError: (event: BusEvent, error: unknown) => void): Bus {
  const listeners = new Map<BusEvent, Set<(payload: never) => void>>();
  return {
    subscribe(event, listener) {
      if (!BUS_EVENTS.includes(event))
        throw new TypeError(`there is no event "${String(event)}"; there are ${BUS_EVENTS.join(', ')}`);
      if (typeof listener !== 'function')
        throw new TypeError('subscribe(event, listener): the listener must be a function');
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set);
      set.add(listener as (payload: never) => void);
      return () => void set.delete(listener as (payload: never) => void);
    },
    emit(event, payload) {
      for (const listener of listeners.get(event) ?? []) {
        try {
          listener(payload as never);
        } catch (error) {
          onError(event, error);
        }
      }
      if (event !== 'state:updated') this.emit('state:updated', { reason: event });
    },
  };
}

/** A record as the console shows it: the job itself, with its key where no field has that name. */
export function jobOf(row: Row<Job>): Job {
  return { key: row.key, ...row.job };
}
