/** Stands in for `@plainsync/client` under `vite --mode fake`. */
import type { Client, Job, OpenOptions } from '@plainsync/client';
import { FakeClient } from './client.ts';
import { scenario } from './scenario.ts';
import { sprite } from './sprite.ts';

export function open(_options?: OpenOptions): Client<Job> {
  const name = new URLSearchParams(location.search).get('scenario');
  return new FakeClient({ scenario: scenario(name), paint: sprite });
}
