import type { Job, Row } from '@plainsync/client';
import { labelOf, whyNotRun } from '../pure/job.ts';
import { pictureOf } from '../pure/picture.ts';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';

/** After a card is gone the focus goes to its neighbour, not to the top of the page. */
function focusNeighbour(from: EventTarget | null): void {
  const item = from instanceof Element ? from.closest('[data-place]') : null;
  if (!item) return;
  const cards = [...document.querySelectorAll<HTMLElement>('[data-card]')];
  const at = cards.findIndex((one) => item.contains(one));
  (cards[at + 1] ?? cards[at - 1] ?? document.getElementById('list'))?.focus({ preventScroll: true });
}

function BinActions({ row }: { row: Row<Job> }) {
  const { actions, dialogs } = useApp();
  const label = labelOf(row.job);
  const ask = () =>
    dialogs.show({
      kind: 'confirm',
      title: `Delete ${label} for good?`,
      body: 'It leaves the bin here and for everybody who shares this list. This cannot be undone.',
      yes: 'Delete for good',
      danger: true,
      run: () => void actions.purge([row.key]),
    });
  return (
    <div class="actions">
      <button
        type="button"
        class="act"
        aria-label={`Restore ${label}`}
        onClick={(event) => {
          focusNeighbour(event.currentTarget);
          void actions.restore([row.key]);
        }}
      >
        <Icon name="undo" />
        Restore
      </button>
      <button
        type="button"
        class="act end"
        aria-label={`Delete ${label} for good`}
        title="Delete for good"
        onClick={ask}
      >
        <Icon name="trash" />
      </button>
    </div>
  );
}

/** Run, rotate, remove. */
export function CardActions({ row }: { row: Row<Job> }) {
  const { actions, dialogs, status } = useApp();
  if (row.inBin) return <BinActions row={row} />;
  const { job } = row;
  const label = labelOf(job);
  const picture = job.status === 'success' ? pictureOf(job) : null;
  const why = whyNotRun(row, status.value);
  return (
    <div class="actions">
      <button
        type="button"
        class="act"
        aria-label={`Run ${label}`}
        disabled={why !== null}
        title={why ?? (job.status === 'idle' ? 'Run' : 'Run again')}
        onClick={() => void actions.run(row)}
      >
        <Icon name="play" />
        Run
      </button>
      {picture !== null && (
        <button
          type="button"
          class="act"
          aria-label={`Rotate ${label}`}
          title="Draw it facing elsewhere"
          onClick={() => dialogs.show({ kind: 'rotate', row, picture })}
        >
          <Icon name="turn" />
          Rotate
        </button>
      )}
      <button
        type="button"
        class="act end"
        aria-label={`Remove ${label}`}
        title="Remove"
        onClick={(event) => {
          focusNeighbour(event.currentTarget);
          void actions.remove(row);
        }}
      >
        <Icon name="trash" />
      </button>
    </div>
  );
}
