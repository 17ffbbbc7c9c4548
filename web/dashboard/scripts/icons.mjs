/**
 * Writes the page's own pictures from rows of letters: favicon.svg, empty.svg, and the PNG icons.
 *
 * `npm run icons`. The results are committed; the build does not run this.
 */
import { writeFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';

const PALETTE = {
  k: '#151826',
  b: '#3a4cf0',
  l: '#8793ff',
  w: '#f2f4ff',
  y: '#ffb43b',
  o: '#e0632e',
  g: '#3f9e5f',
  d: '#27724a',
  s: '#c9cede',
  t: '#8b92a5',
  p: '#20253a',
};

/** A knight's helmet on a tile. */
const HELMET = [
  '.bbbbbbbbbbbbbb.',
  'bbbbbbbbbyyybbbb',
  'bbbbbbbbyyyoobbb',
  'bbbbbbbyyyobbbbb',
  'bbbbbwwwyobbbbbb',
  'bbbbwwwwwwssbbbb',
  'bbbwwwwwwwwssbbb',
  'bbbwwwwwwwwssbbb',
  'bbbkkkkkkkkkkbbb',
  'bbbkyykkkyykkbbb',
  'bbbkkkkkkkkkkbbb',
  'bbbwwkwkwkwssbbb',
  'bbbwwkwkwkwssbbb',
  'bbbbwwwwwwssbbbb',
  'bbbbbwwwssbbbbbb',
  '.bbbbbbbbbbbbbb.',
];

/** A slime with a crown on a meadow, and stars: the empty page. */
const MEADOW = [
  '................................',
  '...t.....................t......',
  '.............y..y..y............',
  '.............yy.yy.yy....t......',
  '......t......yyyyyyyy...........',
  '.............yoyooyoy...........',
  '...........kkkkkkkkkkkk.........',
  '..........kllllbbbbbbbbk....t...',
  '.........klwlbbbbbbbbbbbk.......',
  '...t.....klwbbkkbbkkbbbbk.......',
  '.........klbbbkkbbkkbbbbk.......',
  '.........kbbbbbbbbbbbbbbk....g..',
  '..g.......kbbbbbkkbbbbbk....gg..',
  '.gg..g....kkkkkkkkkkkkkk...ggg..',
  'gggggggggggggggggggggggggggggggg',
  'dddgddddgdddddgddddddgddddgddddd',
];

function svg(rows) {
  const [width, height] = [rows[0].length, rows.length];
  const paths = new Map();
  rows.forEach((row, y) => {
    for (const run of row.matchAll(/([a-z])\1*/g)) {
      const d = `M${run.index} ${y}h${run[0].length}v1h-${run[0].length}z`;
      paths.set(run[1], (paths.get(run[1]) ?? '') + d);
    }
  });
  const shapes = [...paths].map(([letter, d]) => `<path fill="${PALETTE[letter]}" d="${d}"/>`).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width * 2}" height="${height * 2}" viewBox="0 0 ${width} ${height}" shape-rendering="crispEdges">${shapes}</svg>\n`;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body) >>> 0, body.length + 4);
  return out;
}

/** A square PNG of `side` pixels: the rows enlarged by a whole factor, centred on a colour. */
function png(rows, side, background, margin) {
  const unit = Math.floor((side - 2 * margin) / rows.length);
  const start = Math.floor((side - unit * rows.length) / 2);
  const rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const raw = Buffer.alloc(side * (side * 3 + 1));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const letter = rows[Math.floor((y - start) / unit)]?.[Math.floor((x - start) / unit)];
      raw.set(rgb(PALETTE[letter] ?? background), y * (side * 3 + 1) + 1 + x * 3);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(raw, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const at = (name) => new URL(`../public/${name}`, import.meta.url);
writeFileSync(at('favicon.svg'), svg(HELMET));
writeFileSync(at('empty.svg'), svg(MEADOW));
writeFileSync(at('icon-192.png'), png(HELMET, 192, '#3a4cf0', 0));
writeFileSync(at('icon-512.png'), png(HELMET, 512, '#3a4cf0', 56));
