/**
 * Pictures by value: asked for when a card comes near the screen, then kept.
 *
 * A picture is shown only after the browser has decoded it, so its true size is known and a
 * damaged one is never on screen.
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { Client, Job } from '@plainsync/client';

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

export function createImages(client: Pick<Client<Job>, 'image'>, decode: Decode = decodeInPage): Images {
  const known = new Map<string, Signal<Picture>>();
  const asked = new Set<string>();
  const of = (value: string) => {
    const one = known.get(value) ?? signal<Picture>({ state: 'waiting' });
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
