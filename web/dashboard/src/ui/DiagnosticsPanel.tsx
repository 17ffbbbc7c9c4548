import type { Diagnostics } from '../app/diagnostics.ts';
import { age, dollars, uptime } from '../pure/format.ts';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';

interface Line {
  name: string;
  value: string;
  tone: 'good' | 'bad' | 'plain';
}

function serverLine({ server, reason, health }: Diagnostics): Line {
  if (server === 'asking') return { name: 'Server', value: 'asking…', tone: 'plain' };
  if (server === 'down') return { name: 'Server', value: reason ?? 'out of reach', tone: 'bad' };
  const up = health?.uptimeSeconds;
  return { name: 'Server', value: up === null || up === undefined ? 'ok' : `ok, up ${uptime(up)}`, tone: 'good' };
}

function keyLine({ health }: Diagnostics): Line {
  if (health?.apiKey === true) return { name: 'API key', value: 'found', tone: 'good' };
  if (health?.apiKey === false) return { name: 'API key', value: 'none: drawn locally', tone: 'plain' };
  return { name: 'API key', value: 'unknown', tone: 'plain' };
}

function balanceLine({ balance }: Diagnostics): Line {
  switch (balance.kind) {
    case 'ok':
      return { name: 'Balance', value: dollars(balance.usd), tone: balance.usd > 0 ? 'good' : 'bad' };
    case 'missing':
      return { name: 'Balance', value: 'no account', tone: 'plain' };
    case 'error':
      return { name: 'Balance', value: balance.message, tone: 'bad' };
    case 'unknown':
      return { name: 'Balance', value: 'unknown', tone: 'plain' };
  }
}

function Checked() {
  const { diagnostics, clock } = useApp();
  const { checkedAt } = diagnostics.value.value;
  return (
    <span class="checked">{checkedAt === null ? 'not asked yet' : `${age(checkedAt, clock.second.value)} ago`}</span>
  );
}

/** What an earlier answer said is not known to hold now. */
const asItWas = (line: Line): Line =>
  line.value === 'unknown' ? line : { ...line, value: `was: ${line.value}`, tone: 'plain' };

/** How the server is, asked once a minute. */
export function DiagnosticsPanel() {
  const { diagnostics, config } = useApp();
  const now = diagnostics.value.value;
  const said = [keyLine(now), balanceLine(now)];
  const lines = [
    serverLine(now),
    ...(now.server === 'down' ? said.map(asItWas) : said),
    { name: 'Max parallel', value: String(config.value.value.maxParallelJobs), tone: 'plain' as const },
  ];
  return (
    <section class="panel diagnostics" aria-labelledby="diagnostics-title">
      <div class="panel-head">
        <h2 id="diagnostics-title">Server</h2>
        <Checked />
        <button
          type="button"
          class="plain square small"
          aria-label="Ask the server now"
          title="Ask now"
          aria-busy={diagnostics.busy.value}
          onClick={() => void diagnostics.refresh()}
        >
          <Icon name="refresh" />
        </button>
      </div>
      <dl>
        {lines.map(({ name, value, tone }) => (
          <div key={name} data-tone={tone}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
