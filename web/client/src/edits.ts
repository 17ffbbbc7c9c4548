/**
 * Edits on their way into the database: written to localStorage first, handed to the worker, settled when it
 * says that they are committed. What a dead worker or an earlier load left behind is handed over again; the
 * worker knows by the edit's id whether it has been applied.
 */
import type { LocalStore, KeptEdit } from './local.js';
import type { ChunkText, Edit, StampedEdit } from './protocol.js';
import { token } from './random.js';
import type { Row } from './types.js';

interface Outstanding {
  edit: StampedEdit;
  /** An earlier load's edit: nobody waits for it. */
  adopted: boolean;
  resolve(rows: Row<object>[]): void;
  reject(error: Error): void;
}

export interface EditsHost {
  tab: string;
  now(): number;
  post(edits: StampedEdit[], replay: boolean): void;
  /** localStorage took no more: the database alone holds what comes. */
  full(): void;
  /** An edit of an earlier load was refused; it is kept aside. */
  refused(edit: StampedEdit, message: string): void;
  /** The number of outstanding edits changed. */
  changed(): void;
}

export class Edits {
  readonly #host: EditsHost;
  readonly #outstanding = new Map<string, Outstanding>();
  #store: LocalStore;
  #idle: (() => void)[] = [];
  /** Edits are handed over one at a time after a worker died of one, to find which. */
  #careful = false;
  /** Loaded workers that died while edits were outstanding. */
  #strikes = 0;

  constructor(store: LocalStore, host: EditsHost) {
    this.#store = store;
    this.#host = host;
  }

  get count(): number {
    return this.#outstanding.size;
  }

  /** When the oldest outstanding edit was made, ms. */
  get oldestAt(): number | null {
    let oldest: number | null = null;
    for (const { edit } of this.#outstanding.values()) oldest = Math.min(oldest ?? edit.at, edit.at);
    return oldest;
  }

  /** Writes an edit down and hands it over; resolves with the rows it touched when it is in the database. */
  make(edit: Edit): Promise<Row<object>[]> {
    const stamped: StampedEdit = { id: token(22), at: this.#host.now(), edit };
    if (!this.#store.putEdit({ ...stamped, tab: this.#host.tab })) this.#host.full();
    const done = new Promise<Row<object>[]>((resolve, reject) => {
      this.#outstanding.set(stamped.id, { edit: stamped, adopted: false, resolve, reject });
    });
    if (!this.#careful) this.#host.post([stamped], false);
    this.#host.changed();
    return done;
  }

  /** Takes over edits that an earlier load left; resolves when each is settled. */
  async adopt(left: KeptEdit[]): Promise<void> {
    const edits = left.filter(({ id }) => !this.#outstanding.has(id));
    if (edits.length === 0) return;
    const settled = edits.map(
      ({ id, at, edit }) =>
        new Promise<void>((resolve) => {
          const entry = { edit: { id, at, edit }, adopted: true, resolve: () => resolve(), reject: () => resolve() };
          this.#outstanding.set(id, entry);
        }),
    );
    if (!this.#careful) this.#host.post(edits.map(({ id, at, edit }) => ({ id, at, edit })), true);
    this.#host.changed();
    await Promise.all(settled);
  }

  /** The document's name is known now: edits made before move from the waiting room into its keys. */
  moveTo(store: LocalStore): void {
    const from = this.#store;
    this.#store = store;
    for (const { edit } of this.#outstanding.values()) {
      if (!store.putEdit({ ...edit, tab: this.#host.tab })) this.#host.full();
      from.removeEdit(edit.id);
    }
  }

  /**
   * A new worker is there: hands everything over again. When workers that had loaded well keep dying, edits go
   * one at a time, and the one that two of them died of is kept aside.
   */
  replay(hadLoaded: boolean): void {
    const [first] = this.#outstanding.values();
    if (!first) return;
    if (hadLoaded) this.#strikes += 1;
    if (this.#strikes < 2) {
      this.#host.post([...this.#outstanding.values()].map(({ edit }) => edit), true);
    } else if (this.#strikes < 4) {
      this.#careful = true;
      this.#host.post([first.edit], true);
    } else {
      this.#strikes = 2;
      this.#store.setAside(first.edit);
      this.refuse(first.edit.id, 'The engine failed on this edit; it is kept aside.');
    }
  }

  /** These edits are committed; `chunks` are the same as localStorage keeps them from now on. */
  saved(done: { id: string; rows: Row<object>[] }[], chunks: ChunkText[]): void {
    for (const chunk of chunks) if (!this.#store.putChunk(chunk)) this.#host.full();
    for (const { id, rows } of done) {
      this.#store.removeEdit(id);
      this.#settle(id, (entry) => entry.resolve(rows));
    }
  }

  /** The engine will not have this edit. */
  refuse(id: string, message: string): void {
    const entry = this.#outstanding.get(id);
    if (entry?.adopted) {
      this.#store.setAside(entry.edit);
      this.#host.refused(entry.edit, message);
    } else {
      this.#store.removeEdit(id);
    }
    this.#settle(id, ({ reject }) => reject(new Error(message)));
  }

  /** Resolves when nothing made so far is outstanding. */
  flush(): Promise<void> {
    if (this.#outstanding.size === 0) return Promise.resolve();
    const waiting = [...this.#outstanding.keys()];
    return new Promise((resolve) => {
      const look = (): void => {
        if (waiting.some((id) => this.#outstanding.has(id))) this.#idle.push(look);
        else resolve();
      };
      this.#idle.push(look);
    });
  }

  #settle(id: string, how: (entry: Outstanding) => void): void {
    const entry = this.#outstanding.get(id);
    if (!entry) return;
    this.#outstanding.delete(id);
    how(entry);
    const [next] = this.#outstanding.values();
    if (!next) {
      this.#careful = false;
      this.#strikes = 0;
    } else if (this.#careful) {
      this.#host.post([next.edit], true);
    }
    const looking = this.#idle;
    this.#idle = [];
    for (const look of looking) look();
    this.#host.changed();
  }
}
