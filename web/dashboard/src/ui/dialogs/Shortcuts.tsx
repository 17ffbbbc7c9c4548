import { SHORTCUTS } from '../../app/keys.ts';
import { Frame } from './Frame.tsx';

/** Every key that does something. */
export function Shortcuts() {
  return (
    <Frame title="Shortcuts">
      <dl class="shortcuts">
        {SHORTCUTS.map(({ keys, words }) => (
          <div key={words}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </Frame>
  );
}
