/**
 * Small mirrored creatures drawn from a seed, for pictures in the fake.
 *
 * The same seed and size always give the same picture.
 */

/** A cheap generator of numbers in [0, 1), the same for the same text. */
export function numbers(seed: string): () => number {
  let state = 2166136261;
  for (const letter of seed) state = Math.imul(state ^ (letter.codePointAt(0) ?? 0), 16777619);
  return () => {
    state = Math.imul(state ^ (state >>> 15), 2246822507) + 0x9e3779b9;
    const mixed = Math.imul(state ^ (state >>> 13), 3266489909);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 4294967296;
  };
}

function palette(next: () => number): string[] {
  const hue = Math.floor(next() * 360);
  const other = (hue + 40 + Math.floor(next() * 260)) % 360;
  return ['#1a1623', `hsl(${hue} 55% 38%)`, `hsl(${hue} 60% 58%)`, `hsl(${other} 75% 66%)`];
}

/** Draws a creature and gives it as a PNG data URL. */
export function sprite(seed: string, width: number, height: number): string {
  const next = numbers(seed);
  const colours = palette(next);
  const cells = 16;
  const half = cells / 2;
  const filled: number[][] = Array.from({ length: cells }, (_, y) =>
    Array.from({ length: half }, (_, x) => {
      const inside = Math.hypot((half - x) / half, (y - cells / 2 + 0.5) / (cells / 2));
      return next() > inside * 0.95 - 0.02 && inside < 0.98 ? 1 + Math.floor(next() * 3) : 0;
    }),
  );
  const at = (x: number, y: number) => filled[y]?.[x < half ? x : cells - 1 - x] ?? 0;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no canvas');
  const unit = Math.max(1, Math.floor(Math.min(width, height) / (cells + 2)));
  const left = Math.floor((width - unit * cells) / 2);
  const top = Math.floor((height - unit * cells) / 2);
  const dot = (x: number, y: number, colour: string) => {
    pen.fillStyle = colour;
    pen.fillRect(left + x * unit, top + y * unit, unit, unit);
  };
  for (let y = -1; y <= cells; y++) {
    for (let x = -1; x <= cells; x++) {
      const value = at(x, y);
      if (value > 0) dot(x, y, colours[value] ?? '#000');
      else if (at(x - 1, y) || at(x + 1, y) || at(x, y - 1) || at(x, y + 1)) dot(x, y, colours[0] ?? '#000');
    }
  }
  dot(6, 6, '#fff');
  dot(9, 6, '#fff');
  return canvas.toDataURL('image/png');
}
