/** What can be set: how many jobs run together, and how the page looks. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { PARALLEL_JOBS_DEFAULT } from '../pure/limits.ts';
import { same } from '../pure/same.ts';

export type Theme = 'auto' | 'light' | 'dark';
/** Jobs as cards, or as rows of a table. */
export type Layout = 'cards' | 'table';
export interface Config {
  maxParallelJobs: number;
  theme: Theme;
  layout: Layout;
}

/** Where looks are remembered; the jobs are never kept there by the dashboard. */
const THEME_KEY = 'plainsync-dashboard/theme';
const LAYOUT_KEY = 'plainsync-dashboard/layout';

export interface ConfigStore {
  readonly value: ReadonlySignal<Config>;
  set(change: Partial<Config>): void;
}

/** What was remembered, if it is one of `known`; else the first of them. */
function remembered<V extends string>(storage: Storage | undefined, key: string, known: readonly [V, ...V[]]): V {
  try {
    const found = storage?.getItem(key);
    return known.find((value) => value === found) ?? known[0];
  } catch {
    return known[0]; // Storage may be forbidden; looks are not worth a message.
  }
}

function remember(storage: Storage | undefined, key: string, value: string): void {
  try {
    storage?.setItem(key, value);
  } catch {
    // As above: the page looks right until it is closed.
  }
}

export function createConfig(
  storage: Storage | undefined,
  root: { dataset: DOMStringMap } | undefined,
  onSet: (config: Config) => void,
): ConfigStore {
  const value = signal<Config>({
    maxParallelJobs: PARALLEL_JOBS_DEFAULT,
    theme: remembered<Theme>(storage, THEME_KEY, ['auto', 'light', 'dark']),
    layout: remembered<Layout>(storage, LAYOUT_KEY, ['cards', 'table']),
  });
  const show = (theme: Theme) => {
    if (!root) return;
    if (theme === 'auto') delete root.dataset['theme'];
    else root.dataset['theme'] = theme;
  };
  show(value.peek().theme);
  return {
    value,
    set(change) {
      const before = value.peek();
      const after = { ...before, ...change };
      if (same(before, after)) return;
      value.value = after;
      if (after.theme !== before.theme) {
        show(after.theme);
        remember(storage, THEME_KEY, after.theme);
      }
      if (after.layout !== before.layout) remember(storage, LAYOUT_KEY, after.layout);
      onSet(after);
    },
  };
}
