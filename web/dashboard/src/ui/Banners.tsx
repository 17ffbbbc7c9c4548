import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';
import { SignIn } from './SignIn.tsx';

/** What people should know or decide. */
export function Banners() {
  const { notices, locked } = useApp();
  return (
    <div class="banners" role="region" aria-label="Notices">
      {locked.value && <SignIn />}
      {notices.list.value.map(({ id, level, title, text, offers }) => (
        <div class="banner" key={id} data-level={level} role={level === 'error' ? 'alert' : 'status'}>
          <Icon name="warn" />
          <div>
            <strong>{title}</strong>
            <p>{text}</p>
          </div>
          {offers?.map(({ label, run }) => (
            <button type="button" class="second" key={label} onClick={run}>
              {label}
            </button>
          ))}
          <button
            type="button"
            class="plain square small"
            aria-label={`Dismiss: ${title}`}
            onClick={() => notices.dismiss(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
