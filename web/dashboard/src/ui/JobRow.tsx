import { duration, when } from '../pure/format.ts';
import { labelOf, promptOf, sidesOf, sizeOf, statusOf } from '../pure/job.ts';
import { pictureOf } from '../pure/picture.ts';
import { CardActions } from './CardActions.tsx';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';
import { Sprite } from './Sprite.tsx';
import { StatusTag } from './StatusTag.tsx';

/** Side of the picture in a row, in CSS pixels. */
const THUMB_PX = 40;

/** One job as a row of a table, at its place; without a key it has not come yet. */
export function JobRow({ id, place }: { id: string | undefined; place: number }) {
  const { list, clock, dialogs } = useApp();
  const row = id === undefined ? undefined : list.row(id)?.value;
  if (!row) {
    return (
      <div class="table-row skeleton" role="row" aria-rowindex={place + 1} data-place={place}>
        <span class="bone long" role="gridcell" />
      </div>
    );
  }
  const { job } = row;
  const label = labelOf(job);
  const picture = pictureOf(job);
  const apart = row.conflicts.length > 0;
  return (
    <div class="table-row" role="row" aria-rowindex={place + 1} data-place={place} data-status={statusOf(job)}>
      <span class="thumb" role="gridcell">
        {picture !== null && <Sprite value={picture} {...sidesOf(job)} box={THUMB_PX} alt="" fits />}
      </span>
      <span class="cell-name" role="gridcell">
        <button
          type="button"
          class="link"
          data-card
          aria-label={`Details of ${label}`}
          onClick={() => dialogs.show({ kind: 'details', row })}
        >
          {label}
        </button>
        {apart && (
          <span title="Edited apart">
            <Icon name="fork" unit={1} />
            <span class="hidden">Edited apart</span>
          </span>
        )}
      </span>
      <span class="cell-prompt" role="gridcell" title={promptOf(job)}>
        {promptOf(job) || <em>no prompt</em>}
      </span>
      <span class="cell-fact" role="gridcell">
        {sizeOf(job)}
      </span>
      <span class="cell-fact" role="gridcell">
        {duration(job.duration)}
      </span>
      <span class="cell-fact" role="gridcell">
        {when(job.createdAt, clock.slow.value)}
      </span>
      <span role="gridcell">
        <StatusTag status={statusOf(job)} />
      </span>
      <span class="cell-actions" role="gridcell">
        <CardActions row={row} />
      </span>
    </div>
  );
}
JobRow.columns = 8;
