// The server under test: the real binary on a free port, with a folder and a state of its own.
//
// `PLAINSYNC_BIN` names the binary; `cargo xtask test` sets it. By hand, the debug build is taken.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { forget, kill, remember } from './processes.mjs';
import { PATIENCE_MS, until } from './wait.mjs';

/** How much of its log is kept for messages, in characters. */
const LOG_CHARS_MAX = 200_000;

const binary = process.env.PLAINSYNC_BIN ?? fileURLToPath(new URL('../../../target/debug/plainsync', import.meta.url));

/**
 * Starts a server and waits until it answers. It ends with the test `t`, and its folder is removed.
 *
 * @param {import('node:test').TestContext} t
 * @param {{ folder?: string, whole?: boolean, port?: number, args?: string[], env?: Record<string, string> }} [options]
 *   `folder`: an existing folder to use (the file is `job_history.json` in it); by default a new one.
 *   `whole`: the folder itself is served, with every file in it that carries a version.
 */
export async function startServer(t, { folder, whole = false, port = 0, args = [], env = {} } = {}) {
  if (!existsSync(binary)) {
    throw new Error(`there is no server at ${binary}: run \`cargo xtask test --only browser\`, or set PLAINSYNC_BIN`);
  }
  const home = await mkdtemp(join(tmpdir(), 'plainsync-server-'));
  const server = new Server({ home, folder: folder ?? join(home, 'files'), whole, port, args, env });
  t.after(async () => {
    await server.kill();
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  await server.start();
  return server;
}

/** One server and its folder; may be killed and started again, at the same port. */
class Server {
  #child;
  #log = '';
  #options;

  constructor(options) {
    this.#options = options;
    /** The folder that is served. */
    this.folder = options.folder;
    /** The JSON file itself. */
    this.file = join(options.folder, 'job_history.json');
    /** The port, kept over restarts; 0 before the first start. */
    this.port = options.port;
  }

  /** The dashboard's address, with a slash at its end. */
  get url() {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** What the server wrote to stderr so far. */
  get log() {
    return this.#log;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Starts it and waits for `/health`. */
  async start() {
    const { home, whole, args, env } = this.#options;
    // No generator but the embedded one: a test never reaches a service outside.
    const { PIXELLAB_API_KEY: _key, PIXELLAB_BASE_URL: _url, PLAINSYNC_TOKEN: _token, ...inherited } = process.env;
    const child = spawn(
      binary,
      ['serve', whole ? this.folder : this.file, '--port', String(this.port), '--state', join(home, 'state'), ...args],
      { cwd: home, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child = child;
    let said = '';
    const hear = (text) => (this.#log = (this.#log + text).slice(-LOG_CHARS_MAX));
    child.stdout.setEncoding('utf8').on('data', (text) => (said += text));
    child.stderr.setEncoding('utf8').on('data', hear);
    await once(child, 'spawn');
    remember(child.pid);
    child.once('exit', () => forget(child.pid));
    await Promise.race([
      once(child, 'exit').then(([code, signal]) => {
        throw new Error(`the server ended at its start (${signal ?? code}): ${this.#log}`);
      }),
      until('the server to answer', async () => {
        const port = said.match(/https?:\/\/[^\s/]+:(\d+)\//)?.[1];
        if (!port) return false;
        this.port = Number(port);
        return (await fetch(new URL('health', this.url))).ok;
      }),
    ]);
  }

  /** Stops it as Ctrl-C does, waits until it has drained, and returns its exit code. */
  async stop() {
    return this.#end('SIGTERM');
  }

  /** Ends it at once, as a power cut would. */
  async kill() {
    return this.#end('SIGKILL');
  }

  /** Stops it politely and starts it again at the same port. */
  async restart() {
    await this.stop();
    await this.start();
  }

  async #end(signal) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(PATIENCE_MS) });
    kill(child.pid, signal);
    const [code] = await ended;
    return code;
  }

  /** The answer of a path, as JSON; fails on anything but a 2xx. */
  async get(path) {
    const response = await fetch(new URL(path.replace(/^\//, ''), this.url));
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /** Sends `body` as JSON and returns the answer's status and JSON (null when it has none). */
  async send(method, path, body) {
    const response = await fetch(new URL(path.replace(/^\//, ''), this.url), {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null };
  }

  /** What the JSON file on disk says now. */
  async read() {
    return JSON.parse(await readFile(this.file, 'utf8'));
  }
}
