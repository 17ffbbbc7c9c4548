import { useEffect, useMemo } from 'preact/hooks';
import type { ReadonlySignal } from '@preact/signals';
import type { Job, Row } from '@plainsync/client';
import { useApp } from './context.ts';

/** A row as it is now, for what is shown apart from the list. */
export function useLiveRow(given: Row<Job>): ReadonlySignal<Row<Job>> {
  const { list } = useApp();
  const held = useMemo(() => list.hold(given), [list, given.key]);
  useEffect(() => () => held.release(), [held]);
  return held.row;
}
