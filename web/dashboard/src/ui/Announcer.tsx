import { describe } from '../pure/status.ts';
import { useApp } from './context.ts';

/** Tells screen readers what sighted people see change: finished jobs, and the state of the sync in a few words. */
export function Announcer() {
  const { said, status } = useApp();
  const { tone } = describe(status.value, 0);
  const sync = {
    synced: 'All edits are at the server',
    working: '',
    waiting: 'Edits wait for the server',
    offline: 'Offline; edits are kept here',
    refused: 'The server refused',
    failed: 'An edit could not be saved',
  }[tone];
  return (
    <div class="hidden">
      <p role="status">{sync}</p>
      <p role="status">{said.value}</p>
    </div>
  );
}
