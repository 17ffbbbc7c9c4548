/** Reads a record that may be old, foreign or damaged, and says what a card shows. */
import type { Job, Row, Status } from '@plainsync/client';
import { duration } from './format.ts';

/** The states that the dashboard knows; anything else is shown as it is. */
export const KNOWN_STATUS = ['idle', 'queued', 'running', 'success', 'error'] as const;

export const STATUS_WORDS: Record<string, string> = {
  idle: 'not started',
  queued: 'queued',
  running: 'running',
  success: 'success',
  error: 'error',
};

const words = (value: unknown): string =>
  typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value);

export const labelOf = (job: Job): string => words(job.id) || 'unnamed job';
export const promptOf = (job: Job): string => words(job.prompt);
export const statusOf = (job: Job): string => words(job.status) || 'idle';

/** `64×64`; null when the record says no size. */
export function sizeOf(job: Job): string | null {
  const [width, height] = [words(job.width), words(job.height)];
  return width && height ? `${width}×${height}` : null;
}

/** The record's sides in pixels, as far as they are sensible numbers. */
export function sidesOf(job: Job): { width: number; height: number } {
  const side = (value: unknown) => (typeof value === 'number' && value >= 1 && value <= 4096 ? Math.round(value) : 64);
  return { width: side(job.width), height: side(job.height) };
}

/** The small facts under a prompt, in order. */
export function factsOf(job: Job): { name: string; value: string }[] {
  const facts: { name: string; value: string }[] = [];
  const size = sizeOf(job);
  if (size) facts.push({ name: 'Size', value: size });
  const took = duration(job.duration);
  if (took && (job.status === 'success' || job.status === 'error')) facts.push({ name: 'Took', value: took });
  if (words(job.seed)) facts.push({ name: 'Seed', value: words(job.seed) });
  return facts;
}

/** Why a job cannot be started now; null when it can. A job ordered at another server may be ordered again here. */
export function whyNotRun(row: Row<Job>, status: Status): string | null {
  const state = statusOf(row.job);
  if (state !== 'queued' && state !== 'running') return null;
  const elsewhere = row.run?.server && status.serverId && row.run.server !== status.serverId;
  return elsewhere ? null : state === 'queued' ? 'It is in the queue already' : 'It is running';
}

const FIELD_WORDS: Record<string, string> = {
  run: 'the run (status and picture)',
  prompt: 'prompt',
  width: 'width',
  height: 'height',
  seed: 'seed',
};

/** A field's name in a sentence about differing edits. */
export const fieldWords = (field: string): string => FIELD_WORDS[field] ?? field;
