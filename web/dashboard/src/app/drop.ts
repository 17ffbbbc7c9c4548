/** JSON dropped or pasted anywhere on the page. */
import { signal } from '@preact/signals';
import type { App } from './app.ts';
import { looksLikeJson } from './transfer.ts';

/** Whether something is being dragged over the page. */
export const dragging = signal(false);

/** Starts listening; returns the way to stop. */
export function listenDrops(app: App): () => void {
  const carriesFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  const over = (event: DragEvent) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    dragging.value = true;
  };
  const leave = (event: DragEvent) => {
    if (event.relatedTarget === null) dragging.value = false;
  };
  const drop = (event: DragEvent) => {
    dragging.value = false;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    void app.transfer.importFile(file);
  };
  const paste = (event: ClipboardEvent) => {
    const { target } = event;
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return;
    const text = event.clipboardData?.getData('text') ?? '';
    if (!looksLikeJson(text)) return;
    event.preventDefault();
    void app.transfer.importText(text, 'the pasted text');
  };
  const pairs = [
    ['dragover', over],
    ['dragleave', leave],
    ['drop', drop],
    ['paste', paste],
  ] as const;
  for (const [name, listener] of pairs) document.addEventListener(name, listener as EventListener);
  return () => {
    for (const [name, listener] of pairs) document.removeEventListener(name, listener as EventListener);
  };
}
