/**
 * Pictures by value: asked for when a card comes near the screen, then kept.
 *
 * A picture is shown once its true size is known: after the browser has decoded it, or, for the
 * cached ones of the first paint, from its first bytes.
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { Client, Job } from '@plainsync/client';
import { pngSize } from '../pure/picture.ts';

export type Picture =
  | { state: 'waiting' }
  | { state: 'ready'; url: string; width: number; height: number }
  | { state: 'absent'; reason: string };

export interface Images {
  of(value: string): ReadonlySignal<Picture>;
  /** Asks for a picture, once; again only if it was absent and `retryAbsent` was called. */
  want(value: string): void;
  /** Asks again for every absent picture: the network may be back. */
  retryAbsent(): void;
}

/** Gives the size of what is at `url`, or rejects when it is no picture. */
export type Decode = (url: string) => Promise<{ width: number; height: number }>;

export const decodeInPage: Decode = async (url) => {
  const image = new Image();
  image.src = url;
  await image.decode();
  return { width: image.naturalWidth, height: image.naturalHeight };
};

/** A cached PNG carries its bytes and its size: it is on screen with the first paint. */
function startOf(value: string): Picture {
  const size = pngSize(value);
  return size ? { state: 'ready', url: value, ...size } : { state: 'waiting' };
}

export function createImages(client: Pick<Client<Job>, 'image'>, decode: Decode = decodeInPage): Images {
  const known = new Map<string, Signal<Picture>>();
  const asked = new Set<string>();
  const of = (value: string) => {
    const one = known.get(value) ?? signal<Picture>(startOf(value));
    known.set(value, one);
    return one;
  };
  async function load(value: string): Promise<Picture> {
    let url: string;
    try {
      url = await client.image(value);
    } catch (error) {
      return { state: 'absent', reason: error instanceof Error ? error.message : String(error) };
    }
    try {
      return { state: 'ready', url, ...(await decode(url)) };
    } catch {
      return { state: 'absent', reason: 'the picture is damaged' };
    }
  }
  const want = (value: string) => {
    if (asked.has(value)) return;
    asked.add(value);
    void load(value).then((picture) => {
      of(value).value = picture;
    });
  };
  return {
    of,
    want,
    retryAbsent() {
      for (const [value, picture] of known) {
        if (picture.peek().state !== 'absent') continue;
        asked.delete(value);
        want(value);
      }
    },
  };
}
