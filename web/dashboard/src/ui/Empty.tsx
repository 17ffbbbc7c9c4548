import { SAMPLE_PROMPT } from '../pure/presets.ts';
import { isWhole } from '../pure/query.ts';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';

function NoJobs() {
  const { composer, dialogs } = useApp();
  const sample = () => {
    composer.set({ prompt: SAMPLE_PROMPT });
    document.getElementById('prompt')?.focus();
  };
  return (
    <div class="empty">
      <img src="/empty.svg" width="192" height="96" alt="" class="pixels" />
      <h3>Nothing drawn yet</h3>
      <p>Describe a sprite and press Add. It is kept here at once, with or without a network.</p>
      <div class="buttons">
        <button type="button" class="primary" onClick={sample}>
          Try “{SAMPLE_PROMPT}”
        </button>
        <button type="button" class="second" onClick={() => dialogs.show({ kind: 'import' })}>
          Import a history
        </button>
      </div>
    </div>
  );
}

/** Why there are no cards, and what one can do. */
export function Empty() {
  const { view, list } = useApp();
  const shown = view.shown.value;
  if (!isWhole(shown)) {
    return (
      <div class="empty">
        <Icon name="search" unit={6} />
        <h3>{list.fault.value ? 'The search means nothing yet' : 'No job fits'}</h3>
        <p>
          {list.fault.value
            ? 'What is wrong with it stands below the search.'
            : 'Nothing here matches the search and the status together.'}
        </p>
        <button type="button" class="second" onClick={() => view.set({ words: '', status: 'all' })}>
          Show all
        </button>
      </div>
    );
  }
  if (shown.place === 'jobs') return <NoJobs />;
  return (
    <div class="empty">
      <Icon name="trash" unit={6} />
      <h3>The bin is empty</h3>
      <p>Removed jobs wait here until they are restored or deleted for good.</p>
      <button type="button" class="second" onClick={() => view.set({ place: 'jobs' })}>
        Back to the jobs
      </button>
    </div>
  );
}
