import { nextTheme } from '../app/keys.ts';
import { useApp } from './context.ts';
import { Icon, PixelText } from './Pixels.tsx';
import { SyncPill } from './SyncPill.tsx';

function Menu() {
  const { dialogs, transfer } = useApp();
  const items = [
    { icon: 'up', label: 'Import…', run: () => dialogs.show({ kind: 'import' }) },
    { icon: 'down', label: 'Export JSON', run: () => void transfer.exportFile() },
    { icon: 'keys', label: 'Shortcuts', run: () => dialogs.show({ kind: 'shortcuts' }) },
  ] as const;
  return (
    <>
      <button type="button" class="plain square" popovertarget="menu" aria-label="More">
        <Icon name="more" />
      </button>
      <div class="pop menu" id="menu" popover="auto">
        {items.map(({ icon, label, run }) => (
          <button type="button" class="plain" key={label} popovertarget="menu" popovertargetaction="hide" onClick={run}>
            <Icon name={icon} />
            {label}
          </button>
        ))}
      </div>
    </>
  );
}

/** Name, status, theme, menu. */
export function Header() {
  const app = useApp();
  const { theme } = app.config.value.value;
  return (
    <header class="header">
      <h1 class="name">
        <img src="/favicon.svg" width="32" height="32" alt="" class="pixels" />
        <span class="name-text">
          <span class="hidden">PixelLab Command Center</span>
          <span class="name-big" aria-hidden="true">
            <PixelText text="PIXELLAB" unit={3} />
          </span>
          <span class="name-small" aria-hidden="true">
            Command Center
          </span>
        </span>
      </h1>
      <SyncPill />
      <div class="header-tools">
        <button
          type="button"
          class="plain square"
          onClick={() => nextTheme(app)}
          aria-label={theme === 'auto' ? 'Switch between light and dark' : `Theme is ${theme}; switch`}
        >
          <span class="when-light">
            <Icon name="moon" />
          </span>
          <span class="when-dark">
            <Icon name="sun" />
          </span>
        </button>
        <Menu />
      </div>
    </header>
  );
}
