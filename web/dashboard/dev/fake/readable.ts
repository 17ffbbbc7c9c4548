import type { Readable } from '@plainsync/client';

/** A value that can be set, for the fake's `stats` and `status`. */
export class Cell<V> implements Readable<V> {
  readonly #listeners = new Set<(value: V) => void>();
  #value: V;
  constructor(value: V) {
    this.#value = value;
  }
  get(): V {
    return this.#value;
  }
  set(value: V): void {
    this.#value = value;
    for (const listener of this.#listeners) listener(value);
  }
  subscribe(listener: (value: V) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#value);
    return () => this.#listeners.delete(listener);
  }
}
