import type { Job, Row } from '@plainsync/client';
import { explain } from '../../pure/errors.ts';
import { duration } from '../../pure/format.ts';
import { fieldWords, labelOf, promptOf, sidesOf, sizeOf, statusOf } from '../../pure/job.ts';
import { pictureOf } from '../../pure/picture.ts';
import { useApp } from '../context.ts';
import { useLiveRow } from '../live.ts';
import { Icon } from '../Pixels.tsx';
import { Sprite } from '../Sprite.tsx';
import { StatusTag } from '../StatusTag.tsx';
import { useWindowWidth } from '../width.ts';
import { Frame } from './Frame.tsx';

/** The largest square for the picture, in CSS pixels, and what the dialog needs beside it on a narrow screen. */
const LARGE_PX = 384;
const BESIDE_PX = 64;

const date = (at: unknown) => (typeof at === 'number' && at > 0 ? new Date(at).toLocaleString() : null);

function factsOf(job: Job): [string, string][] {
  const turned = job.rotationData;
  const all: [string, string | null][] = [
    ['Size', sizeOf(job)],
    ['Seed', job.seed === null || job.seed === undefined ? 'any' : String(job.seed)],
    ['Made', date(job.createdAt)],
    ['Started', date(job.startTime)],
    ['Took', duration(job.duration)],
    ['Turned', turned && job.isRotation ? `${turned.fromDirection ?? 'somewhere'} → ${turned.toDirection}` : null],
  ];
  return all.filter((pair): pair is [string, string] => pair[1] !== null);
}

function Apart({ row }: { row: Row<Job> }) {
  const { dialogs } = useApp();
  if (row.conflicts.length === 0) return null;
  return (
    <div class="banner" data-level="warning">
      <Icon name="fork" />
      <div>
        <strong>Edited apart</strong>
        <p>
          Two devices changed the same thing without knowing of each other. One value is shown; the others are kept,
          nothing is lost.
        </p>
        <ul class="dots">
          {row.conflicts.map((field) => (
            <li key={field}>{fieldWords(field)}</li>
          ))}
        </ul>
      </div>
      <button type="button" class="second" onClick={() => dialogs.show({ kind: 'conflicts', row })}>
        Compare
      </button>
    </div>
  );
}

/** All of one job. */
export function Details({ row: given }: { row: Row<Job> }) {
  const { composer, dialogs } = useApp();
  const width = useWindowWidth();
  const row = useLiveRow(given).value;
  const { job } = row;
  const picture = pictureOf(job);
  const failure = statusOf(job) === 'error' ? explain(job) : null;
  const reuse = () => {
    composer.set({
      prompt: promptOf(job),
      ...Object.fromEntries(Object.entries(sidesOf(job)).map(([side, px]) => [side, String(px)])),
      seed: typeof job.seed === 'string' ? job.seed : '',
    });
    dialogs.close();
    document.getElementById('prompt')?.focus();
  };
  return (
    <Frame title={labelOf(job)} size={picture === null ? 'small' : 'wide'}>
      <div class="details" data-bare={picture === null}>
        {picture !== null && (
          <div class="details-stage checker">
            <Sprite
              value={picture}
              {...sidesOf(job)}
              box={Math.min(LARGE_PX, width - BESIDE_PX)}
              alt={promptOf(job)}
            />
          </div>
        )}
        <div class="details-side">
          <StatusTag status={statusOf(job)} />
          <p class="details-prompt">{promptOf(job) || <em>no prompt</em>}</p>
          {failure && (
            <div class="banner" data-level="error">
              <Icon name="failed" />
              <div>
                <strong>{failure.title}</strong>
                <p>{failure.advice}</p>
                {failure.raw && <code>{failure.raw}</code>}
              </div>
            </div>
          )}
          <Apart row={row} />
          <dl class="details-facts">
            {factsOf(job).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <details class="raw">
            <summary>As JSON</summary>
            <pre tabIndex={0}>{JSON.stringify(job, null, 2)}</pre>
          </details>
          <div class="buttons">
            <button type="button" class="second" onClick={reuse}>
              <Icon name="copy" />
              Use these settings
            </button>
          </div>
        </div>
      </div>
    </Frame>
  );
}
