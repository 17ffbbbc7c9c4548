import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConsole } from '../src/console/api.ts';
import { BUS_EVENTS } from '../src/console/bus.ts';
import type { BusEvent } from '../src/console/bus.ts';
import { createLog } from '../src/console/log.ts';
import { makeApp, makeRow, until } from './helpers.ts';

const HEALTH = {
  '/health': { status: 'ok', uptime_seconds: 5, api_key_detected: false, max_parallel_jobs: 2 },
  '/balance': { status: 'missing' },
};

test('the console has the old names, and the client', () => {
  const { app, state } = createConsole(makeApp().app);
  assert.deepEqual(Object.keys(app).sort(), [
    'clearHistory',
    'client',
    'createTestJob',
    'getMetrics',
    'getState',
    'refreshDiagnostics',
    'setMaxParallelJobs',
  ]);
  assert.deepEqual(Object.keys(state).sort(), [
    'loadFromServer',
    'loadFromStorage',
    'saveToLocalStorage',
    'saveToStorage',
    'subscribe',
  ]);
  assert.deepEqual([...BUS_EVENTS].sort(), [
    'config:updated',
    'diagnostics:updated',
    'job:added',
    'job:removed',
    'job:updated',
    'jobs:cleared',
    'jobs:restored',
    'state:updated',
    'stats:updated',
  ]);
});

test('each thing that happens is an event', async () => {
  const { app, client } = makeApp({}, HEALTH);
  const { app: page, state } = createConsole(app);
  const heard: BusEvent[] = [];
  for (const event of BUS_EVENTS) state.subscribe(event, () => heard.push(event));
  const job = await page.createTestJob();
  assert.equal(job.prompt.startsWith('test job'), true);
  await until('the run to end', () => heard.filter((event) => event === 'job:updated').length >= 2);
  await page.clearHistory();
  assert.equal(app.toasts.list.peek().at(-1)?.action?.label, 'Undo');
  app.toasts.list.peek().at(-1)?.action?.run();
  await until('the undo', () => heard.includes('jobs:restored'));
  await page.refreshDiagnostics();
  for (const event of BUS_EVENTS) assert.ok(heard.includes(event), `${event} was not heard`);
  assert.equal(client.stats.get().total, 1);
});

test('subscribe refuses unknown events, and stops when told', async () => {
  const { app } = makeApp();
  const { state } = createConsole(app);
  assert.throws(
    () => state.subscribe('job:exploded' as BusEvent, () => {}),
    /there is no event "job:exploded"; there are job:added/,
  );
  let heard = 0;
  const stop = state.subscribe('job:added', () => heard++);
  await app.actions.add({ prompt: 'a', width: 64, height: 64, seed: null });
  stop();
  await app.actions.add({ prompt: 'b', width: 64, height: 64, seed: null });
  assert.equal(heard, 1);
});

test('a broken listener is named in the log and harms no other', async () => {
  const { app, said } = makeApp();
  const { state } = createConsole(app);
  let heard = 0;
  state.subscribe('job:added', () => {
    throw new Error('mine');
  });
  state.subscribe('job:added', () => heard++);
  await app.actions.add({ prompt: 'a', width: 64, height: 64, seed: null });
  assert.equal(heard, 1);
  assert.ok(said.some((line) => line.includes('[SYSTEM] [ERROR] A listener of job:added failed')));
});

test('getState gives all jobs, also those not on screen', async () => {
  const { app } = makeApp({ rows: Array.from({ length: 1203 }, (_, i) => makeRow(i + 1, i + 1)) });
  const { app: page, state } = createConsole(app);
  assert.equal(await state.loadFromStorage(), 1203);
  const { jobs, lastJobId, stats } = page.getState();
  assert.deepEqual([jobs.length, jobs[0]?.id, lastJobId, stats.total], [1203, 'job-1', 1204, 1203]);
  assert.equal(page.getMetrics().success, 1203);
});

test('the log has the old form', () => {
  const lines: string[] = [];
  const say = (text: string) => void lines.push(text);
  const log = createLog({ info: say, warn: say, error: say, debug: say }, () => Date.UTC(2026, 0, 1, 14, 3, 22));
  log('JOB', 'SUCCESS', 'job-7 finished');
  log('API', 'WARNING', 'slow');
  assert.deepEqual(lines, ['[14:03:22] [JOB] [SUCCESS] job-7 finished', '[14:03:22] [API] [WARNING] slow']);
  for (let i = 0; i < 600; i++) log('UI', 'DEBUG', String(i));
  assert.equal(log.lines.length, 500);
});

test('loadFromServer says whether the server has answered', async () => {
  const online = makeApp();
  await online.client.ready;
  assert.equal(await createConsole(online.app, 20).state.loadFromServer(), true);
  assert.ok(online.said.some((line) => line.endsWith('[API] [SUCCESS] Loaded jobs from server')));
  const offline = makeApp({ connection: 'offline' });
  assert.equal(await createConsole(offline.app, 20).state.loadFromServer(), false);
});

test('setMaxParallelJobs takes whole numbers, and says when the server does not take them', async () => {
  const { app, said } = makeApp();
  const page = createConsole(app).app;
  await assert.rejects(page.setMaxParallelJobs(0), /n is 0; it may be 1 to 16/);
  await assert.rejects(page.setMaxParallelJobs(2.5), RangeError);
  assert.equal(await page.setMaxParallelJobs(5), 3);
  assert.ok(said.some((line) => line.includes('--max-parallel-jobs 5')));
  const willing = makeApp({}, { '/api/v1/runner': { maxParallelJobs: 5 } });
  assert.equal(await createConsole(willing.app).app.setMaxParallelJobs(5), 5);
});
