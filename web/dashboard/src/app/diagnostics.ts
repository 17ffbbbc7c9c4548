/**
 * How the server is: asked once a minute, and when somebody wants to know.
 *
 * **Invariant:** what the server says is shown, never acted upon; jobs do not depend on it.
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { DIAGNOSTICS_EVERY_MS, DIAGNOSTICS_TIMEOUT_MS } from '../pure/limits.ts';
import { readBalance, readHealth } from '../pure/health.ts';
import type { Balance, Health } from '../pure/health.ts';

export interface Diagnostics {
  /** `asking` only before the first answer. */
  server: 'asking' | 'ok' | 'down';
  /** Why it is down, for people. */
  reason: string | null;
  health: Health | null;
  balance: Balance;
  /** When this was learnt, in ms; null before the first answer. */
  checkedAt: number | null;
}

export const UNKNOWN: Diagnostics = {
  server: 'asking',
  reason: null,
  health: null,
  balance: { kind: 'unknown' },
  checkedAt: null,
};

export interface DiagnosticsStore {
  readonly value: ReadonlySignal<Diagnostics>;
  readonly busy: ReadonlySignal<boolean>;
  refresh(): Promise<Diagnostics>;
  /** Starts asking once a minute; returns the way to stop. */
  start(): () => void;
}

type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

async function getJson(fetch: Fetch, url: string): Promise<unknown> {
  const answer = await fetch(url, {
    headers: { accept: 'application/json' },
    cache: 'no-store',
    signal: AbortSignal.timeout(DIAGNOSTICS_TIMEOUT_MS),
  });
  if (answer.status === 401 || answer.status === 403) throw new Error('asks for its token');
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return `no answer within ${DIAGNOSTICS_TIMEOUT_MS / 1000} s`;
  if (error instanceof TypeError) return 'out of reach';
  return error instanceof Error ? error.message : String(error);
}

export function createDiagnostics(
  fetch: Fetch,
  onUpdate: (value: Diagnostics) => void,
  now: () => number = Date.now,
): DiagnosticsStore {
  const value = signal<Diagnostics>(UNKNOWN);
  const busy = signal(false);
  let under: Promise<Diagnostics> | null = null;

  async function ask(): Promise<Diagnostics> {
    busy.value = true;
    const [health, balance] = await Promise.allSettled([getJson(fetch, '/health'), getJson(fetch, '/balance')]);
    value.value =
      health.status === 'fulfilled'
        ? {
            server: 'ok',
            reason: null,
            health: readHealth(health.value),
            balance:
              balance.status === 'fulfilled'
                ? readBalance(balance.value)
                : { kind: 'error', message: reasonOf(balance.reason) },
            checkedAt: now(),
          }
        : { ...value.peek(), server: 'down', reason: reasonOf(health.reason), checkedAt: now() };
    busy.value = false;
    onUpdate(value.peek());
    return value.peek();
  }

  const refresh = () => (under ??= ask().finally(() => (under = null)));
  return {
    value,
    busy,
    refresh,
    start() {
      void refresh();
      const timer = setInterval(() => {
        if (document.visibilityState === 'visible') void refresh();
      }, DIAGNOSTICS_EVERY_MS);
      const again = () => void refresh();
      addEventListener('online', again);
      addEventListener('offline', again);
      return () => {
        clearInterval(timer);
        removeEventListener('online', again);
        removeEventListener('offline', again);
      };
    },
  };
}
