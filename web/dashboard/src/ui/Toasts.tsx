import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';

/** Short messages at the bottom. They stay while pointed at or focused. */
export function Toasts() {
  const { toasts } = useApp();
  const hold = (held: boolean) => () => toasts.hold(held);
  return (
    <section
      class="toasts"
      aria-label="Messages"
      aria-live="polite"
      onMouseEnter={hold(true)}
      onMouseLeave={hold(false)}
      onFocusIn={hold(true)}
      onFocusOut={hold(false)}
    >
      {toasts.list.value.map(({ id, text, tone, action }) => (
        <div class="toast" key={id} data-tone={tone}>
          <p>{text}</p>
          {action && (
            <button
              type="button"
              class="toast-action"
              onClick={() => {
                action.run();
                toasts.dismiss(id);
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" class="plain square small" aria-label="Dismiss" onClick={() => toasts.dismiss(id)}>
            <Icon name="close" unit={1} />
          </button>
        </div>
      ))}
    </section>
  );
}
