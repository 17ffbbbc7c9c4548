/** Which picture a job has, why it has none, and how large it is shown. */
import type { Job } from '@plainsync/client';

const isImage = (value: unknown): value is string =>
  typeof value === 'string' && (value.startsWith('data:') || value.startsWith('blob:sha256-'));

/** The picture of a finished job in either historic form, as `client.image` takes it; null when there is none. */
export function pictureOf(job: Job): string | null {
  const { result } = job;
  if (isImage(result)) return result;
  if (typeof result === 'object' && result !== null) {
    const value = (result as { image_data_url?: unknown }).image_data_url;
    if (isImage(value)) return value;
  }
  return null;
}

/** How much base64 a PNG's first 24 bytes are: signature, IHDR, width, height. */
const PNG_HEAD_CHARS = 32;

/** The size of a PNG in a data URL, read from its first bytes; null for anything else. */
export function pngSize(value: string): { width: number; height: number } | null {
  const [, base64] = /^data:image\/png;base64,(iVBORw0KGgo[A-Za-z0-9+/]{21})/.exec(value) ?? [];
  if (base64?.length !== PNG_HEAD_CHARS) return null;
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  return width > 0 && height > 0 && width <= 4096 && height <= 4096 ? { width, height } : null;
}

/**
 * How many CSS pixels one picture pixel takes so that the picture fits into a square box.
 *
 * A whole number; on screens with a broken device ratio (1.25, 1.5 …) each picture pixel covers a
 * whole number of device pixels instead. A picture larger than the box is shown at the largest
 * fitting fraction (1/2, 1/3 …).
 */
export function zoom(width: number, height: number, box: number, deviceRatio = 1): number {
  const ratio = Number.isInteger(deviceRatio) || deviceRatio <= 0 ? 1 : deviceRatio;
  const [longest, room] = [Math.max(width, height, 1), box * ratio];
  return (longest <= room ? Math.floor(room / longest) : 1 / Math.ceil(longest / room)) / ratio;
}
