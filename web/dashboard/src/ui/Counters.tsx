import type { ComponentChildren } from 'preact';
import type { StatusFilter } from '../pure/query.ts';
import { useApp } from './context.ts';
import { PixelText } from './Pixels.tsx';

interface Parts {
  filter: StatusFilter;
  label: string;
  value: number;
  children?: ComponentChildren;
}

/** One counter; pressed, the list shows only what it counts. */
function Counter({ filter, label, value, children }: Parts) {
  const { view } = useApp();
  const shown = view.shown.value;
  const pressed = shown.place === 'jobs' && shown.status === filter;
  return (
    <button
      type="button"
      class="counter"
      data-filter={filter}
      aria-pressed={pressed}
      onClick={() => view.set({ place: 'jobs', status: pressed ? 'all' : filter })}
    >
      <PixelText text={value.toLocaleString('en').replaceAll(',', ' ')} />
      <span class="counter-label">{label}</span>
      {children}
    </button>
  );
}

/** One square for each job that may run, filled while one does. */
function Slots() {
  const { stats, config } = useApp();
  const max = config.value.value.maxParallelJobs;
  const { running, queued } = stats.value;
  return (
    <span class="slots">
      {Array.from({ length: Math.min(max, 8) }, (_, i) => (
        <span class="slot" key={i} data-filled={i < running} />
      ))}
      <span class="slots-words">
        {running} of {max}
        {queued > 0 && `, ${queued} queued`}
      </span>
    </span>
  );
}

/** All, running or queued, done, failed. */
export function Counters() {
  const { stats } = useApp();
  const now = stats.value;
  return (
    <div class="counters" role="group" aria-label="Counters; press one to filter">
      <Counter filter="all" label="Total" value={now.total} />
      <Counter filter="active" label="Running / queued" value={now.running + now.queued}>
        <Slots />
      </Counter>
      <Counter filter="success" label="Success" value={now.success} />
      <Counter filter="error" label="Error" value={now.error} />
    </div>
  );
}
