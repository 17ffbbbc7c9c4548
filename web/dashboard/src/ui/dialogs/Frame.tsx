import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useApp } from '../context.ts';
import { Icon } from '../Pixels.tsx';

/** A modal dialog: traps the focus, closes on Esc and on a click outside, gives the focus back. */
export function Frame({
  title,
  size = 'small',
  children,
}: {
  title: string;
  size?: 'small' | 'wide';
  children: ComponentChildren;
}) {
  const { dialogs } = useApp();
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      class="dialog"
      data-size={size}
      ref={element}
      aria-labelledby="dialog-title"
      onClose={() => dialogs.close()}
      onClick={(event) => {
        if (event.target === event.currentTarget) dialogs.close();
      }}
    >
      <div class="dialog-inside">
        <div class="dialog-head">
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="plain square small" aria-label="Close" onClick={() => dialogs.close()}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
