/** A failed run in plain words. */
import type { Job } from '@plainsync/client';

export interface Failure {
  /** What happened, for anybody. */
  title: string;
  /** What one can do. */
  advice: string;
  /** What the generator said, unchanged; may be empty. */
  raw: string;
}

const KNOWN: readonly { pattern: RegExp; title: string; advice: string }[] = [
  {
    pattern: /\b401\b|unauthori[sz]ed|invalid.*(api.?key|token)|api.?key.*(invalid|missing|refused|rejected)/i,
    title: 'The API key was refused',
    advice: 'Check PIXELLAB_API_KEY at the server, then run it again.',
  },
  {
    pattern: /\b402\b|insufficient|no credit|out of credit|payment/i,
    title: 'No credit left',
    advice: 'Top up the PixelLab account, then run it again.',
  },
  {
    pattern: /\b429\b|too many requests|rate.?limit/i,
    title: 'Too many requests',
    advice: 'The service asks to wait. Run it again in a minute.',
  },
  {
    pattern: /interrupted|restart(ed)? while|server stopped/i,
    title: 'Interrupted',
    advice: 'The server stopped during this run. Nothing is lost; run it again.',
  },
  {
    pattern: /time.?d?.?out|deadline/i,
    title: 'Took too long',
    advice: 'The generator did not answer in time. Run it again.',
  },
  {
    pattern: /\b422\b|ensure this value|validation|invalid (size|width|height|prompt|description)/i,
    title: 'The request was not accepted',
    advice: 'Something in prompt or size is outside what the service takes.',
  },
  {
    pattern: /\b5\d\d\b|bad gateway|unavailable|internal server error/i,
    title: 'The service has a problem',
    advice: 'Not your fault. Run it again later.',
  },
  {
    pattern: /network|connect|dns|unreachable|fetch|refused/i,
    title: 'The service could not be reached',
    advice: 'Check the network of the server, then run it again.',
  },
];

/** What the generator said, wherever the record keeps it. */
export function rawError(job: Job): string {
  if (typeof job.error === 'string' && job.error.trim() !== '') return job.error.trim();
  const { result } = job;
  if (typeof result === 'object' && result !== null) {
    const said = (result as { error_message?: unknown }).error_message;
    if (typeof said === 'string') return said.trim();
  }
  return '';
}

export function explain(job: Job): Failure {
  const raw = rawError(job);
  const known = KNOWN.find(({ pattern }) => pattern.test(raw));
  if (known) return { title: known.title, advice: known.advice, raw };
  return {
    title: 'The run failed',
    advice: raw === '' ? 'It left no message. Run it again.' : 'Run it again, or change the prompt.',
    raw,
  };
}
