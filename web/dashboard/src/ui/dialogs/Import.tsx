import { useSignal } from '@preact/signals';
import { useApp } from '../context.ts';
import { Icon } from '../Pixels.tsx';
import { Frame } from './Frame.tsx';

/** Takes in a history by file or as text. */
export function Import() {
  const { transfer, dialogs } = useApp();
  const text = useSignal('');
  const wrong = useSignal('');
  const busy = useSignal(false);
  const take = async (work: () => Promise<string | null>) => {
    busy.value = true;
    const reason = await work();
    busy.value = false;
    wrong.value = reason ?? '';
    if (reason === null) dialogs.close();
  };
  return (
    <Frame title="Import">
      <p class="dialog-text">
        A job_history.json, an export, or what the old page kept under pixellab_jobs_v1. Jobs are added and updated;
        none is removed.
      </p>
      <div class="field">
        <label for="import-file">File</label>
        <input
          id="import-file"
          type="file"
          accept=".json,application/json"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) void take(() => transfer.importFile(file));
          }}
        />
      </div>
      <div class="field">
        <label for="import-text">Or paste the text</label>
        <textarea
          id="import-text"
          rows={6}
          spellcheck={false}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
      </div>
      {wrong.value && (
        <p class="field-error" role="alert">
          {wrong.value}
        </p>
      )}
      <div class="buttons end">
        <button type="button" class="second" onClick={() => dialogs.close()}>
          Cancel
        </button>
        <button
          type="button"
          class="primary"
          disabled={busy.value || text.value.trim() === ''}
          onClick={() => void take(() => transfer.importText(text.value, 'the pasted text'))}
        >
          <Icon name="up" />
          {busy.value ? 'Importing…' : 'Import'}
        </button>
      </div>
    </Frame>
  );
}
