/**
 * Which tab loads are alive, told by Web Locks: each load holds a lock of its own for its whole life, and the
 * browser releases it when the load ends, however it ends.
 *
 * So an edit in localStorage belongs to somebody, or to nobody and may be taken in. Without locks (plain http
 * on a LAN) age has to stand in: an edit is nobody's when it has lain there for {@link ORPHAN_MS}.
 */
import type { Locks } from './env.js';
import { read, write, type KeyValue, type KeptEdit } from './local.js';
import { token } from './random.js';

/** Without locks: after this long an edit that is still not in the database has lost its tab. */
export const ORPHAN_MS = 5_000;

const PREFIX = 'plainsync/tab/';

export class TabLife {
  /** This load's name. */
  readonly id = token(16);
  /** The load that this one replaces (a reload), as far as the tab remembers. */
  readonly #before: string | null;
  readonly #locks: Locks | null;
  #release: () => void = () => {};

  constructor(locks: Locks | null, session: KeyValue | null) {
    this.#locks = locks;
    this.#before = read(session, 'plainsync/tab');
    write(session, 'plainsync/tab', this.id);
    // Requested before the first edit can be made, so another tab always finds it held or pending.
    locks
      ?.request(PREFIX + this.id, () => new Promise<void>((resolve) => (this.#release = resolve)))
      .catch(() => {});
  }

  /** Those of `edits` whose tab has ended. */
  async orphans(edits: KeptEdit[], now: number): Promise<KeptEdit[]> {
    const others = edits.filter(({ tab }) => tab !== this.id);
    if (others.length === 0) return [];
    if (!this.#locks) return others.filter(({ tab, at }) => tab === this.#before || now - at > ORPHAN_MS);
    const { held = [], pending = [] } = await this.#locks.query();
    const alive = new Set([...held, ...pending].map(({ name }) => name));
    return others.filter(({ tab }) => tab === undefined || !alive.has(PREFIX + tab));
  }

  /** Runs `task` unless another tab is at the same thing; without locks it runs only when `unlocked` allows. */
  async alone(name: string, unlocked: boolean, task: () => Promise<void>): Promise<void> {
    if (!this.#locks) return unlocked ? task() : undefined;
    await this.#locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock) await task();
    });
  }

  end(): void {
    this.#release();
  }
}
