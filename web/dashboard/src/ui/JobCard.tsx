import type { Job, Row } from '@plainsync/client';
import { when } from '../pure/format.ts';
import { factsOf, fieldWords, labelOf, promptOf, statusOf } from '../pure/job.ts';
import { CardActions } from './CardActions.tsx';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';
import { Stage } from './Stage.tsx';
import { StatusTag } from './StatusTag.tsx';

function Made({ at }: { at: number }) {
  const { clock } = useApp();
  return <span class="made">{when(at, clock.slow.value)}</span>;
}

/** What this job is turned from, and where to. */
function Turned({ job }: { job: Job }) {
  const to = job.rotationData?.toDirection;
  if (!job.isRotation || typeof to !== 'string') return null;
  return (
    <span class="fact">
      <Icon name="turn" unit={1} /> <span class="hidden">Turned to </span>
      {to}
    </span>
  );
}

/** What asks for a look, over the picture: a card is as high with it as without. */
function Flags({ row }: { row: Row<Job> }) {
  const { dialogs } = useApp();
  if (row.conflicts.length === 0 && !row.keptByEdit) return null;
  return (
    <div class="flags">
      {row.conflicts.length > 0 && (
        <button type="button" class="flag" onClick={() => dialogs.show({ kind: 'conflicts', row })}>
          <Icon name="fork" unit={1} /> Edited apart: {row.conflicts.map(fieldWords).join(', ')}
        </button>
      )}
      {row.keptByEdit && (
        <p class="flag quiet">
          <Icon name="undo" unit={1} /> Removed elsewhere, kept because it was edited
        </p>
      )}
    </div>
  );
}

/** One job, at its place among `count`. */
export function JobCard({ id, place, count }: { id: string; place: number; count: number }) {
  const { list } = useApp();
  const row = list.row(id)?.value;
  if (!row) return null;
  const { job } = row;
  const label = labelOf(job);
  return (
    <li class="card" data-status={statusOf(job)} data-place={place} aria-posinset={place + 1} aria-setsize={count}>
      <article aria-labelledby={`name-${id}`} tabIndex={-1} data-card>
        <Stage row={row} />
        <Flags row={row} />
        <div class="card-body">
          <div class="card-top">
            <h3 id={`name-${id}`} title={label}>
              {label}
            </h3>
            <Made at={job.createdAt} />
            <StatusTag status={statusOf(job)} />
          </div>
          <p class="prompt" title={promptOf(job)}>
            {promptOf(job) || <em>no prompt</em>}
          </p>
          <p class="facts">
            {factsOf(job).map(({ name, value }) => (
              <span class="fact" key={name}>
                <span class={name === 'Seed' ? undefined : 'hidden'}>{name} </span>
                {value}
              </span>
            ))}
            <Turned job={job} />
          </p>
          <CardActions row={row} />
        </div>
      </article>
    </li>
  );
}
