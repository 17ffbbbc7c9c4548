/**
 * The service worker: after one visit the page opens without a network.
 *
 * It answers only for the files of its own build, listed by the build, and for the page itself at
 * `/`, always from its cache. Everything else (`/api`, `/sync`, `/health`, images) is left to the
 * network untouched.
 *
 * **Invariant:** a new version waits until the page asks for it or every tab is closed, so a
 * running page never meets the files of another version.
 */
declare const self: ServiceWorkerGlobalScope;

const FILES: readonly string[] = JSON.parse('__PRECACHE__');
const CACHE_PREFIX = 'plainsync-shell-';
const CACHE = `${CACHE_PREFIX}__VERSION__`;
const OWN = new Set(FILES);

/** Hashed files never change: one that an older version holds need not be fetched again. */
async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(
    FILES.map(async (url) => {
      const held = url.startsWith('/assets/') ? await caches.match(url, { ignoreVary: true }) : undefined;
      if (held) return cache.put(url, held);
      const answer = await fetch(url, { cache: url.startsWith('/assets/') ? 'default' : 'no-cache' });
      if (!answer.ok || answer.redirected) throw new Error(`${url} answered ${answer.status}`);
      await cache.put(url, answer);
    }),
  );
}

async function dropOlder(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

async function fromCache(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(path, { ignoreVary: true })) ?? fetch(request);
}

self.addEventListener('install', (event) => event.waitUntil(fill()));
self.addEventListener('activate', (event) => event.waitUntil(dropOlder()));
self.addEventListener('message', (event) => {
  if (event.data === 'take-over') void self.skipWaiting();
});
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  const path = url.pathname === '/index.html' ? '/' : url.pathname;
  if (OWN.has(path)) event.respondWith(fromCache(path, request));
});
export {};
