/** The form for new jobs. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { SIDE_PX_DEFAULT } from '../pure/limits.ts';
import type { Preset } from '../pure/presets.ts';
import { check } from '../pure/validate.ts';
import type { Draft, DraftErrors, NewJob } from '../pure/validate.ts';

const EMPTY: Draft = { prompt: '', width: String(SIDE_PX_DEFAULT), height: String(SIDE_PX_DEFAULT), seed: '' };

export interface Composer {
  readonly draft: ReadonlySignal<Draft>;
  readonly errors: ReadonlySignal<DraftErrors>;
  set(change: Partial<Draft>): void;
  use(preset: Preset): void;
  /** On a narrow screen: whether presets, size and seed are shown. */
  readonly open: ReadonlySignal<boolean>;
  toggle(): void;
  /** The job that the draft describes, or null with `errors` filled. */
  take(): NewJob | null;
}

export function createComposer(): Composer {
  const draft = signal<Draft>(EMPTY);
  const errors = signal<DraftErrors>({});
  const open = signal(false);
  const set = (change: Partial<Draft>) => {
    draft.value = { ...draft.peek(), ...change };
    const left = { ...errors.peek() };
    for (const field of Object.keys(change) as (keyof Draft)[]) delete left[field];
    errors.value = left;
  };
  return {
    draft,
    errors,
    open,
    toggle() {
      open.value = !open.peek();
    },
    set,
    use: (preset) => set({ prompt: preset.prompt, width: String(preset.width), height: String(preset.height) }),
    take() {
      const checked = check(draft.peek());
      errors.value = 'errors' in checked ? checked.errors : {};
      if (errors.value.width || errors.value.height || errors.value.seed) open.value = true;
      return 'job' in checked ? checked.job : null;
    },
  };
}
