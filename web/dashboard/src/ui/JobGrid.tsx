import { useEffect, useRef } from 'preact/hooks';
import type { Status } from '@plainsync/client';
import { useApp } from './context.ts';
import { Empty } from './Empty.tsx';
import { JobCard } from './JobCard.tsx';
import { whenNear } from './near.ts';

/** Loads more when its end comes near, and by a button. */
function More({ shown }: { shown: number }) {
  const { list } = useApp();
  const total = list.total.value;
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => (end.current ? whenNear(end.current, () => list.more()) : undefined), [shown, total, list]);
  if (total === null || shown >= total) return null;
  return (
    <div class="grid-more" ref={end}>
      <button type="button" class="second" onClick={() => list.more()}>
        Show more ({(total - shown).toLocaleString('en')} left)
      </button>
    </div>
  );
}

function Skeleton() {
  return (
    <ul class="grid" aria-hidden="true">
      {Array.from({ length: 8 }, (_, i) => (
        <li class="card skeleton" key={i}>
          <div class="stage" />
          <div class="card-body">
            <span class="bone" />
            <span class="bone long" />
            <span class="bone" />
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Whether an empty list may still be filled by the server's first answer. */
function isArriving({ connection, serverHasIt, waiting }: Status): boolean {
  return connection === 'connecting' || (connection === 'online' && !serverHasIt && waiting === 0);
}

/** The cards. Each draws itself again alone when its row changes. */
export function JobGrid() {
  const { list, view, status } = useApp();
  const keys = list.keys.value;
  if (keys.length === 0) return list.total.value === null || isArriving(status.value) ? <Skeleton /> : <Empty />;
  return (
    <>
      <ul class="grid" aria-label={view.shown.value.place === 'bin' ? 'Removed jobs' : 'Jobs'}>
        {keys.map((key) => (
          <JobCard key={key} id={key} />
        ))}
      </ul>
      <More shown={keys.length} />
    </>
  );
}
