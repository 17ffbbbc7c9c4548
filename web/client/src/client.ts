/**
 * `open()`: one document, from the first paint to `close()`.
 *
 * It asks the server which document it serves (and remembers the answer for offline starts), runs a
 * {@link Session} for it, and gives the program the typed view of what the session's worker says.
 */
import { browserEnv, type Env, type Happened } from './env.js';
import { Emitter } from './events.js';
import { askHealth, isNews, rememberedHome, rememberHome, type Health, type Home } from './home.js';
import { Images } from './images.js';
import { jobsOf } from './jobs.js';
import { takeOldData } from './legacy.js';
import { LocalStore } from './local.js';
import { Peers } from './presence.js';
import type { FirstRows, FromWorker } from './protocol.js';
import { Store } from './readable.js';
import { Session } from './session.js';
import { TabLife } from './tabs.js';
import type { Client, Events, FileNews, ImportResult, Job, Jobs, NoticeEvent, OpenOptions, Readable, Row, Stats, Status } from './types.js';
import { Windows } from './windows.js';

/** Waits before the server is asked again while it does not answer, ms; the last one repeats. */
const ASK_AGAIN_MS = [500, 1_000, 2_000, 5_000, 15_000, 30_000];
/** How often the server's and its file's state are asked for while the page is shown. */
const HEALTH_EVERY_MS = 60_000;
/** How long closing may take before the worker is ended with what it has. */
const CLOSE_MS_MAX = 5_000;

const NO_STATS: Stats = {
  total: 0,
  idle: 0,
  queued: 0,
  running: 0,
  success: 0,
  error: 0,
  bin: 0,
  conflicts: 0,
  successRate: null,
  averageDuration: null,
};

/** Opens a document and returns at once; see {@link OpenOptions} for what may be told and {@link Client} for what comes. */
export function open<T extends object = Job>(options: OpenOptions = {}): Client<T> {
  return openWith<T>(options, browserEnv());
}

/** {@link open} in a browser of one's own making: for tests. */
export function openWith<T extends object = Job>(options: OpenOptions, env: Env): Client<T> {
  return new OpenClient(options, env) as unknown as Client<T>;
}

class OpenClient implements Client<object> {
  readonly ready: Promise<void>;
  readonly first: readonly Row<object>[];
  readonly jobs: Jobs<object>;
  readonly presence: Peers;
  readonly #env: Env;
  readonly #options: OpenOptions;
  readonly #server: string;
  readonly #tab: TabLife;
  readonly #events = new Emitter<Events<object>>();
  readonly #windows = new Windows();
  readonly #images = new Images();
  readonly #stats: Store<Stats>;
  readonly #status: Store<Status>;
  readonly #unwatch: () => void;
  #firstRows: FirstRows | undefined;
  #session: Session;
  #refused: string | null = null;
  #file: string | null = null;
  readonly #news = new Store<FileNews | null>(null);
  /** Counts what the server said of its file by itself: an answer asked for before that is older. */
  #told = 0;
  #asking: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #hidden = false;
  #closed = false;

  constructor(options: OpenOptions, env: Env) {
    this.#env = env;
    this.#options = options;
    this.#server = (options.server ?? env.origin).replace(/\/+$/, '');
    this.#tab = new TabLife(env.locks, env.session);
    const home = rememberedHome(env.storage, this.#server, options.document);
    this.#firstRows = home && new LocalStore(env.storage, home.document).first();
    this.first = this.#firstRows?.rows ?? [];
    this.#stats = new Store(this.#firstRows?.stats ?? NO_STATS);
    this.presence = new Peers({
      now: () => env.now(),
      say: (message) => this.#session.link.say(message),
      changed: () => this.#showStatus(this.#session),
    });
    this.#session = this.#newSession();
    this.#status = new Store(this.#session.status());
    this.ready = this.#session.ready;
    this.jobs = jobsOf({
      session: () => this.#session,
      windows: this.#windows,
      first: () => this.#firstRows,
    });
    this.#unwatch = env.watch((happened) => this.#happened(happened));
    if (!env.storage) this.#degraded('localStorage is not available here: an edit is safe only once it says “saved”.');
    if (!env.locks) {
      this.#degraded('This page is not a secure context (https or localhost): it cannot be reloaded offline, and stored changes are not compacted.');
    }
    if (home) this.#begin(home);
    else this.#session.recall();
    void this.#ask();
  }

  get stats(): Readable<Stats> {
    return this.#stats;
  }

  get status(): Readable<Status> {
    return this.#status;
  }

  get file(): Readable<FileNews | null> {
    return this.#news;
  }

  on<E extends keyof Events<object>>(event: E, listener: (payload: Events<object>[E]) => void): () => void {
    return this.#events.on(event, listener);
  }

  image(value: string): Promise<string> {
    return this.#images.show(value, this.#session.link);
  }

  exportJson(): Promise<string> {
    return this.#session.link.ask({ type: 'export' });
  }

  importText(text: string): Promise<ImportResult> {
    return this.#session.link.ask({ type: 'import', text, origin: 'import' });
  }

  flush(): Promise<void> {
    return this.#session.edits.flush();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#unwatch();
    this.#windows.clear();
    this.presence.close();
    await this.#session.close(CLOSE_MS_MAX);
    this.#tab.end();
    this.#images.clear();
    this.#events.clear();
    this.#stats.clear();
    this.#status.clear();
    this.#news.clear();
  }

  #newSession(): Session {
    const session: Session = new Session(this.#env, this.#options, this.#server, this.#tab, {
      message: (message) => session === this.#session && this.#received(message),
      status: () => this.#showStatus(session),
      peers: () => (session === this.#session ? this.presence.count : 0),
      alone: () => session === this.#session && this.presence.alone(),
      recalled: (home) => session === this.#session && this.#begin(home),
      notice: (notice) => this.#events.emit('notice', notice),
      error: (error) => this.#events.emit('error', error),
    });
    return session;
  }

  #begin(home: Home): void {
    this.#session.begin(home);
    this.#windows.attach(this.#session.link);
    this.#showStatus(this.#session);
  }

  /** Asks the server which document it serves and how its file is, now and again later. */
  #ask(): Promise<void> {
    clearTimeout(this.#timer);
    const told = this.#told;
    this.#asking ??= askHealth((url, init) => this.#env.fetch(url, init), this.#server, this.#options.document)
      .then((health) => this.#heard(health, told === this.#told))
      .finally(() => (this.#asking = null));
    return this.#asking;
  }

  #heard(health: Health, isNewest: boolean): void {
    if (this.#closed) return;
    this.#failures = health.state === 'ok' ? 0 : this.#failures + 1;
    this.#refused = health.state === 'refused' ? health.detail : null;
    // The socket may not notice for minutes that nobody is at the other end.
    if (health.state === 'unreachable' && !health.answered) this.#session.link.post({ type: 'network', online: false });
    if (health.state === 'ok') {
      rememberHome(this.#env.storage, this.#server, this.#options.document, health.home);
      if (!this.#session.home) this.#begin(health.home);
      else if (this.#session.home.document !== health.home.document) this.#change(health.home);
      else this.#session.home = health.home;
      if (isNewest) {
        this.#showFile(health.file);
        if (health.news) this.#news.set(health.news);
      }
    }
    this.#showStatus(this.#session);
    const wait =
      this.#failures === 0 ? HEALTH_EVERY_MS : ASK_AGAIN_MS[Math.min(this.#failures, ASK_AGAIN_MS.length) - 1];
    this.#timer = setTimeout(() => {
      // A hidden page asks when it is shown again.
      if (!this.#hidden) void this.#ask();
    }, wait);
  }

  /** The server serves another document now: open that one. The old one's data stays in this browser. */
  #change(home: Home): void {
    const old = this.#session;
    const from = old.home?.document ?? '';
    const waiting = old.status().waiting;
    this.#session = this.#newSession();
    this.#firstRows = undefined;
    this.#images.clear();
    this.#stats.set(NO_STATS);
    this.presence.alone();
    this.presence.wake();
    this.#begin(home);
    void old.close(CLOSE_MS_MAX);
    this.#events.emit('notice', {
      code: 'document-changed',
      level: waiting > 0 ? 'warning' : 'info',
      message:
        waiting > 0
          ? `The server now serves another document. ${waiting} edits of the former one have not reached it; they are kept in this browser.`
          : 'The server now serves another document.',
      data: { from, to: home.document, waiting },
    });
  }

  #received(message: FromWorker): void {
    switch (message.type) {
      case 'page':
        this.#firstRows = undefined; // From now on there are better ones.
        return this.#windows.deliver(message);
      case 'presence':
        return this.presence.heard(message.sender, message.bytes);
      case 'page-failed':
        if (this.#windows.fail(message)) return;
        return this.#events.emit('error', { code: 'sync', message: message.message, fatal: false });
      case 'stats':
        return this.#stats.set(message.stats);
      case 'change': {
        const { added, updated, removed, origin } = message;
        return this.#events.emit('change', { added, updated, removed, origin });
      }
      case 'log': {
        const { area, level, message: text, data } = message;
        return this.#events.emit('log', { area, level, message: text, ...(data === undefined ? {} : { data }) });
      }
      case 'news':
        if (!isNews(message.news)) return; // A newer server's words.
        this.#told += 1;
        this.#news.set(message.news);
        return this.#showFile(message.news.fileState);
      case 'error':
        // The server may serve another document by now, which only it can tell.
        if (message.code === 'sync') void this.#ask();
        return this.#events.emit('error', { code: message.code, message: message.message, fatal: false });
      case 'synced':
        void this.#ask();
        return void this.#takeOldData();
      default:
        return;
    }
  }

  async #takeOldData(): Promise<void> {
    const home = this.#session.home;
    if (!home || this.#server !== this.#env.origin) return;
    try {
      await this.#tab.alone('plainsync/old-data', true, async () => {
        const done = await takeOldData(this.#env.storage, home.document, (text) =>
          this.#session.link.ask({ type: 'import', text, origin: 'pixellab_jobs_v1' }),
        );
        if (!done) return;
        this.#events.emit('notice', {
          code: 'old-data',
          level: 'info',
          message: `Jobs of the old dashboard in this browser were taken in: ${done.added} added, ${done.changed} changed.`,
          data: done,
        });
      });
    } catch (error) {
      this.#events.emit('error', {
        code: 'import',
        message: `Jobs of the old dashboard in this browser could not be taken in and stay where they are: ${error instanceof Error ? error.message : String(error)}`,
        fatal: false,
      });
    }
  }

  #showFile(file: { state: string; detail?: string } | null): void {
    const seen = JSON.stringify(file);
    if (file === null || seen === this.#file) return;
    const before = this.#file;
    this.#file = seen;
    if (before === null && file.state === 'ok') return;
    this.#events.emit('notice', {
      code: 'file',
      level: file.state === 'ok' ? 'info' : 'warning',
      message: file.state === 'ok' ? 'The server’s file is in order again.' : (file.detail ?? `The server’s file is ${file.state}.`),
      data: file,
    });
  }

  #showStatus(session: Session): void {
    // While the constructor runs there is no status to update yet.
    if (session !== this.#session || !this.#status) return;
    const status = session.status();
    if (this.#refused !== null && status.connection !== 'online') {
      this.#status.set({ ...status, connection: 'refused', detail: status.detail ?? this.#refused });
    } else if (!session.home && this.#failures > 0) {
      this.#status.set({ ...status, connection: 'offline' });
    } else {
      this.#status.set(status);
    }
  }

  #happened(happened: Happened): void {
    this.#hidden = happened === 'hidden' || (this.#hidden && happened !== 'visible' && happened !== 'resumed');
    switch (happened) {
      case 'hidden':
        return void this.#session.first.write();
      case 'left':
        return this.presence.leave();
      case 'visible':
      case 'resumed':
        if (happened === 'resumed') this.presence.wake();
        this.#session.woke(happened === 'resumed');
        return void this.#ask();
      default:
        this.#session.link.post({ type: 'network', online: happened === 'online' });
        if (happened === 'online') void this.#ask();
    }
  }

  /** Said in a microtask: nobody can listen before `open()` has returned. */
  #degraded(message: string): void {
    const notice: NoticeEvent = { code: 'degraded', level: 'warning', message };
    queueMicrotask(() => this.#events.emit('notice', notice));
  }
}
