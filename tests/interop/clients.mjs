// Clients that know nothing of Plainsync: automerge-repo as it comes from npm, over its own
// WebSocket adapter.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { cbor, parseAutomergeUrl, Repo } from '@automerge/automerge-repo';
import { WebSocketClientAdapter } from '@automerge/automerge-repo-network-websocket';

import { startServer } from '../browser/harness/server.mjs';
import { until } from '../browser/harness/wait.mjs';

// For the browser tests, whose packages are others.
export { cbor, parseAutomergeUrl, Presence } from '@automerge/automerge-repo';

const { decode, encode } = cbor;

const peers = process.env.PLAINSYNC_PEERS ?? fileURLToPath(new URL('../../target/debug/peers', import.meta.url));

/** Between two attempts of a client to reconnect, in milliseconds; its own default is 5,000. */
const RETRY_MS = 100;

/**
 * A server, and clients of it. All end with the test `t`, the clients first: one that loses its
 * server would try to reconnect for ever.
 *
 * @param {import('node:test').TestContext} t
 * @param {Parameters<typeof startServer>[1]} [options]
 */
export async function world(t, options = {}) {
  const started = [];
  t.after(() => Promise.all(started.map(end)));
  const server = await startServer(t, options);
  const client = (name) => {
    const adapter = new WebSocketClientAdapter(new URL('sync', server.url.replace(/^http/, 'ws')).href, RETRY_MS);
    const repo = new Repo({ network: [adapter], peerId: /** @type {any} */ (name) });
    started.push({ adapter, repo });
    return repo;
  };
  return { server, client };
}

/** Shuts a client down; one that waits to reconnect does so once more before it can be stopped. */
async function end({ adapter, repo }) {
  const waits = adapter.socket?.readyState !== adapter.socket?.OPEN;
  await repo.shutdown();
  if (!waits) return;
  await pause(2 * RETRY_MS);
  if (adapter.socket) adapter.disconnect();
}

/**
 * Two clients of `url` in a process of their own: samod, automerge-repo's library for Rust, and the
 * engine that our dashboard runs. It ends with the test.
 *
 * @param {import('node:test').TestContext} t
 */
export async function otherPeers(t, server, url) {
  const { documentId } = parseAutomergeUrl(url);
  const sync = new URL('sync', server.url.replace(/^http/, 'ws')).href;
  const child = spawn(peers, [sync, documentId], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  const lines = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until('both to have the document', () => {
    assert.equal(child.exitCode, null, 'it runs');
    return lines.includes('ready');
  });
  const sayBytes = (who, bytes) => child.stdin.write(`${who} ${Buffer.from(bytes).toString('hex')}\n`);
  return {
    /** Has `who` (`samod` or `ours`) say `message`. */
    say: (who, message) => sayBytes(who, encode(message)),
    /** Has `who` say any bytes. */
    sayBytes,
    /** What `who` heard so far. */
    heard: (who) =>
      lines.filter((line) => line.startsWith(`${who} `)).map((line) => decode(Buffer.from(line.slice(who.length + 1), 'hex'))),
  };
}

/** The served document as `server` names it to others. */
export async function served(server) {
  const health = await server.get('health');
  return health.documents[0].url;
}

/** The key under which the job shown as `label` stands in the document. */
export async function keyOf(server, label) {
  return (await server.get(`api/v1/jobs/${label}`)).key;
}

/** A text of the document: our own are scalars, which this client shows as `ImmutableString`. */
export function text(value) {
  return value === null || value === undefined ? value : String(value);
}
