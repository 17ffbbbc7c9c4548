// What the peers of the benchmark that run in Node have in common: they listen on a free port of
// this machine, and then say in one line of JSON where, and what they are.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { WebSocketServer } from 'ws';

/** A WebSocket server on a free port. */
export async function listen() {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return { sockets, port: http.address().port };
}

/** Tells the benchmark that it may begin. */
export function ready({ port, path = '', document, packageName }) {
  const manifest = new URL(`node_modules/${packageName}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  console.log(JSON.stringify({ url: `ws://127.0.0.1:${port}/${path}`, document, version }));
}
