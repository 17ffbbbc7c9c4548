/** Reads what `GET /health` and `GET /balance` answer. Unknown or odd fields are left out, never trusted. */

export interface Health {
  uptimeSeconds: number | null;
  apiKey: boolean | null;
  maxParallelJobs: number | null;
  file: { state: string; detail: string | null } | null;
  documents: { id: string | null; name: string; jobs: number | null }[];
}

export type Balance =
  { kind: 'unknown' } | { kind: 'ok'; usd: number } | { kind: 'missing' } | { kind: 'error'; message: string };

type Fields = Record<string, unknown>;

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const finite = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

export function readHealth(answer: unknown): Health {
  const it = fields(answer);
  const file = fields(it['file']);
  const state = text(file['state']);
  const key = it['api_key_detected'];
  return {
    uptimeSeconds: finite(it['uptime_seconds']),
    apiKey: typeof key === 'boolean' ? key : null,
    maxParallelJobs: finite(it['max_parallel_jobs']),
    file: state === null ? null : { state, detail: text(file['detail']) },
    documents: (Array.isArray(it['documents']) ? it['documents'] : [])
      .map(fields)
      .map((one) => ({ id: text(one['id']), name: text(one['name']) ?? 'unnamed', jobs: finite(one['jobs']) })),
  };
}

export function readBalance(answer: unknown): Balance {
  const it = fields(answer);
  if (it['status'] === 'missing') return { kind: 'missing' };
  const usd = finite(it['usd']);
  if (it['status'] === 'ok' && usd !== null) return { kind: 'ok', usd };
  return { kind: 'error', message: text(it['message']) ?? 'the answer could not be read' };
}
