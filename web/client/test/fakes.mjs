// A browser made of plain objects: storage with a quota, locks, a worker that is the engine's protocol
// without an engine, a server that answers /health.

export class FakeStorage {
  #map = new Map();
  quota;

  constructor(quota = 5_000_000) {
    this.quota = quota;
  }

  get length() {
    return this.#map.size;
  }

  key(index) {
    return [...this.#map.keys()][index] ?? null;
  }

  getItem(key) {
    return this.#map.get(key) ?? null;
  }

  setItem(key, value) {
    let units = key.length + value.length;
    for (const [other, text] of this.#map) if (other !== key) units += other.length + text.length;
    if (units > this.quota) throw new DOMException('full', 'QuotaExceededError');
    this.#map.set(key, String(value));
  }

  removeItem(key) {
    this.#map.delete(key);
  }

  keys(part = '') {
    return [...this.#map.keys()].filter((key) => key.includes(part));
  }
}

/** Web Locks, exclusive ones only. `kill(name)` does what the end of a tab does. */
export class FakeLocks {
  #held = new Map();
  #queue = [];

  async query() {
    return {
      held: [...this.#held.keys()].map((name) => ({ name })),
      pending: this.#queue.map(({ name }) => ({ name })),
    };
  }

  async request(name, options, task) {
    if (typeof options === 'function') [options, task] = [{}, options];
    if (this.#held.has(name)) {
      if (options.ifAvailable) return task(null);
      await new Promise((go) => this.#queue.push({ name, go }));
    }
    this.#held.set(name, true);
    try {
      return await task({ name });
    } finally {
      this.kill(name);
    }
  }

  kill(name) {
    this.#held.delete(name);
    const at = this.#queue.findIndex((waiting) => waiting.name === name);
    if (at >= 0) this.#queue.splice(at, 1)[0].go();
  }
}

/** What survives workers: the database, shared by all workers of a test. */
export class FakeDatabase {
  edits = new Set();
  rows = new Map();
  chunks = new Map();
  homes = new Map();
}

/** A worker that keeps rows by key, and holds what it is told to. */
export class FakeWorker {
  onmessage = null;
  onerror = null;
  received = [];
  terminated = false;
  /** Edits are applied when this is called instead of at once. */
  held = null;
  subs = new Map();
  open = null;

  constructor(database, script = {}) {
    this.database = database;
    this.script = script;
  }

  terminate() {
    this.terminated = true;
  }

  say(message, bytes) {
    if (this.terminated) return;
    const parcel = { json: JSON.stringify(message), ...(bytes ? { bytes } : {}) };
    queueMicrotask(() => !this.terminated && this.onmessage?.({ data: parcel }));
  }

  die(message = 'unreachable') {
    this.say({ type: 'dead', message });
  }

  postMessage(message) {
    message = structuredClone(message);
    this.received.push(message);
    this.script.onMessage?.(this, message);
    switch (message.type) {
      case 'recall':
        return this.say({ type: 'recalled', home: this.database.homes.get(message.server) ?? null });
      case 'open': {
        const { key, home } = JSON.parse(message.home);
        this.database.homes.set(key, JSON.stringify(home));
        this.open = message;
        if (this.script.silent) return;
        const want = message.hashes.filter((hash) => !this.database.chunks.has(hash));
        this.say({ type: 'ready', storage: this.script.storage ?? 'indexeddb', want, warnings: [] });
        return this.say({ type: 'status', status: this.status() });
      }
      case 'edits':
        if (this.script.holdEdits || this.script.silent) return;
        return this.apply(message.edits);
      case 'call':
        return this.answer(message.call, message.ask);
      case 'close':
        return this.say({ type: 'closed' });
      default:
    }
  }

  status(more = {}) {
    return {
      waiting: 0,
      oldestWaitingAt: null,
      connection: 'online',
      serverHasIt: true,
      serverId: 'aaaaaaaaaaaaaaaa',
      detail: null,
      ...more,
    };
  }

  apply(edits) {
    const done = [];
    const chunks = [];
    for (const { id, edit } of edits) {
      if (edit.key === 'missing') {
        this.say({ type: 'refused', id, message: 'There is no record with the key missing.' });
        continue;
      }
      if (!this.database.edits.has(id)) {
        this.database.edits.add(id);
        if (edit.type === 'insert') this.database.rows.set(edit.key, rowOf(edit));
        for (const key of edit.keys ?? []) this.database.rows.delete(key);
        const hash = `hash-${id}`;
        const text = 'x'.repeat(this.script.chunkUnits ?? 10);
        this.database.chunks.set(hash, text);
        chunks.push({ hash, text });
      }
      done.push({ id, rows: edit.type === 'insert' ? [this.database.rows.get(edit.key)] : [] });
    }
    if (done.length > 0) this.say({ type: 'saved', edits: done, chunks, status: this.status() });
  }

  answer(call, ask) {
    const rows = [...this.database.rows.values()];
    if (this.script.answers?.[ask.type]) return this.script.answers[ask.type](this, call, ask);
    switch (ask.type) {
      case 'query':
        return this.say({ type: 'answer', call, value: { rows, total: rows.length } });
      case 'get':
        return this.say({ type: 'answer', call, value: this.database.rows.get(ask.key) ?? null });
      case 'keys':
        return this.say({ type: 'answer', call, value: rows.map(({ key }) => key) });
      case 'chunks':
        for (const { hash, text } of ask.chunks) this.database.chunks.set(hash, text);
        return this.say({ type: 'answer', call, value: { drop: [] } });
      case 'first':
        return this.say({
          type: 'answer',
          call,
          value: { rows: rows.slice(0, ask.limit), total: rows.length, stats: statsOf(rows.length) },
        });
      default:
        return this.say({ type: 'failed', call, message: `The fake worker cannot ${ask.type}.` });
    }
  }
}

export function statsOf(total) {
  return { total, idle: total, queued: 0, running: 0, success: 0, error: 0, bin: 0, conflicts: 0, successRate: null, averageDuration: null };
}

function rowOf({ key, record, order }) {
  const run = order ? { id: order.runId, server: order.server } : null;
  return { key, job: { id: 'job-1', ...record }, inBin: false, keptByEdit: false, conflicts: [], run };
}

export const DOCUMENT = '4NMNnkMhL8jXrdJ9jamS58PAVdXu';

/** A browser tab: shares what a browser's tabs share. */
export function fakeBrowser(script = {}) {
  const storage = new FakeStorage(script.quota);
  const locks = script.locks === false ? null : new FakeLocks();
  const database = new FakeDatabase();
  const server = { up: true, document: DOCUMENT, file: { state: 'ok' }, asked: 0, status: 200 };
  const browser = {
    storage,
    locks,
    database,
    server,
    /** A new load in a tab: everything `open()` needs, and what a test wants to look at. */
    tab(more = {}) {
      const workers = [];
      const listeners = new Set();
      const env = {
        storage,
        session: new FakeStorage(),
        locks,
        origin: 'http://localhost:8787',
        makeWorker: () => {
          const worker = new FakeWorker(database, { ...script, ...more });
          workers.push(worker);
          return worker;
        },
        fetch: async () => {
          server.asked += 1;
          if (!server.up) throw new TypeError('fetch failed');
          if (server.status !== 200) {
            return Response.json({ title: 'Forbidden', detail: 'This server needs a token.' }, { status: server.status });
          }
          return Response.json({
            status: 'ok',
            server: 'aaaaaaaaaaaaaaaa',
            documents: [{ name: 'job_history', id: server.document }],
            file: server.file,
          });
        },
        now: () => 1_700_000_000_000,
        idle: (task) => setTimeout(task, 0),
        watch: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      };
      return {
        env,
        workers,
        get worker() {
          return workers.at(-1);
        },
        happen: (what) => listeners.forEach((listener) => listener(what)),
      };
    },
  };
  return browser;
}

/** Waits until `look` answers something true; fails after two seconds. */
export async function until(look, what) {
  const end = Date.now() + 2_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((go) => setTimeout(go, 5));
  }
}
