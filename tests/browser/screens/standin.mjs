// A stand-in for PixelLab: speaks its API on this machine, and answers when and what the test says.

import { once } from 'node:events';
import { createServer } from 'node:http';

import { sprite } from './sprite.mjs';

/**
 * Starts one; it ends with the test. `env` is for the server under test.
 *
 * It begins with holding every request for a picture; `draw()` and `refuse()` answer those and all later ones.
 *
 * @param {import('node:test').TestContext} t
 */
export async function startStandin(t) {
  const held = [];
  let drawn = 0;
  let answer = null;
  const say = (response, status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    if (request.url === '/v1/balance') return say(response, 200, { type: 'usd', usd: 12.34 });
    const ask = { body: JSON.parse(text), say: (status, body) => say(response, status, body) };
    if (answer) answer(ask);
    else held.push(ask);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');

  const from = (next) => {
    answer = next;
    for (const ask of held.splice(0)) next(ask);
  };
  return {
    env: { PIXELLAB_API_KEY: 'key-of-the-stand-in', PIXELLAB_BASE_URL: `http://127.0.0.1:${server.address().port}/v1` },
    /** How many requests for a picture wait for an answer. */
    get waiting() {
      return held.length;
    },
    /** Keeps requests waiting again. */
    hold() {
      answer = null;
    },
    /** Answers with pictures. */
    draw() {
      from(({ body, say }) => {
        drawn += 1;
        say(200, { image: { type: 'base64', base64: sprite(body.image_size.width, drawn).toString('base64') }, usage: { type: 'usd', usd: 0.01 } });
      });
    },
    /** Answers as the service does when it will not draw. */
    refuse(status, detail) {
      from(({ say }) => say(status, { detail }));
    },
  };
}
