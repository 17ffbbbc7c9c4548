/**
 * One document open in this page: its keys in localStorage, its worker, its edits, and where they are.
 *
 * The document's name may be unknown at first (a first visit, before the server has answered): edits then
 * wait in a room of their own in localStorage and move when {@link Session.begin} names the document.
 */
import { Edits } from './edits.js';
import type { Env } from './env.js';
import { FirstCache } from './first.js';
import { deviceId, homeKey, parseHome, type Home } from './home.js';
import { Link } from './link.js';
import { LOCAL_UNITS_FOLD, LocalStore } from './local.js';
import type { FromWorker, StorageKind, ToWorker, WorkerStatus } from './protocol.js';
import type { TabLife } from './tabs.js';
import type { ErrorEvent, NoticeEvent, OpenOptions, Status } from './types.js';

/** How often edits of tabs that ended meanwhile are looked for. */
const ADOPT_MS = 30_000;

export interface SessionHooks {
  /** What is for the program: rows, changes, log lines. */
  message(message: FromWorker): void;
  /** {@link Session.status} may answer differently now. */
  status(): void;
  /** How many others are there. */
  peers(): number;
  /** There is no connection: nobody is known to be there. */
  alone(): void;
  /** The database remembers which document this server had. */
  recalled(home: Home): void;
  notice(notice: NoticeEvent): void;
  error(error: ErrorEvent): void;
}

const UNKNOWN: WorkerStatus = {
  waiting: 0,
  oldestWaitingAt: null,
  connection: 'connecting',
  serverHasIt: false,
  serverId: null,
  detail: null,
};

export class Session {
  /** The replica is loaded and what earlier loads left behind is in it. */
  readonly ready: Promise<void>;
  readonly edits: Edits;
  readonly link: Link;
  readonly first: FirstCache;
  home: Home | null = null;
  readonly #env: Env;
  readonly #options: OpenOptions;
  readonly #server: string;
  readonly #tab: TabLife;
  readonly #hooks: SessionHooks;
  readonly #waitingRoom: LocalStore;
  #store: LocalStore;
  #storage: StorageKind = 'indexeddb';
  #worker: WorkerStatus = UNKNOWN;
  #failed: string | null = null;
  #full = false;
  #units = 0;
  #folding = false;
  #settled = false;
  #markReady: () => void = () => {};
  #closed: (() => void) | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(env: Env, options: OpenOptions, server: string, tab: TabLife, hooks: SessionHooks) {
    this.#env = env;
    this.#options = options;
    this.#server = server;
    this.#tab = tab;
    this.#hooks = hooks;
    this.#waitingRoom = new LocalStore(env.storage, `@${server}`);
    this.#store = this.#waitingRoom;
    this.ready = new Promise((resolve) => (this.#markReady = resolve));
    this.link = new Link(() => env.makeWorker(options.workerUrl), {
      open: () => this.#openMessage(),
      message: (message) => this.#received(message),
      restarted: (reason, hadLoaded) => this.#restarted(reason, hadLoaded),
    });
    this.edits = new Edits(this.#store, {
      tab: tab.id,
      now: () => env.now(),
      post: (edits, replay) => this.link.post({ type: 'edits', edits, replay }),
      full: () => this.#warnFull(),
      refused: (edit, message) =>
        hooks.error({
          code: 'edit-refused',
          message: `An edit made at ${new Date(edit.at).toISOString()} could not be applied: ${message}`,
          fatal: false,
        }),
      changed: () => hooks.status(),
    });
    this.first = new FirstCache(env, this.link, () => this.#store, options.firstRows);
  }

  /** Starts the worker before the document is known: it may know more than localStorage, which a crash can empty. */
  recall(): void {
    this.link.start();
  }

  /** Names the document and starts its worker. */
  begin(home: Home): void {
    this.home = home;
    this.#store = new LocalStore(this.#env.storage, home.document);
    this.edits.moveTo(this.#store);
    this.link.open();
    this.edits.replay(false);
    this.#timer = setInterval(() => void this.#adopt(), ADOPT_MS);
  }

  /** Where this session's edits are. */
  status(): Status {
    const worker = this.#worker;
    // Until an earlier load's edits have been looked at, they count as what they are: not in the database.
    const left = this.#settled ? [] : this.#store.edits().filter(({ tab }) => tab !== this.#tab.id);
    const outstanding = this.edits.count + left.length;
    const times = [worker.oldestWaitingAt, this.edits.oldestAt, ...left.map(({ at }) => at)];
    const known = times.filter((at): at is number => at !== null);
    const detail = this.#failed ?? worker.detail;
    return {
      saved: this.#failed !== null ? 'failed' : outstanding > 0 ? 'saving' : 'saved',
      waiting: worker.waiting + outstanding,
      oldestWaitingAt: known.length > 0 ? Math.min(...known) : null,
      connection: worker.connection,
      serverHasIt: worker.serverHasIt && outstanding === 0,
      peers: this.#hooks.peers(),
      serverId: worker.serverId ?? (this.home?.server || null),
      ...(detail === null ? {} : { detail }),
    };
  }

  /** The page was shown again, or came back from the page cache. */
  woke(resumed: boolean): void {
    if (!this.home) return;
    if (resumed) this.link.post({ type: 'resume' });
    void this.#adopt();
  }

  /** Lets the worker finish what it has, then ends it. Never takes longer than `ms`. */
  async close(ms: number): Promise<void> {
    clearInterval(this.#timer);
    const limit = new Promise<void>((resolve) => setTimeout(resolve, ms));
    if (this.home) {
      await Promise.race([this.edits.flush(), limit]);
      const closed = new Promise<void>((resolve) => (this.#closed = resolve));
      this.link.post({ type: 'close' });
      await Promise.race([closed, limit]);
    }
    this.first.close();
    this.link.close();
  }

  #openMessage(): ToWorker & { type: 'open' | 'recall' } {
    const wasmUrl = this.#options.wasmUrl === undefined ? null : String(this.#options.wasmUrl);
    if (!this.home) return { type: 'recall', server: this.#serverKey, wasmUrl };
    return {
      type: 'open',
      document: this.home.document,
      server: this.#server,
      device: deviceId(this.#env.storage),
      author: this.#options.deviceName ?? null,
      home: JSON.stringify({ key: this.#serverKey, home: this.home }),
      hashes: this.#store.chunkHashes(),
      wasmUrl,
    };
  }

  /** What the server's document is remembered under. */
  get #serverKey(): string {
    return homeKey(this.#server, this.#options.document);
  }

  #received(message: FromWorker): void {
    switch (message.type) {
      case 'recalled': {
        const home = message.home === null ? undefined : parseHome(message.home);
        if (home && !this.home) this.#hooks.recalled(home);
        return;
      }
      case 'ready':
        return void this.#loaded(message);
      case 'saved':
        this.#failed = null;
        this.#heard(message.status);
        for (const { hash, text } of message.chunks) this.#units += hash.length + text.length;
        this.edits.saved(message.edits, message.chunks);
        this.#hooks.status();
        if (this.#units > LOCAL_UNITS_FOLD) this.#fold();
        return;
      case 'keep': {
        const ok = message.chunks.every((chunk) => this.#store.putChunk(chunk));
        this.link.post({ type: 'kept', seq: message.seq, ok });
        return;
      }
      case 'refused':
        return this.edits.refuse(message.id, message.message);
      case 'storage-failed':
        this.#failed = message.message;
        this.#hooks.status();
        return;
      case 'status':
        this.#heard(message.status);
        this.#hooks.status();
        return;
      case 'fold-due':
        return this.#fold();
      case 'closed':
        return this.#closed?.();
      case 'change':
        this.first.touch();
        return this.#hooks.message(message);
      default:
        this.#hooks.message(message);
    }
  }

  #heard(status: WorkerStatus): void {
    this.#worker = status;
    if (status.connection !== 'online') this.#hooks.alone();
  }

  async #loaded(message: FromWorker & { type: 'ready' }): Promise<void> {
    this.#storage = message.storage;
    for (const warning of message.warnings) {
      this.#hooks.notice({ code: 'degraded', level: 'warning', message: warning });
    }
    await this.#handBack(message.want);
    await this.#adopt();
    this.#settled = true;
    this.#hooks.status();
    this.#markReady();
    this.first.touch();
    this.#env.idle(() => {
      this.#units = this.#store.chunkUnits();
      if (this.#units > LOCAL_UNITS_FOLD) this.#fold();
    });
  }

  /** Gives chunks that the database lacks to the worker, and drops those that hold nothing new. */
  async #handBack(hashes: string[]): Promise<void> {
    const chunks = hashes.map((hash) => this.#store.chunk(hash)).filter((chunk) => chunk !== undefined);
    if (chunks.length === 0) return;
    try {
      const { drop } = await this.link.ask({ type: 'chunks', chunks });
      this.#store.removeChunks(drop);
    } catch (error) {
      this.#hooks.error({ code: 'storage', message: `Chunks of localStorage could not be taken in and stay there: ${String(error)}`, fatal: false });
    }
  }

  #restarted(reason: string, hadLoaded: boolean): void {
    this.#heard({ ...this.#worker, connection: 'connecting', serverHasIt: false });
    this.edits.replay(hadLoaded);
    this.#hooks.error({ code: 'worker', message: `The engine stopped and was started again: ${reason}`, fatal: false });
    this.#hooks.notice({
      code: 'worker-restarted',
      level: 'info',
      message: 'The engine was restarted from storage. Nothing is lost.',
    });
    this.#hooks.status();
  }

  /** Takes in the edits of loads that ended before their edits were in the database. */
  async #adopt(): Promise<void> {
    try {
      await this.#tab.alone(`plainsync/${this.home?.document}/adopt`, true, async () => {
        const now = this.#env.now();
        if (this.#store !== this.#waitingRoom) {
          for (const edit of await this.#tab.orphans(this.#waitingRoom.edits(), now)) {
            if (this.#store.putEdit(edit)) this.#waitingRoom.removeEdit(edit.id);
          }
        }
        await this.edits.adopt(await this.#tab.orphans(this.#store.edits(), now));
      });
    } catch (error) {
      this.#hooks.error({ code: 'storage', message: `Earlier edits could not be looked for: ${String(error)}`, fatal: false });
    }
  }

  /** Has the worker fold its chunks into one, and deletes from localStorage exactly what it folded. */
  #fold(): void {
    if (this.#folding || this.#storage === 'page') return;
    this.#folding = true;
    this.#env.idle(() => {
      this.#tab
        .alone(`plainsync/${this.home?.document}/fold`, false, async () => {
          const { hashes, into } = await this.link.ask({ type: 'fold' });
          this.#store.removeChunks(hashes.filter((hash) => hash !== into?.hash));
          if (into) this.#store.putChunk(into);
          this.#units = this.#store.chunkUnits();
        })
        .catch((error: unknown) => {
          this.#hooks.error({ code: 'storage', message: `Folding was put off: ${String(error)}`, fatal: false });
        })
        .finally(() => (this.#folding = false));
    });
  }

  #warnFull(): void {
    if (this.#full) return;
    this.#full = true;
    this.#hooks.notice({
      code: 'storage-full',
      level: 'warning',
      message: 'localStorage is full. Edits are saved in the browser’s database alone; nothing is lost.',
    });
    this.#fold();
  }
}
