import type { Dialog } from '../../app/dialogs.ts';
import { useApp } from '../context.ts';
import { Frame } from './Frame.tsx';

/** A question; the safe answer has the focus. */
export function Confirm({ dialog }: { dialog: Extract<Dialog, { kind: 'confirm' }> }) {
  const { dialogs } = useApp();
  const { title, body, yes, danger, run } = dialog;
  return (
    <Frame title={title}>
      <p class="dialog-text">{body}</p>
      <div class="buttons end">
        <button type="button" class="second" autofocus onClick={() => dialogs.close()}>
          Cancel
        </button>
        <button
          type="button"
          class={danger ? 'primary danger' : 'primary'}
          onClick={() => {
            dialogs.close();
            run();
          }}
        >
          {yes}
        </button>
      </div>
    </Frame>
  );
}
