import { describe } from '../pure/status.ts';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';

/** Where the edits are (B5); a click says it in whole sentences. */
export function SyncPill() {
  const { status, clock } = useApp();
  const it = describe(status.value, clock.second.value);
  return (
    <>
      <button type="button" class="pill" data-tone={it.tone} popovertarget="sync">
        <Icon name={it.tone} />
        <span class="pill-short">{it.short}</span>
        <span class="pill-long">{it.parts.join(' · ')}</span>
      </button>
      <div class="pop sync-panel" id="sync" popover="auto">
        <dl>
          {it.lines.map(({ label, text, ok }) => (
            <div key={label} data-ok={ok}>
              <dt>{label}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </div>
    </>
  );
}
