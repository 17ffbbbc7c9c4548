import { dragging } from '../app/drop.ts';
import { Icon } from './Pixels.tsx';

/** Shown while a file is dragged over the page. */
export function DropVeil() {
  if (!dragging.value) return null;
  return (
    <div class="veil" aria-hidden="true">
      <div>
        <Icon name="down" unit={6} />
        <p>Drop a job history to import it</p>
      </div>
    </div>
  );
}
