/** The page's offline copy: registers the service worker and offers new versions. */
import type { App } from './app.ts';

/** Registers `sw.js` and says when another version is ready. Does nothing where there are no service workers. */
export async function keepShell(app: App, container: ServiceWorkerContainer | undefined): Promise<void> {
  if (!container) return; // The client says so: no secure context.
  const hadOne = container.controller !== null;
  try {
    const registration = await container.register('/sw.js', { scope: '/', updateViaCache: 'none' });
    const offer = (worker: ServiceWorker | null) => {
      if (worker?.state !== 'installed' || !container.controller) return;
      app.toasts.show({
        text: 'A new version of this page is ready',
        tone: 'plain',
        sticky: true,
        action: { label: 'Reload', run: () => worker.postMessage('take-over') },
      });
    };
    offer(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing;
      worker?.addEventListener('statechange', () => offer(worker));
    });
    container.addEventListener('controllerchange', () => {
      if (hadOne) location.reload(); // Another version took over: run it.
    });
    app.log('SYSTEM', 'DEBUG', 'The page is kept for offline use');
  } catch (error) {
    app.log('SYSTEM', 'WARNING', 'The page could not be kept for offline use', error);
  }
}
