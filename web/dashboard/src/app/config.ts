/** What can be set: how many jobs run together, and how the page looks. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { PARALLEL_JOBS_DEFAULT } from '../pure/limits.ts';

export type Theme = 'auto' | 'light' | 'dark';
export interface Config {
  maxParallelJobs: number;
  theme: Theme;
}

/** Where the theme is remembered; the jobs are never kept there by the dashboard. */
const THEME_KEY = 'plainsync-dashboard/theme';

export interface ConfigStore {
  readonly value: ReadonlySignal<Config>;
  set(change: Partial<Config>): void;
}

function remembered(storage: Storage | undefined): Theme {
  try {
    const theme = storage?.getItem(THEME_KEY);
    return theme === 'light' || theme === 'dark' ? theme : 'auto';
  } catch {
    return 'auto'; // Storage may be forbidden; the theme is not worth a message.
  }
}

export function createConfig(
  storage: Storage | undefined,
  root: { dataset: DOMStringMap } | undefined,
  onSet: (config: Config) => void,
): ConfigStore {
  const value = signal<Config>({ maxParallelJobs: PARALLEL_JOBS_DEFAULT, theme: remembered(storage) });
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
      if (after.maxParallelJobs === before.maxParallelJobs && after.theme === before.theme) return;
      value.value = after;
      if (after.theme !== before.theme) {
        show(after.theme);
        try {
          storage?.setItem(THEME_KEY, after.theme);
        } catch {
          // As above: the page looks right until it is closed.
        }
      }
      onSet(after);
    },
  };
}
