/**
 * Images as something an `<img>` can show. References become object URLs, made once and kept for the images
 * used last; data URLs are checked by what they contain, not by what they claim.
 */
import type { Link } from './link.js';

/** Object URLs kept at once; the one unused longest is given back first. */
const URLS_MAX = 2_000;
/** Enough of a data URL's base64 to hold any magic number looked for. */
const MAGIC_CHARS = 24;
/** A PNG's first eight bytes, the first four of them as a number, and the name of its last section: `IEND`. */
const PNG_SIGNATURE_BYTES = 8;
const PNG_MAGIC = 0x89504e47;
const PNG_END = 0x49454e44;

export class Images {
  readonly #urls = new Map<string, Promise<string>>();

  /** Resolves to a URL, rejects with a reason for the placeholder. */
  show(value: string, link: Link): Promise<string> {
    if (value.startsWith('data:')) return checkedDataUrl(value);
    if (!/^blob:sha256-[0-9a-f]{64}$/.test(value)) {
      return Promise.reject(new Error('This is neither an image’s data URL nor a reference to one.'));
    }
    const known = this.#urls.get(value);
    if (known) {
      // Moves to the end: used last.
      this.#urls.delete(value);
      this.#urls.set(value, known);
      return known;
    }
    const made = this.#load(value, link);
    this.#urls.set(value, made);
    made.catch(() => this.#urls.delete(value));
    for (const [oldest, url] of this.#urls) {
      if (this.#urls.size <= URLS_MAX) break;
      this.#urls.delete(oldest);
      void url.then((text) => URL.revokeObjectURL(text)).catch(() => {});
    }
    return made;
  }

  clear(): void {
    for (const url of this.#urls.values()) void url.then((text) => URL.revokeObjectURL(text)).catch(() => {});
    this.#urls.clear();
  }

  async #load(blob: string, link: Link): Promise<string> {
    const { value, bytes } = await link.askWithBytes({ type: 'image', blob });
    if (!bytes) throw new Error('The engine answered without the image’s bytes.');
    if (isCutPng(bytes)) throw new Error('The image is cut off.');
    return URL.createObjectURL(new Blob([bytes], { type: value.mime }));
  }
}

async function checkedDataUrl(value: string): Promise<string> {
  const match = value.match(/^data:image\/[a-z+.-]+;base64,([A-Za-z0-9+/]+={0,2})$/);
  if (!match?.[1]) throw new Error('This data URL holds no base64 image.');
  const start = match[1].slice(0, MAGIC_CHARS);
  const head = atob(start.slice(0, start.length - (start.length % 4)));
  if (!imageMagic(head)) throw new Error('This is not a PNG, JPEG, WebP or GIF image.');
  return value;
}

/** Whether these first bytes, one a character, are those of an image format that is allowed. */
function imageMagic(head: string): boolean {
  return (
    head.startsWith('\x89PNG\r\n\x1a\n') ||
    head.startsWith('\xff\xd8\xff') ||
    head.startsWith('GIF87a') ||
    head.startsWith('GIF89a') ||
    (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP')
  );
}

/** Whether this is a PNG that ends before its last section. Browsers show such a file as if it were empty. */
function isCutPng(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PNG_SIGNATURE_BYTES || view.getUint32(0) !== PNG_MAGIC) return false;
  // Sections of length, name, content, checksum.
  for (let at = PNG_SIGNATURE_BYTES; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === PNG_END) return false;
  }
  return true;
}
