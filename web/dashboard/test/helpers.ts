import { FakeClient } from '../dev/fake/client.ts';
import { makeRow, scenario } from '../dev/fake/scenario.ts';
import type { Scenario } from '../dev/fake/scenario.ts';
import { createApp } from '../src/app/app.ts';
import type { App } from '../src/app/app.ts';
import { createLog } from '../src/console/log.ts';
import { WHOLE } from '../src/pure/query.ts';

/** An app over the fake, silent, with answers for its requests. */
export function makeApp(
  change: Partial<Scenario> = {},
  answers: Record<string, unknown> = {},
): { app: App; client: FakeClient; said: string[] } {
  const client = new FakeClient({ scenario: { ...scenario('empty'), loadMs: 0, ...change }, runMs: 3 });
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const app = createApp(client, {
    fetch: async (url) => (url in answers ? Response.json(answers[url]) : new Response('no', { status: 404 })),
    storage: undefined,
    root: undefined,
    shown: WHOLE,
    log: createLog({ info: say, warn: say, error: say, debug: say }, () => 0),
  });
  return { app, client, said };
}

export { makeRow };

/** Waits until `found` gives something, looking often; fails after two seconds. */
export async function until<T>(what: string, found: () => T | undefined | null | false): Promise<T> {
  for (const end = Date.now() + 2000; ;) {
    const value = found();
    if (value) return value;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((next) => setTimeout(next, 2));
  }
}
