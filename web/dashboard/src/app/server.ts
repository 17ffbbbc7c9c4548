/** The few requests that the page makes itself: signing in, and how many jobs run together. */

type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

const JSON_TYPE = { 'content-type': 'application/json', 'accept': 'application/json' };

async function problem(answer: Response): Promise<string> {
  try {
    const body = (await answer.json()) as { detail?: unknown; message?: unknown };
    const said = body.detail ?? body.message;
    if (typeof said === 'string' && said !== '') return said;
  } catch {
    // No JSON: the status has to do.
  }
  return `the server answered ${answer.status}`;
}

/** Takes `token=…` out of an address's fragment; null when it has none. */
export function tokenIn(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token');
  return token === null || token === '' ? null : token;
}

/** Exchanges the token for a cookie that no script can read. Rejects with the server's reason. */
export async function signIn(fetch: Fetch, token: string): Promise<void> {
  const answer = await fetch('/api/v1/session', {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ token }),
  });
  if (!answer.ok) throw new Error(await problem(answer));
}

/** Whether the server wants a token that this browser has not shown. `false` when it cannot be asked. */
export async function needsToken(fetch: Fetch): Promise<boolean> {
  try {
    const answer = await fetch('/api/v1/session', { headers: { accept: 'application/json' }, cache: 'no-store' });
    const it = (await answer.json()) as { tokenNeeded?: unknown; signedIn?: unknown };
    return answer.ok && it.tokenNeeded === true && it.signedIn === false;
  } catch {
    return false;
  }
}

/** What may be said about a file that waits for an answer, or about what is offered of it. */
export type FileAnswer = 'take' | 'replace' | 'return' | 'fresh' | 'dismiss';

/** Decides about a file that the server leaves alone, or about an offer. Rejects with the server's reason. */
export async function answerFile(fetch: Fetch, document: string, answer: FileAnswer): Promise<void> {
  const reply = await fetch(`/api/v1/documents/${encodeURIComponent(document)}/file`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ answer }),
  });
  if (!reply.ok) throw new Error(await problem(reply));
}

/** Tells the server how many jobs may run together; gives what holds then. */
export async function setParallel(fetch: Fetch, n: number): Promise<number> {
  const answer = await fetch('/api/v1/runner', {
    method: 'PUT',
    headers: JSON_TYPE,
    body: JSON.stringify({ maxParallelJobs: n }),
  });
  if (answer.status === 404 || answer.status === 405)
    throw new Error(`this server takes the number only when it starts: --max-parallel-jobs ${n}`);
  if (!answer.ok) throw new Error(await problem(answer));
  const { maxParallelJobs } = (await answer.json()) as { maxParallelJobs?: unknown };
  return typeof maxParallelJobs === 'number' ? maxParallelJobs : n;
}
