/** Keyboard shortcuts. Single keys, silent while somebody types or a dialog is open. */
import type { App } from './app.ts';

export interface Shortcut {
  keys: readonly string[];
  words: string;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['n'], words: 'New job: go to the prompt' },
  { keys: ['Ctrl', 'Enter'], words: 'Add the job, from anywhere in the form' },
  { keys: ['/'], words: 'Search' },
  { keys: ['j'], words: 'Next card' },
  { keys: ['k'], words: 'Previous card' },
  { keys: ['←', '↑', '→', '↓'], words: 'On a card: to its neighbour' },
  { keys: ['v'], words: 'Cards or table' },
  { keys: ['b'], words: 'Jobs or bin' },
  { keys: ['t'], words: 'Light or dark' },
  { keys: ['i'], words: 'Import' },
  { keys: ['?'], words: 'This list' },
  { keys: ['Esc'], words: 'Close, or clear the search' },
];

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

function focus(id: string): void {
  const element = document.getElementById(id);
  element?.closest('details')?.setAttribute('open', '');
  element?.focus();
}

/** The place in the list of what has the focus, or nothing. */
function placeOf(element: Element | null): number | null {
  const place = element?.closest<HTMLElement>('[data-place]')?.dataset['place'];
  return place === undefined ? null : Number(place);
}

/** Moves the focus that many cards on, to the first on screen when none has it. */
function step({ grid, list }: App, by: number): void {
  const at = placeOf(document.activeElement);
  const to = at === null ? grid.first.peek() : at + by;
  const total = list.total.peek() ?? list.here.peek().keys.length;
  if (to >= 0 && to < total) grid.go(to, true);
}

export function nextTheme(app: App): void {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const { theme } = app.config.value.peek();
  const isDark = theme === 'dark' || (theme === 'auto' && dark);
  app.config.set({ theme: isDark === dark ? (dark ? 'light' : 'dark') : 'auto' });
}

export function togglePlace(app: App): void {
  app.view.set({ place: app.view.shown.peek().place === 'bin' ? 'jobs' : 'bin', words: '', status: 'all' });
}

export function nextLayout(app: App): void {
  app.config.set({ layout: app.config.value.peek().layout === 'cards' ? 'table' : 'cards' });
}

/** On a card itself arrows move to its neighbours; in its buttons they do nothing. */
function arrow(app: App, { key, target }: KeyboardEvent): (() => void) | undefined {
  if (!(target instanceof HTMLElement) || !target.matches('[data-card]')) return undefined;
  const columns = app.grid.columns.peek();
  const by: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  const places = by[key];
  return places === undefined ? undefined : () => step(app, places);
}

/** Starts listening; returns the way to stop. */
export function listenKeys(app: App): () => void {
  const actions: Record<string, () => void> = {
    'n': () => {
      if (app.view.shown.peek().place === 'bin') togglePlace(app);
      focus('prompt');
    },
    '/': () => focus('search'),
    'j': () => step(app, 1),
    'k': () => step(app, -1),
    'v': () => nextLayout(app),
    'b': () => togglePlace(app),
    't': () => nextTheme(app),
    'i': () => app.dialogs.show({ kind: 'import' }),
    '?': () => app.dialogs.show({ kind: 'shortcuts' }),
  };
  const hear = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (app.dialogs.open.peek() || document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape' && event.target instanceof HTMLElement && event.target.id === 'search') {
      app.view.set({ words: '' });
      event.target.blur();
      return;
    }
    if (isTyping(event.target)) return;
    const action = actions[event.key] ?? arrow(app, event);
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.addEventListener('keydown', hear);
  return () => document.removeEventListener('keydown', hear);
}
