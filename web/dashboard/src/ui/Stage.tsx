import type { Job, Row } from '@plainsync/client';
import { explain } from '../pure/errors.ts';
import { age } from '../pure/format.ts';
import { labelOf, promptOf, sidesOf, statusOf } from '../pure/job.ts';
import { STAGE_PX } from '../pure/limits.ts';
import { pictureOf } from '../pure/picture.ts';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';
import { Sprite } from './Sprite.tsx';

function Running({ since }: { since: number | null }) {
  const { clock } = useApp();
  return (
    <span class="note">
      <span class="blocks" aria-hidden="true">
        <span /> <span /> <span /> <span />
      </span>
      <span>{since === null ? 'Drawing…' : `Drawing for ${age(since, clock.second.value)}`}</span>
    </span>
  );
}

function Queued({ row }: { row: Row<Job> }) {
  const { status } = useApp();
  const { connection, serverId } = status.value;
  const elsewhere = row.run?.server && serverId && row.run.server !== serverId;
  const text = elsewhere
    ? 'Waits for another server'
    : connection === 'online'
      ? 'Waits for a free place'
      : 'Starts when the server is back';
  return (
    <span class="note">
      <Icon name="hourglass" unit={4} />
      <span>{text}</span>
    </span>
  );
}

function Failed({ job }: { job: Job }) {
  const { title, advice, raw } = explain(job);
  return (
    <span class="note failed">
      <Icon name="failed" unit={4} />
      <strong>{title}</strong>
      <span>{advice}</span>
      {raw && <code>{raw}</code>}
    </span>
  );
}

function Inside({ row }: { row: Row<Job> }) {
  const { job } = row;
  const picture = pictureOf(job);
  switch (statusOf(job)) {
    case 'running':
      return <Running since={typeof job.startTime === 'number' ? job.startTime : null} />;
    case 'queued':
      return <Queued row={row} />;
    case 'error':
      return <Failed job={job} />;
    default:
      if (picture !== null)
        return <Sprite value={picture} {...sidesOf(job)} box={STAGE_PX} alt={`${labelOf(job)}: ${promptOf(job)}`} />;
      return (
        <span class="note">
          <Icon name="idle" unit={4} />
          <span>{statusOf(job) === 'success' ? 'Finished without a picture' : 'Not started'}</span>
        </span>
      );
  }
}

/** The square where a job's picture is, or what is there instead. Opens the details. */
export function Stage({ row }: { row: Row<Job> }) {
  const { dialogs } = useApp();
  return (
    <div class="stage">
      <Inside row={row} />
      <button
        type="button"
        class="stage-open"
        aria-label={`Details of ${labelOf(row.job)}`}
        onClick={() => dialogs.show({ kind: 'details', row })}
      />
    </div>
  );
}
