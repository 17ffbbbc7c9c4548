/** What may be a new job, and what is wrong with it otherwise. */
import { PROMPT_CHARS_MAX, SEED_MAX, SIDE_PX_MAX, SIDE_PX_MIN } from './limits.ts';

/** The form as typed. */
export interface Draft {
  prompt: string;
  width: string;
  height: string;
  seed: string;
}

export interface NewJob {
  prompt: string;
  width: number;
  height: number;
  seed: string | null;
}

export type DraftErrors = Partial<Record<keyof Draft, string>>;

function side(name: string, text: string): number | string {
  const trimmed = text.trim();
  if (!/^\d{1,9}$/.test(trimmed)) return `${name} is a whole number from ${SIDE_PX_MIN} to ${SIDE_PX_MAX}`;
  const value = Number(trimmed);
  if (value < SIDE_PX_MIN || value > SIDE_PX_MAX)
    return `${name} is ${value}; it may be ${SIDE_PX_MIN} to ${SIDE_PX_MAX}`;
  return value;
}

/** Gives the job that a draft describes, or a sentence for each field that is wrong. */
export function check(draft: Draft): { job: NewJob } | { errors: DraftErrors } {
  const errors: DraftErrors = {};
  const prompt = draft.prompt.trim();
  if (prompt === '') errors.prompt = 'Say what to draw';
  else if (prompt.length > PROMPT_CHARS_MAX)
    errors.prompt = `The prompt has ${prompt.length} characters; it may have ${PROMPT_CHARS_MAX}`;
  const width = side('Width', draft.width);
  const height = side('Height', draft.height);
  if (typeof width === 'string') errors.width = width;
  if (typeof height === 'string') errors.height = height;
  const seed = draft.seed.trim();
  if (seed !== '' && (!/^\d{1,10}$/.test(seed) || Number(seed) > SEED_MAX)) {
    errors.seed = `A seed is a whole number from 0 to ${SEED_MAX}, or nothing`;
  }
  if (typeof width === 'string' || typeof height === 'string' || Object.keys(errors).length > 0) return { errors };
  return { job: { prompt, width, height, seed: seed === '' ? null : seed } };
}
