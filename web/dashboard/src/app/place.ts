/** Jobs or bin, kept in the address (`#bin`), so that back and reload keep the place. */
import { effect } from '@preact/signals';
import type { Place } from '../pure/query.ts';
import type { App } from './app.ts';

export const placeIn = (hash: string): Place => (hash === '#bin' ? 'bin' : 'jobs');

/** Keeps address and title in step with the page. */
export function followPlace(app: App): void {
  addEventListener('hashchange', () => {
    const place = placeIn(location.hash);
    if (place !== app.view.shown.peek().place) app.view.set({ place, words: '', status: 'all' });
  });
  effect(() => {
    const { place } = app.view.shown.value;
    if (placeIn(location.hash) !== place)
      history.pushState(null, '', place === 'bin' ? '#bin' : location.pathname + location.search);
  });
  effect(() => {
    const { running, queued } = app.stats.value;
    const active = running + queued;
    document.title = `${active > 0 ? `(${active}) ` : ''}PixelLab Command Center`;
  });
}
