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

/** All jobs, newest first. */
export const WHOLE: Shown = { place: 'jobs', words: '', status: 'all', sort: '-created' };

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
  active: 'status:queued,running',
  success: 'status:success',
  error: 'status:error',
  idle: 'status:idle',
};

/** Words as typed: a quote that is not closed yet is closed. */
function closed(words: string): string {
  let open = false;
  for (let at = 0; at < words.length; at += 1) {
    if (open && words[at] === '\\') at += 1;
    else if (words[at] === '"') open = !open;
  }
  return open ? `${words}"` : words;
}

/** The query line of what is shown. The words come first, so that a fault's place is the place in them. */
export function lineOf(shown: Shown): string {
  return [closed(shown.words), FILTER_WORDS[shown.status]].filter(Boolean).join(' ');
}

/** Asks for `limit` rows of what is shown, after the first `offset`. */
export function toQuery(shown: Shown, offset: number, limit: number): Query {
  const q = lineOf(shown);
  return { ...(q.trim() ? { q } : {}), sort: shown.sort, bin: shown.place === 'bin', offset, limit };
}

/** Whether nothing narrows the list, so that "no rows" means "no jobs". */
export function isWhole(shown: Shown): boolean {
  return shown.words.trim() === '' && shown.status === 'all';
}

/** What is shown as the end of an address: `?q=status:error&sort=prompt#bin`; empty for all jobs. */
export function toAddress({ place, words, status, sort }: Shown): string {
  const said = new URLSearchParams();
  if (words.trim()) said.set('q', words);
  if (status !== WHOLE.status) said.set('status', status);
  if (sort !== WHOLE.sort) said.set('sort', sort);
  // What people type into a query line stays readable.
  const text = said.toString().replaceAll('%3A', ':').replaceAll('%2C', ',');
  return `${text ? `?${text}` : ''}${place === 'bin' ? '#bin' : ''}`;
}

/** What an address asks to show; what it says and we do not know is left out. */
export function fromAddress(search: string, hash: string): Shown {
  const said = new URLSearchParams(search);
  const known = <V extends string>(of: readonly { value: V }[], name: string, unless: V): V =>
    of.find(({ value }) => value === said.get(name))?.value ?? unless;
  return {
    place: hash === '#bin' ? 'bin' : 'jobs',
    words: said.get('q') ?? '',
    status: known(FILTERS, 'status', WHOLE.status),
    sort: known(SORTS, 'sort', WHOLE.sort),
  };
}
