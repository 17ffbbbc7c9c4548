/** What the list shows, and the query that asks the client for it. */
import type { Query } from '@plainsync/client';

export type Place = 'jobs' | 'bin';
export type StatusFilter = 'all' | 'active' | 'success' | 'error' | 'idle';

export interface Shown {
  place: Place;
  words: string;
  status: StatusFilter;
  sort: string;
}

export const SORTS: readonly { value: string; label: string }[] = [
  { value: '-created', label: 'Newest first' },
  { value: 'created', label: 'Oldest first' },
  { value: 'prompt', label: 'Prompt A–Z' },
  { value: 'status', label: 'Status' },
  { value: '-width', label: 'Widest' },
];

export const FILTERS: readonly { value: StatusFilter; label: string }[] = [
  { value: 'all', label: 'Any status' },
  { value: 'active', label: 'Running or queued' },
  { value: 'success', label: 'Success' },
  { value: 'error', label: 'Error' },
  { value: 'idle', label: 'Not started' },
];

const FILTER_WORDS: Record<StatusFilter, string> = {
  all: '',
  active: '-status:success -status:error -status:idle', // The query line knows "not", and no "or".
  success: 'status:success',
  error: 'status:error',
  idle: 'status:idle',
};

/** Words as typed: a quote that is not closed yet is closed. */
function closed(words: string): string {
  const quotes = words.split('"').length - 1;
  return quotes % 2 === 0 ? words : `${words}"`;
}

/** Asks for `limit` rows of what is shown, after the first `offset`. */
export function toQuery(shown: Shown, offset: number, limit: number): Query {
  const q = [FILTER_WORDS[shown.status], closed(shown.words.trim())].filter(Boolean).join(' ');
  return { ...(q ? { q } : {}), sort: shown.sort, bin: shown.place === 'bin', offset, limit };
}

/** Whether nothing narrows the list, so that "no rows" means "no jobs". */
export function isWhole(shown: Shown): boolean {
  return shown.words.trim() === '' && shown.status === 'all';
}
