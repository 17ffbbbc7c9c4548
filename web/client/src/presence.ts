/**
 * Who else has the document open, and what each says of itself (B9).
 *
 * Messages are automerge-repo's: CBOR, `{__presence: {type, …}}` with `snapshot` and its `state`, `update` with a
 * `channel` and its `value`, `heartbeat`, `goodbye`. The worker says again what was said last, and that we are here, as
 * long as it lives; everything else about presence is here.
 *
 * **Invariant:** whatever others send, nothing throws, and what is kept of it has a limit.
 */
import { CborError, decode, encode } from './cbor.js';
import { Emitter } from './events.js';
import type { Peer, Presence, PresenceState, Readable } from './types.js';

/** Most that one may say of oneself, and that is kept of what another one says, in bytes of CBOR. */
export const PRESENCE_BYTES_MAX = 8 * 1024;
/** Most that is kept of what all others say, in bytes of CBOR. */
export const PRESENCES_BYTES_MAX = 1024 * 1024;
/** Peers remembered at most; beyond it the count stops growing. */
export const PEERS_MAX = 1_000;
/** A peer not heard from for this long is gone. */
const ALIVE_MS = 45_000;
/** How often silent peers are looked for. */
const LOOK_EVERY_MS = 5_000;
/** What is set is said, and what others say is told, at most this often. */
const PACE_MS = 50;

const GOODBYE = encode({ __presence: { type: 'goodbye' } });

export interface PresenceHooks {
  now(): number;
  /** Hands a message to the worker, for all who are there and all who come. */
  say(message: Uint8Array<ArrayBuffer>): void;
  /** {@link Peers.count} may be another one now. */
  changed(): void;
}

/** A peer as it is kept. */
interface Kept {
  heardAt: number;
  state: PresenceState;
  /** The state as CBOR: its size, and whether it is a new one. */
  bytes: Uint8Array;
}

const NOTHING: Pick<Kept, 'state' | 'bytes'> = { state: {}, bytes: encode({}) };

export class Peers implements Presence {
  readonly others: Readable<readonly Peer[]>;
  readonly #hooks: PresenceHooks;
  readonly #events = new Emitter<{ others: readonly Peer[] }>();
  readonly #peers = new Map<string, Kept>();
  readonly #saying: Paced;
  readonly #telling: Paced;
  #message = messageOf({});
  /** Names that were set once and are no longer. */
  #taken = new Set<string>();
  #names: string[] = [];
  #bytes = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(hooks: PresenceHooks) {
    this.#hooks = hooks;
    this.#saying = new Paced(PACE_MS, () => hooks.say(this.#message));
    this.#telling = new Paced(PACE_MS, () => {
      hooks.changed();
      this.#events.emit('others', this.#list());
    });
    this.others = {
      get: () => this.#list(),
      subscribe: (listener) => {
        listener(this.#list());
        return this.#events.on('others', listener);
      },
    };
  }

  get count(): number {
    return this.#peers.size;
  }

  set(state: PresenceState): void {
    let message = messageOf(state);
    const names = Object.keys(state);
    const taken = new Set([...this.#taken, ...this.#names].filter((name) => !names.includes(name)));
    if (message.length > PRESENCE_BYTES_MAX) {
      throw new RangeError(`What is to be said takes ${message.length} bytes; the limit is ${PRESENCE_BYTES_MAX}.`);
    }
    // Clients of automerge-repo lay a new state over the old one: what was taken back must be named.
    const named = taken.size === 0 ? message : messageOf({ ...Object.fromEntries([...taken].map((name) => [name, undefined])), ...state });
    if (named.length <= PRESENCE_BYTES_MAX) message = named;
    else taken.clear();
    this.#names = names;
    this.#taken = taken;
    this.#message = message;
    this.#saying.soon();
  }

  /** A message of `sender`'s came, any bytes. None: it was too large to be passed on. */
  heard(sender: string, bytes: Uint8Array): void {
    const said = bytes.length === 0 ? { type: 'snapshot', state: {} } : read(bytes);
    if (said?.type === 'goodbye') return this.#forget(sender);
    const known = this.#peers.get(sender);
    if (!known && this.#peers.size >= PEERS_MAX) return;
    const peer = known ?? { heardAt: 0, ...NOTHING };
    peer.heardAt = this.#hooks.now();
    const isNews = said !== null && this.#take(peer, said);
    if (!known) {
      this.#peers.set(sender, peer);
      this.#timer ??= setInterval(() => this.#forgetSilent(), LOOK_EVERY_MS);
      this.#saying.soon(); // It may not know of us.
    }
    if (isNews || !known) this.#telling.soon();
  }

  /** The connection is gone: nobody is known to be there. */
  alone(): void {
    if (this.#peers.size === 0) return;
    this.#peers.clear();
    this.#bytes = 0;
    this.#rest();
    this.#telling.soon();
  }

  /** The page is being left. */
  leave(): void {
    this.#hooks.say(GOODBYE);
  }

  /** The page is back. */
  wake(): void {
    this.#hooks.say(this.#message);
  }

  close(): void {
    this.#rest();
    this.#saying.stop();
    this.#telling.stop();
    this.#events.clear();
  }

  #list(): readonly Peer[] {
    return [...this.#peers].map(([peer, { state, heardAt }]) => ({ peer, state, heardAt }));
  }

  /** Lays what `peer` says now over what it said. Returns whether that is something else. */
  #take(peer: Kept, said: Said): boolean {
    const next = stateAfter(peer.state, said);
    if (next === null) return false;
    const others = this.#bytes - peer.bytes.length;
    const bytes = encodedWithin(Math.min(PRESENCE_BYTES_MAX, PRESENCES_BYTES_MAX - others), next);
    // Half of a state could be read as something else.
    const now = bytes === null ? { state: {}, bytes: NOTHING.bytes } : { state: next, bytes };
    if (areEqual(now.bytes, peer.bytes)) return false;
    this.#bytes = others + now.bytes.length;
    Object.assign(peer, now);
    return true;
  }

  #forget(sender: string): void {
    const peer = this.#peers.get(sender);
    if (!peer) return;
    this.#peers.delete(sender);
    this.#bytes -= peer.bytes.length;
    if (this.#peers.size === 0) this.#rest();
    this.#telling.soon();
  }

  #forgetSilent(): void {
    const now = this.#hooks.now();
    for (const [sender, { heardAt }] of [...this.#peers]) if (now - heardAt >= ALIVE_MS) this.#forget(sender);
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** What a presence message may hold, none of it checked. */
interface Said {
  type?: unknown;
  state?: unknown;
  channel?: unknown;
  value?: unknown;
}

/** `null`: no presence message; its sender is there all the same. */
function read(bytes: Uint8Array): Said | null {
  let message: unknown;
  try {
    message = decode(bytes);
  } catch {
    return null;
  }
  const said = isRecord(message) && Object.hasOwn(message, '__presence') ? message['__presence'] : null;
  return isRecord(said) ? said : null;
}

/** What its sender says after it; `null`: the same as before. */
function stateAfter(before: PresenceState, { type, state, channel, value }: Said): PresenceState | null {
  if (type === 'snapshot') return isRecord(state) ? known(state) : null;
  if (type !== 'update' || typeof channel !== 'string') return null;
  return known({ ...before, [channel]: value });
}

/** `state` without what was taken back. */
function known(state: PresenceState): PresenceState {
  return Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));
}

function messageOf(state: PresenceState): Uint8Array<ArrayBuffer> {
  if (!isRecord(state)) throw new TypeError('What is to be said must be an object with members.');
  try {
    return encode({ __presence: { type: 'snapshot', state } });
  } catch (error) {
    if (error instanceof CborError) throw new TypeError(`This cannot be said: ${error.message}.`);
    throw error;
  }
}

/** `state` as CBOR; `null`: that would take more than `bytes`, or it has more values than can be said. */
function encodedWithin(bytes: number, state: PresenceState): Uint8Array | null {
  try {
    const encoded = encode(state);
    return encoded.length <= bytes ? encoded : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Runs a task at once, and again at most once in `ms`. */
class Paced {
  readonly #ms: number;
  readonly #task: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again = false;

  constructor(ms: number, task: () => void) {
    this.#ms = ms;
    this.#task = task;
  }

  soon(): void {
    this.#again = this.#timer !== undefined;
    if (this.#again) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#again) this.soon();
    }, this.#ms);
    this.#task();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#again = false;
  }
}
