/**
 * The page: opens the client, paints what is cached, then starts everything else.
 *
 * **Invariant:** nothing is awaited before the first paint, except a token in the address, once.
 */
import { render } from 'preact';
import { open } from '@plainsync/client';
import { createApp } from './app/app.ts';
import { listenDrops } from './app/drop.ts';
import { listenKeys } from './app/keys.ts';
import { followPlace } from './app/place.ts';
import { signIn, tokenIn } from './app/server.ts';
import { keepShell } from './app/shell.ts';
import { createConsole } from './console/api.ts';
import { fromAddress } from './pure/query.ts';
import { AppContext } from './ui/context.ts';
import { Page } from './ui/Page.tsx';
import './styles/index.css';

const ask = (url: string, init?: RequestInit) => fetch(url, init);
let signInFailed: unknown;
const token = tokenIn(location.hash);
if (token !== null) {
  history.replaceState(null, '', location.pathname + location.search);
  await signIn(ask, token).catch((error: unknown) => {
    signInFailed = error;
  });
}

const app = createApp(open(), {
  fetch: ask,
  storage: window.localStorage,
  root: document.documentElement,
  shown: fromAddress(location.search, location.hash),
});
const root = document.getElementById('app');
if (!root) throw new Error('index.html has no #app');
render(
  <AppContext.Provider value={app}>
    <Page />
  </AppContext.Provider>,
  root,
);

Object.assign(window, createConsole(app));
if (signInFailed)
  app.toasts.show({
    text: `Not signed in: ${signInFailed instanceof Error ? signInFailed.message : String(signInFailed)}`,
    tone: 'bad',
    sticky: true,
  });
listenKeys(app);
listenDrops(app);
followPlace(app);
app.clock.start();
app.diagnostics.start();
void app.client.ready.then(() => {
  app.log('SYSTEM', 'SUCCESS', 'Ready');
  const later = window.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 200));
  later(() => void app.mirror.load().then((here) => app.bus.emit('jobs:restored', { count: here })));
  if (import.meta.env.PROD) later(() => void keepShell(app, isSecureContext ? navigator.serviceWorker : undefined));
});
