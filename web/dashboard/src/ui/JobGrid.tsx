import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Status } from '@plainsync/client';
import { useApp } from './context.ts';
import { Empty } from './Empty.tsx';
import { JobCard } from './JobCard.tsx';
import { JobRow } from './JobRow.tsx';
import { useLanes } from './lanes.ts';

/** Narrowest card, and the space between two, in CSS pixels; the same in `list.css`. */
const CARD_PX = 256;
const GAP_PX = 12;
/** How high a card and a row of the table are, gap included, before one has been measured. */
const CARD_HIGH_PX = 444;
const ROW_HIGH_PX = 56;
/** A card has the focus when it kept it for so many frames; so many are waited for, at most. */
const STEADY_FRAMES = 3;
const GOAL_FRAMES_MAX = 240;
/** Skeletons shown while nothing is known. */
const BONES = 8;

function Bones({ place }: { place?: number }) {
  return (
    <li class="card skeleton" data-place={place} aria-hidden="true">
      <div class="stage" />
      <div class="card-body">
        <span class="bone" />
        <span class="bone long" />
        <span class="bone" />
      </div>
    </li>
  );
}

/** Whether an empty list may still be filled by the server's first answer. */
function isArriving({ connection, serverHasIt, waiting }: Status): boolean {
  return connection === 'connecting' || (connection === 'online' && !serverHasIt && waiting === 0);
}

/** Brings a place on screen when somebody asks for it, and gives it the focus if that was asked, too. */
function useGoal(lanes: { columns: number; scrollTo(row: number, atTop: boolean): void }, count: number): void {
  const { grid } = useApp();
  const goal = grid.goal.value;
  useEffect(() => {
    if (!goal || count === 0) return undefined;
    const place = Math.min(goal.place, count - 1);
    lanes.scrollTo(Math.floor(place / lanes.columns), !goal.focus);
    if (!goal.focus) {
      grid.arrived(goal);
      return undefined;
    }
    // What is far away is drawn after the scrolling, filled after that, and may move once more then.
    let [frames, steady] = [0, 0];
    const look = () => {
      frames += 1;
      const card = document.querySelector<HTMLElement>(`[data-place="${place}"] [data-card]`);
      steady = card !== null && document.activeElement === card ? steady + 1 : 0;
      if (steady === 0) card?.focus({ preventScroll: true });
      if (steady >= STEADY_FRAMES || frames >= GOAL_FRAMES_MAX) grid.arrived(goal);
      else frame = requestAnimationFrame(look);
    };
    let frame = requestAnimationFrame(look);
    // Who goes elsewhere meanwhile stays there.
    const leave = ({ target }: Event) => {
      if (target instanceof Element && !target.closest('[data-place]')) grid.arrived(goal);
    };
    document.addEventListener('focusin', leave);
    document.addEventListener('pointerdown', leave);
    return () => {
      cancelAnimationFrame(frame);
      document.removeEventListener('focusin', leave);
      document.removeEventListener('pointerdown', leave);
    };
  }, [goal, count]);
}

/**
 * Gives the focus back to a card whose element was moved: the browser takes it away then. Whoever leaves the
 * list, by keyboard or pointer, is let go.
 */
function useHeldFocus(): void {
  const held = useRef<HTMLElement | null>(null);
  useEffect(() => {
    const hear = ({ target }: Event) => {
      held.current = target instanceof HTMLElement && target.matches('[data-card]') ? target : null;
    };
    document.addEventListener('focusin', hear);
    document.addEventListener('pointerdown', hear);
    return () => {
      document.removeEventListener('focusin', hear);
      document.removeEventListener('pointerdown', hear);
    };
  }, []);
  useLayoutEffect(() => {
    if (document.activeElement === document.body && held.current?.isConnected) held.current.focus({ preventScroll: true });
  });
}

/** All that match, as long as they are; only those near the screen are drawn. */
function Filled({ count }: { count: number }) {
  const { list, grid, view, config } = useApp();
  const here = list.here.value;
  const table = config.value.value.layout === 'table';
  const lanes = useLanes(count, table ? 0 : CARD_PX, table ? 0 : GAP_PX, table ? ROW_HIGH_PX : CARD_HIGH_PX);
  const { columns, from, to, above, all, high, row, top } = lanes;
  const first = from * columns;
  const last = Math.min(count, to * columns);
  useLayoutEffect(() => list.look(first, last), [list, first, last]);
  useLayoutEffect(() => grid.shows(columns, top * columns), [grid, columns, top]);
  useGoal(lanes, count);
  useHeldFocus();

  const label = view.shown.value.place === 'bin' ? 'Removed jobs' : 'Jobs';
  const places = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
  const keyAt = (place: number) => here.keys[place - here.offset];
  const paddingTop = `${above}px`;
  const paddingBottom = `${Math.max(0, all - above - (to - from) * row)}px`;
  if (table) {
    return (
      <div class="table" role="grid" aria-label={label} aria-rowcount={count} aria-colcount={JobRow.columns}>
        <div ref={lanes.ref} role="rowgroup" style={{ paddingTop, paddingBottom }}>
          {places.map((place) => {
            const key = keyAt(place);
            return <JobRow key={key ?? `at ${place}`} id={key} place={place} />;
          })}
        </div>
      </div>
    );
  }
  return (
    <ul
      class="grid"
      ref={lanes.ref}
      aria-label={label}
      style={{
        paddingTop,
        paddingBottom,
        gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
        gridAutoRows: high === null ? 'auto' : `${high}px`,
      }}
    >
      {places.map((place) => {
        const key = keyAt(place);
        return key === undefined ? (
          <Bones key={`at ${place}`} place={place} />
        ) : (
          <JobCard key={key} id={key} place={place} count={count} />
        );
      })}
    </ul>
  );
}

/** The jobs. Each draws itself again alone when its row changes. */
export function JobGrid() {
  const { list, status, config } = useApp();
  const here = list.here.value;
  const total = list.total.value;
  const count = total ?? here.keys.length;
  if (count > 0) return <Filled key={config.value.value.layout} count={count} />;
  if (list.fault.value || (total !== null && !isArriving(status.value))) return <Empty />;
  return (
    <ul class="grid bones" aria-hidden="true">
      {Array.from({ length: BONES }, (_, i) => (
        <Bones key={i} />
      ))}
    </ul>
  );
}
