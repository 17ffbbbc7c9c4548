/**
 * Plainsync in a browser: jobs that are here at once, offline too, and merge with everybody else's.
 *
 * ```ts
 * const client = open();
 * client.jobs.subscribe({ limit: 50 }, ({ rows }) => show(rows));
 * await client.jobs.insert({ prompt: 'pixel dragon', width: 64, height: 64 }, { run: true });
 * ```
 */
export { open } from './client.js';
export type * from './types.js';
