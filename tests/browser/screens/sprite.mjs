// Pictures for tests: small PNGs with something on them, the same for the same number.

import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
/** Eight bits a channel, red, green, blue and alpha. */
const RGBA = [8, 6, 0, 0, 0];

function section(name, bytes) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), bytes]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(bytes.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A PNG whose pixels `colour(x, y)` gives as `[red, green, blue, alpha]`. */
function png(side, colour) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set(RGBA, 8);
  const rows = Array.from({ length: side }, (_, y) => [0, ...Array.from({ length: side }, (_, x) => colour(x, y)).flat()]);
  return Buffer.concat([SIGNATURE, section('IHDR', head), section('IDAT', deflateSync(Buffer.from(rows.flat()))), section('IEND', Buffer.alloc(0))]);
}

/** Numbers from 0 to 1 that look random. */
function dice(seed) {
  let state = (seed * 2654435761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A symmetric creature on a transparent ground: eight by eight cells, as large as `side` allows. */
export function sprite(side, seed) {
  const next = dice(seed);
  const [base, dark] = [0, 1].map((shade) => [60, 90, 130].map((least) => Math.round((least + next() * 120) * (shade ? 0.5 : 1))));
  const cells = Array.from({ length: 8 }, () => Array.from({ length: 4 }, () => next()));
  const cell = Math.floor(side / 8);
  return png(side, (x, y) => {
    const [column, row] = [Math.min(7, Math.floor(x / cell)), Math.min(7, Math.floor(y / cell))];
    const value = cells[row][column < 4 ? column : 7 - column];
    if (value < 0.4) return [0, 0, 0, 0];
    return [...(value < 0.6 ? dark : base), 255];
  });
}

/** The same as a data URL, as the old dashboard kept it. */
export const spriteUrl = (side, seed) => `data:image/png;base64,${sprite(side, seed).toString('base64')}`;
