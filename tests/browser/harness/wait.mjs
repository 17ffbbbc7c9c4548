// Waiting for something to become true. Nothing here sleeps for a fixed time and hopes.

import { setTimeout as pause } from 'node:timers/promises';

/** How long to wait for anything unless told otherwise, in milliseconds. Never a measure of speed. */
export const PATIENCE_MS = 20_000;

/** How often to look, in milliseconds. */
const LOOK_EVERY_MS = 25;

/**
 * Looks until `look` returns something truthy, and returns that.
 *
 * A look that throws counts as "not yet"; its last error is part of the message when time is up.
 *
 * @template T
 * @param {string} what what is awaited, for the message
 * @param {() => T | Promise<T>} look
 * @param {{within?: number}} [options] `within`: patience in milliseconds
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, look, { within = PATIENCE_MS } = {}) {
  const deadline = performance.now() + within;
  let last;
  for (;;) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${within} ms for ${what}; last seen: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    }
    await pause(LOOK_EVERY_MS);
  }
}
