/** `/health` and `/balance` for the fake, and the headers that the real server sends. */
import type { Connect, Plugin } from 'vite';

const POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; worker-src 'self'";

const ANSWERS: Record<string, unknown> = {
  '/health': {
    status: 'ok',
    server_time: 0,
    uptime_seconds: 11_532,
    api_key_detected: true,
    balance: null,
    max_parallel_jobs: 3,
    documents: [{ name: 'job_history.json', jobs: 14 }],
  },
  '/balance': { status: 'ok', usd: 3.2, type: 'usd' },
  '/api/v1/session': { tokenNeeded: false, signedIn: true },
};

const answer =
  (strict: boolean): Connect.NextHandleFunction =>
  (request, response, next) => {
    if (strict) response.setHeader('content-security-policy', POLICY);
    const body = ANSWERS[request.url?.split('?')[0] ?? ''];
    if (body === undefined) return next();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  };

export function fakeServer(): Plugin {
  return {
    name: 'plainsync-fake-server',
    configureServer: ({ middlewares }) => void middlewares.use(answer(false)),
    configurePreviewServer: ({ middlewares }) => void middlewares.use(answer(true)),
  };
}
