import type { JSX } from 'preact';
import { PROMPT_CHARS_MAX, SIDE_PX_MAX, SIDE_PX_MIN } from '../pure/limits.ts';
import { PRESETS } from '../pure/presets.ts';
import { useApp } from './context.ts';
import { Field, wrong } from './Field.tsx';
import { Icon } from './Pixels.tsx';

/** How many jobs the second button adds. */
const MANY = 3;

function Presets() {
  const { composer } = useApp();
  const { prompt } = composer.draft.value;
  return (
    <div class="presets" role="group" aria-label="Presets">
      {PRESETS.map((preset) => (
        <button
          type="button"
          class="preset"
          key={preset.name}
          aria-pressed={preset.prompt === prompt}
          aria-label={preset.name}
          title={preset.name}
          onClick={() => composer.use(preset)}
        >
          <Icon name={preset.icon} />
          <span>{preset.short}</span>
        </button>
      ))}
    </div>
  );
}

/** The form for new jobs. */
export function Composer() {
  const { composer, actions, said } = useApp();
  const draft = composer.draft.value;
  const errors = composer.errors.value;

  const add = async (copies: number) => {
    const job = composer.take();
    if (!job) {
      const [field] = Object.keys(composer.errors.peek());
      document.getElementById(field ?? 'prompt')?.focus();
      return;
    }
    const rows = await actions.add(job, copies);
    if (rows.length > 0) said.value = `${rows.map((row) => row.job.id).join(', ')} queued`;
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void add(1);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
    if (event.key === 'Escape' && event.target instanceof HTMLElement) event.target.blur();
  };
  const number = (id: 'width' | 'height', label: string) => (
    <Field id={id} label={label} error={errors[id]}>
      <input
        id={id}
        type="number"
        inputMode="numeric"
        min={SIDE_PX_MIN}
        max={SIDE_PX_MAX}
        step={1}
        value={draft[id]}
        onInput={(event) => composer.set({ [id]: event.currentTarget.value })}
        {...wrong(id, errors[id])}
      />
    </Field>
  );
  const prompt: JSX.Element = (
    <Field id="prompt" label="Prompt" error={errors.prompt}>
      <textarea
        id="prompt"
        rows={2}
        maxLength={PROMPT_CHARS_MAX}
        placeholder="What should be drawn?"
        value={draft.prompt}
        onInput={(event) => composer.set({ prompt: event.currentTarget.value })}
        {...wrong('prompt', errors.prompt)}
      />
    </Field>
  );
  return (
    <form
      class="panel composer"
      data-open={composer.open.value}
      aria-labelledby="composer-title"
      noValidate
      onSubmit={submit}
      onKeyDown={press}
    >
      <h2 id="composer-title">New job</h2>
      <Presets />
      {prompt}
      <div class="sizes">
        {number('width', 'Width')}
        {number('height', 'Height')}
        <Field id="seed" label="Seed" error={errors.seed}>
          <input
            id="seed"
            type="text"
            inputMode="numeric"
            autoComplete="off"
            placeholder="any"
            value={draft.seed}
            onInput={(event) => composer.set({ seed: event.currentTarget.value })}
            {...wrong('seed', errors.seed)}
          />
        </Field>
      </div>
      <div class="buttons">
        <button type="submit" class="primary">
          <Icon name="plus" />
          Add
        </button>
        <button
          type="button"
          class="second"
          title="Three equal jobs; the seed is kept on each"
          onClick={() => void add(MANY)}
        >
          Add {MANY}
        </button>
        <button
          type="button"
          class="second options"
          aria-expanded={composer.open.value}
          onClick={() => composer.toggle()}
        >
          Options
        </button>
      </div>
    </form>
  );
}
