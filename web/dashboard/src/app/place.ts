/** What is shown, kept in the address, so that back, reload and a bookmark keep it. */
import { effect } from '@preact/signals';
import { fromAddress, toAddress } from '../pure/query.ts';
import type { App } from './app.ts';

/** Keeps address and title in step with the page. */
export function followPlace(app: App): void {
  const read = () => app.view.set(fromAddress(location.search, location.hash));
  addEventListener('popstate', read);
  addEventListener('hashchange', read);
  let before = app.view.shown.peek().place;
  effect(() => {
    const shown = app.view.shown.value;
    // Whole: a path that begins with two slashes would else name another host.
    const address = `${location.origin}${location.pathname}${toAddress(shown)}`;
    if (address === location.href) return;
    // Each letter of a search is no page of its own to go back to.
    if (shown.place === before) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    before = shown.place;
  });
  effect(() => {
    const { running, queued } = app.stats.value;
    const active = running + queued;
    document.title = `${active > 0 ? `(${active}) ` : ''}PixelLab Command Center`;
  });
}
