import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Conflict, Job, Row, Side } from '@plainsync/client';
import type { Settling } from '../../app/settle.ts';
import { settle } from '../../app/settle.ts';
import { count, moment } from '../../pure/format.ts';
import { fieldWords, labelOf, promptOf, sidesOf, statusOf } from '../../pure/job.ts';
import { pictureOf } from '../../pure/picture.ts';
import { useApp } from '../context.ts';
import { useLiveRow } from '../live.ts';
import { Icon } from '../Pixels.tsx';
import { Sprite } from '../Sprite.tsx';
import { StatusTag } from '../StatusTag.tsx';
import { Frame } from './Frame.tsx';

/** Side of a picture beside another, in CSS pixels. */
const SIDE_PX = 192;
/** Jobs offered at once. */
const INBOX_ROWS = 50;
/** Letters of a device's id that tell it from others. */
const DEVICE_LETTERS = 6;

const whoOf = ({ author, device }: Side) =>
  author ?? (device === null ? 'A file or another program' : `Device ${device.slice(0, DEVICE_LETTERS)}`);

function Value({ conflict, side, job }: { conflict: Conflict; side: Side; job: Job }) {
  const { value } = side;
  if (conflict.field === 'run') {
    const run = { ...job, ...(value as Partial<Job>) };
    const picture = pictureOf(run);
    return (
      <>
        <StatusTag status={statusOf(run)} />
        {picture !== null && (
          <div class="side-stage checker">
            <Sprite value={picture} {...sidesOf(run)} box={SIDE_PX} alt={`Picture of ${whoOf(side)}`} />
          </div>
        )}
        {typeof run.error === 'string' && <p class="side-value">{run.error}</p>}
      </>
    );
  }
  if (typeof value === 'string' && (value.startsWith('blob:sha256-') || value.startsWith('data:image/'))) {
    return (
      <div class="side-stage checker">
        <Sprite value={value} {...sidesOf(job)} box={SIDE_PX} alt={`Picture of ${whoOf(side)}`} />
      </div>
    );
  }
  return <p class="side-value">{typeof value === 'string' ? value : JSON.stringify(value, null, 1)}</p>;
}

/** A value of one's own, begun with what is shown. */
function Own({ conflict, settling }: { conflict: Conflict; settling: Settling }) {
  const shown = conflict.values.at(-1)?.value;
  const text = useSignal(typeof shown === 'string' ? shown : '');
  if (conflict.field === 'run' || !conflict.values.every(({ value }) => typeof value === 'string')) return null;
  const id = `own-${conflict.field}`;
  return (
    <details class="own">
      <summary>Write it anew from both</summary>
      <label class="hidden" for={id}>
        {fieldWords(conflict.field)}
      </label>
      <textarea id={id} rows={3} value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
      <button
        type="button"
        class="second"
        disabled={settling.busy.value}
        onClick={() => void settling.write(conflict, text.value)}
      >
        Keep this text
      </button>
    </details>
  );
}

function One({ conflict, settling, job }: { conflict: Conflict; settling: Settling; job: Job }) {
  const name = fieldWords(conflict.field);
  const shown = conflict.values.at(-1);
  return (
    <section class="conflict" aria-label={name}>
      <h3>{name}</h3>
      <div class="sides">
        {conflict.values.map((side, nth) => (
          <article class="side-card" key={side.op} data-shown={side === shown}>
            <p class="side-who">
              <strong>{whoOf(side)}</strong>
              <span>{side.at === null ? 'at an unknown time' : moment(side.at)}</span>
              {side === shown && <span class="side-shown">shown now</span>}
            </p>
            <Value conflict={conflict} side={side} job={job} />
            <div class="buttons">
              <button
                type="button"
                class="primary"
                disabled={settling.busy.value}
                aria-label={`Keep this: value ${nth + 1} of ${name}, of ${whoOf(side)}`}
                onClick={() => void settling.keep(conflict, side)}
              >
                Keep this
              </button>
              {side !== shown && (
                <button
                  type="button"
                  class="second"
                  disabled={settling.busy.value}
                  aria-label={`Keep both: value ${nth + 1} of ${name} becomes a job of its own`}
                  title="The one that is shown stays; this one becomes a job of its own"
                  onClick={() => void settling.keepBoth(conflict, side)}
                >
                  Keep both
                </button>
              )}
            </div>
          </article>
        ))}
      </div>
      <Own conflict={conflict} settling={settling} />
    </section>
  );
}

/** What stands against what in one job. */
function Sides({ row }: { row: Row<Job> }) {
  const { client, toasts, log } = useApp();
  const live = useLiveRow(row);
  const settling = useMemo(() => settle(client, live, toasts, log), [row.key]);
  useEffect(() => () => settling.stop(), [settling]);
  const conflicts = settling.conflicts.value;
  const { job } = live.value;
  return (
    <div class="conflicts">
      <p class="dialog-text">
        <strong>{labelOf(job)}</strong> {promptOf(job)}
      </p>
      {settling.moved.value && (
        <div class="banner" data-level="warning" role="status">
          <Icon name="warn" />
          <div>
            <strong>Somebody just changed this</strong>
            <p>What you see here is not what stands there any more.</p>
          </div>
          <button type="button" class="second" onClick={() => void settling.look()}>
            Show it as it is
          </button>
        </div>
      )}
      {conflicts === null && <p class="dialog-text">Looking…</p>}
      {conflicts?.length === 0 && <p class="dialog-text">Nothing stands against anything here any more.</p>}
      {conflicts?.map((conflict) => (
        <One
          key={[conflict.field, ...conflict.values.map(({ op }) => op)].join()}
          conflict={conflict}
          settling={settling}
          job={job}
        />
      ))}
    </div>
  );
}

/** All that was edited apart, a job at a time; `first` is looked at first. */
export function Conflicts({ first }: { first: Row<Job> | null }) {
  const { client, stats } = useApp();
  const rows = useSignal<readonly Row<Job>[]>(first ? [first] : []);
  const chosen = useSignal<string | null>(first?.key ?? null);
  useEffect(
    () =>
      client.jobs.subscribe({ q: 'has:conflict', limit: INBOX_ROWS }, (page) => {
        // Who is being looked at stays until somebody looks elsewhere.
        const looked = rows.peek().find(({ key }) => key === chosen.peek());
        const gone = looked && !page.rows.some(({ key }) => key === looked.key);
        rows.value = gone ? [looked, ...page.rows] : page.rows;
        chosen.value ??= page.rows[0]?.key ?? null;
      }),
    [client],
  );
  const row = rows.value.find(({ key }) => key === chosen.value);
  const all = stats.value.conflicts;
  return (
    <Frame title={all === 0 ? 'Edited apart' : `${count(all, 'job')} edited apart`} size="wide">
      {rows.value.length > 1 && (
        <div class="inbox" role="group" aria-label="Jobs that were edited apart">
          {rows.value.map(({ key, job }) => (
            <button type="button" key={key} class="tab" aria-pressed={key === chosen.value} onClick={() => (chosen.value = key)}>
              {labelOf(job)}
            </button>
          ))}
          {all > INBOX_ROWS && <p class="dialog-text">and {(all - INBOX_ROWS).toLocaleString('en')} more after these</p>}
        </div>
      )}
      {row ? <Sides key={row.key} row={row} /> : <p class="dialog-text">Nothing was edited apart, or all of it is settled.</p>}
    </Frame>
  );
}
