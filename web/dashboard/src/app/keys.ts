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

/** Moves the focus to the next or the previous card. */
function step(by: 1 | -1): void {
  const cards = [...document.querySelectorAll<HTMLElement>('[data-card]')];
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  const card = cards[at < 0 ? 0 : Math.min(cards.length - 1, Math.max(0, at + by))];
  card?.focus();
  card?.scrollIntoView({ block: 'nearest' });
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

/** Starts listening; returns the way to stop. */
export function listenKeys(app: App): () => void {
  const actions: Record<string, () => void> = {
    'n': () => {
      if (app.view.shown.peek().place === 'bin') togglePlace(app);
      focus('prompt');
    },
    '/': () => focus('search'),
    'j': () => step(1),
    'k': () => step(-1),
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
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.addEventListener('keydown', hear);
  return () => document.removeEventListener('keydown', hear);
}
