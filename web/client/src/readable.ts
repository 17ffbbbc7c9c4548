/** A value that can be read, watched and, by its owner, set. Equal values are not announced twice. */
import type { Readable } from './types.js';

export class Store<V> implements Readable<V> {
  readonly #listeners = new Set<(value: V) => void>();
  #value: V;

  constructor(value: V) {
    this.#value = value;
  }

  get(): V {
    return this.#value;
  }

  /** Takes a new value and tells the listeners, unless it is equal (as JSON) to the present one. */
  set(value: V): void {
    if (JSON.stringify(value) === JSON.stringify(this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  subscribe(listener: (value: V) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#value);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets all listeners. */
  clear(): void {
    this.#listeners.clear();
  }
}
