/**
 * Which document, at which server: asked of `GET /health`, remembered for offline starts.
 */
import { read, readJson, write, type KeyValue } from './local.js';
import { deviceToken } from './random.js';
import type { FileNews } from './types.js';

/** What the server said last. */
export interface Home {
  document: string;
  /** The server's device id. */
  server: string;
  name: string;
}

/** How the server answered. */
export type Health =
  | { state: 'ok'; home: Home; file: { state: string; detail?: string } | null; news: FileNews | null }
  /** It answered, and will not serve us: `detail` says why. */
  | { state: 'refused'; detail: string }
  /** No use for now; `answered`: somebody is there, though. */
  | { state: 'unreachable'; answered: boolean; detail: string };

/** How long one question may take before it counts as unreachable. */
const HEALTH_MS_MAX = 8_000;

/** This browser profile's id, made on first use. */
export function deviceId(storage: KeyValue | null): string {
  const key = 'plainsync/device';
  const known = read(storage, key);
  if (known !== null && /^[0-9a-f]{16}$/.test(known)) return known;
  const made = deviceToken();
  write(storage, key, made);
  return made;
}

/** The key under which a server's document is remembered. */
export function homeKey(server: string, document: string | undefined): string {
  return `plainsync/server/${server}${document === undefined ? '' : `#${document}`}`;
}

/** What an earlier visit learned. A document given by its URL needs no server to be known. */
export function rememberedHome(storage: KeyValue | null, server: string, document?: string): Home | undefined {
  const known = readJson(storage, homeKey(server, document), isHome);
  if (known) return known;
  const url = document?.match(/^automerge:([1-9A-HJ-NP-Za-km-z]+)$/);
  return url?.[1] === undefined ? undefined : { document: url[1], server: '', name: '' };
}

/** Keeps what was learned for the next start. */
export function rememberHome(storage: KeyValue | null, server: string, document: string | undefined, home: Home): void {
  write(storage, homeKey(server, document), JSON.stringify(home));
}

/** Asks the server once. Never rejects. */
export async function askHealth(
  fetch: (url: string, init?: RequestInit) => Promise<Response>,
  server: string,
  document?: string,
): Promise<Health> {
  try {
    const response = await fetch(`${server}/health`, {
      cache: 'no-store',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(HEALTH_MS_MAX),
    });
    if (response.status === 401 || response.status === 403) {
      return { state: 'refused', detail: await problem(response) };
    }
    if (!response.ok) return { state: 'unreachable', answered: true, detail: await problem(response) };
    return understood(await response.json(), document);
  } catch (error) {
    return { state: 'unreachable', answered: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function understood(body: unknown, document: string | undefined): Health {
  const health = body as {
    server?: unknown;
    documents?: unknown;
    file?: { state?: unknown; detail?: unknown } | null;
  } | null;
  if (!health || typeof health.server !== 'string' || !Array.isArray(health.documents)) {
    return { state: 'refused', detail: 'This server does not speak Plainsync: its /health names no documents.' };
  }
  const listed = health.documents.filter(
    (entry): entry is { name: string; id: string } & Partial<FileNews> => typeof entry?.id === 'string' && typeof entry?.name === 'string',
  );
  const wanted = document?.replace(/^automerge:/, '');
  const entry = wanted === undefined ? listed[0] : listed.find(({ id, name }) => id === wanted || name === wanted);
  if (!entry) {
    const names = listed.map(({ name }) => name).join(', ') || 'none';
    return { state: 'refused', detail: `The server does not serve the document ${wanted ?? ''}; it serves: ${names}.` };
  }
  const file = health.file;
  return {
    state: 'ok',
    home: { document: entry.id, server: health.server, name: entry.name },
    file:
      typeof file?.state === 'string'
        ? { state: file.state, ...(typeof file.detail === 'string' ? { detail: file.detail } : {}) }
        : null,
    news: isNews(entry) ? pick(entry) : null,
  };
}

/** Whether a server's words are news of a file; the rest of them is checked where it is shown. */
export function isNews(value: unknown): value is FileNews {
  const state = (value as Partial<FileNews> | null)?.fileState as { state?: unknown } | null | undefined;
  return typeof state?.state === 'string';
}

/** The part of a server's answer that is news. */
function pick({ fileState, offer, lastImport }: FileNews): FileNews {
  return { fileState, ...(offer ? { offer } : {}), ...(lastImport ? { lastImport } : {}) };
}

async function problem(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { detail?: unknown; title?: unknown };
    if (typeof body.detail === 'string') return body.detail;
    if (typeof body.title === 'string') return body.title;
  } catch {
    // No problem document: the status has to do.
  }
  return `The server answered ${response.status} ${response.statusText}`.trim();
}

/** A remembered home, as text; `undefined` when it is none. */
export function parseHome(text: string): Home | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isHome(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHome(value: unknown): value is Home {
  const home = value as Partial<Home> | null;
  return typeof home?.document === 'string' && typeof home.server === 'string' && typeof home.name === 'string';
}
