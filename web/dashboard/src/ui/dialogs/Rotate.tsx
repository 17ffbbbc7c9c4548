import { useSignal } from '@preact/signals';
import type { Job, Row } from '@plainsync/client';
import { DIRECTIONS, FACING_DEFAULT } from '../../pure/directions.ts';
import { labelOf, sidesOf } from '../../pure/job.ts';
import { useApp } from '../context.ts';
import { Icon } from '../Pixels.tsx';
import { Sprite } from '../Sprite.tsx';
import { Frame } from './Frame.tsx';

/** The square in the middle of the card, in CSS pixels. */
const MIDDLE_PX = 96;

/** A compass card around the sprite: turn it to one direction, or to all eight. */
export function Rotate({ row, picture }: { row: Row<Job>; picture: string }) {
  const { actions, dialogs } = useApp();
  const from = useSignal(row.job.rotationData?.toDirection ?? FACING_DEFAULT);
  const turn = (to: readonly string[]) => {
    dialogs.close();
    void actions.rotate({ row, picture, from: from.value, to });
  };
  const button = (name: string, label: string) => (
    <button
      type="button"
      class="compass-point"
      key={name}
      data-at={name}
      aria-label={`Turn to ${label.toLowerCase()}`}
      onClick={() => turn([name])}
    >
      <span class="arrow" data-to={name}>
        <Icon name={name.includes('-') ? 'slant' : 'arrow'} />
      </span>
      <span>{label}</span>
    </button>
  );
  const points = DIRECTIONS.map(({ name, label }) => button(name, label));
  return (
    <Frame title={`Rotate ${labelOf(row.job)}`}>
      <div class="field inline">
        <label for="facing">It faces</label>
        <select id="facing" value={from.value} onChange={(event) => (from.value = event.currentTarget.value)}>
          {DIRECTIONS.map(({ name, label }) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <div class="compass">
        {points.slice(0, 4)}
        <div class="compass-middle checker">
          <Sprite value={picture} {...sidesOf(row.job)} box={MIDDLE_PX} alt={`${labelOf(row.job)} as it is`} />
        </div>
        {points.slice(4)}
      </div>
      <p class="dialog-text">Each direction becomes a job of its own.</p>
      <div class="buttons end">
        <button type="button" class="second" onClick={() => dialogs.close()}>
          Cancel
        </button>
        <button type="button" class="primary" onClick={() => turn(DIRECTIONS.map(({ name }) => name))}>
          <Icon name="turn" />
          All 8 directions
        </button>
      </div>
    </Frame>
  );
}
