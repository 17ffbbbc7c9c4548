import { STATUS_WORDS } from '../pure/job.ts';
import type { IconName } from '../pure/bitmaps.ts';
import { Icon } from './Pixels.tsx';

const ICONS: Record<string, IconName> = {
  idle: 'idle',
  queued: 'hourglass',
  running: 'play',
  success: 'check',
  error: 'failed',
};

/** A job's status by word, shape and colour. */
export function StatusTag({ status }: { status: string }) {
  return (
    <span class="tag" data-status={status}>
      <Icon name={ICONS[status] ?? 'idle'} unit={1} />
      {STATUS_WORDS[status] ?? status}
    </span>
  );
}
