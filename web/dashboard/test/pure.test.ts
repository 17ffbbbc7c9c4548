import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, Row, Status } from '@plainsync/client';
import { icon, setText, trace } from '../src/pure/bitmaps.ts';
import { DIRECTIONS } from '../src/pure/directions.ts';
import { explain } from '../src/pure/errors.ts';
import { age, count, dollars, duration, uptime, when } from '../src/pure/format.ts';
import { readBalance, readHealth } from '../src/pure/health.ts';
import { factsOf, labelOf, promptOf, sidesOf, whyNotRun } from '../src/pure/job.ts';
import { PRESETS } from '../src/pure/presets.ts';
import { pictureOf, pngSize, zoom } from '../src/pure/picture.ts';
import { toQuery } from '../src/pure/query.ts';
import { same } from '../src/pure/same.ts';
import { check } from '../src/pure/validate.ts';

const job = (change: Record<string, unknown>): Job =>
  ({
    id: 'job-1',
    prompt: 'p',
    width: 64,
    height: 64,
    seed: null,
    status: 'success',
    result: null,
    error: null,
    startTime: null,
    endTime: null,
    duration: null,
    createdAt: 1,
    ...change,
  }) as Job;

test('there are five presets of 64×64, each with its own icon', () => {
  assert.deepEqual(
    PRESETS.map(({ name }) => name),
    ['Heroic knight', 'Cyberpunk mage', 'Pixel dragon', 'Warrior', 'Wizard'],
  );
  assert.deepEqual(
    PRESETS.map(({ short }) => short),
    ['Knight', 'Mage', 'Dragon', 'Warrior', 'Wizard'],
  );
  for (const { width, height, prompt } of PRESETS) {
    assert.deepEqual([width, height], [64, 64]);
    assert.ok('job' in check({ prompt, width: '64', height: '64', seed: '' }));
  }
  assert.equal(new Set(PRESETS.map((preset) => icon(preset.icon).path)).size, 5);
});

test('a draft becomes a job with numbers and a text seed', () => {
  assert.deepEqual(check({ prompt: '  a knight ', width: '16', height: '256', seed: ' 007 ' }), {
    job: { prompt: 'a knight', width: 16, height: 256, seed: '007' },
  });
  assert.deepEqual(check({ prompt: 'x', width: '64', height: '64', seed: '' }), {
    job: { prompt: 'x', width: 64, height: 64, seed: null },
  });
});

test('a wrong draft is refused field by field', () => {
  for (const [field, value] of [
    ['prompt', '   '],
    ['prompt', 'x'.repeat(2001)],
    ['width', '15'],
    ['width', '257'],
    ['width', '0'],
    ['width', '1e9'],
    ['width', ''],
    ['height', '64.5'],
    ['height', '-64'],
    ['seed', 'abc'],
    ['seed', '2147483648'],
    ['seed', '-1'],
  ] as const) {
    const found = check({ prompt: 'x', width: '64', height: '64', seed: '', [field]: value });
    assert.ok('errors' in found && Object.keys(found.errors).join() === field, `${field} ${value}`);
  }
});

test('both historic forms of a result give the picture, anything else none', () => {
  const png = 'data:image/png;base64,AAAA';
  assert.equal(pictureOf(job({ result: png })), png);
  assert.equal(pictureOf(job({ result: { status: 'success', image_data_url: 'blob:sha256-00' } })), 'blob:sha256-00');
  for (const result of [
    null,
    'text',
    'javascript:alert(1)',
    { image_data_url: null },
    { image_path: 'a.png' },
    7,
    [],
    'blob:http://x',
  ])
    assert.equal(pictureOf(job({ result })), null);
});

test('pictures are shown at whole zooms', () => {
  for (const [side, box, expected] of [
    [64, 256, 4],
    [100, 256, 2],
    [16, 256, 16],
    [256, 256, 1],
    [200, 256, 1],
    [257, 256, 1 / 2],
    [600, 256, 1 / 3],
    [64, 96, 1],
  ] as const)
    assert.equal(zoom(side, side, box), expected, `${side} in ${box}`);
  assert.equal(zoom(32, 128, 256), 2, 'the longer side decides');
  assert.equal(zoom(96, 96, 256, 2), 2, 'whole device ratios keep the whole zoom');
  const odd = zoom(64, 64, 256, 1.5);
  assert.ok(Number.isInteger(odd * 1.5) && odd * 64 <= 256, 'broken ratios: whole device pixels');
});

test('a PNG tells its size from its first bytes', () => {
  const head = Buffer.from('89504e470d0a1a0a0000000d49484452000000400000002008060000', 'hex').toString('base64');
  assert.deepEqual(pngSize(`data:image/png;base64,${head}AAAA`), { width: 64, height: 32 });
  for (const other of [
    'data:image/png;base64,AAAA',
    'data:image/svg+xml;base64,PHN2Zz4=',
    'blob:sha256-00',
    'data:image/png;base64,iVBORw0KGgo',
  ])
    assert.equal(pngSize(other), null);
});

test('queries: status, words, place, order', () => {
  const base = { place: 'jobs', words: '', status: 'all', sort: '-created' } as const;
  assert.deepEqual(toQuery(base, 0, 60), { sort: '-created', bin: false, offset: 0, limit: 60 });
  assert.equal(toQuery({ ...base, status: 'error', words: ' red knight' }, 0, 60).q, ' red knight status:error');
  assert.equal(toQuery({ ...base, status: 'active' }, 0, 60).q, 'status:queued,running');
  assert.equal(toQuery({ ...base, words: '"red kni' }, 0, 60).q, '"red kni"', 'a quote being typed is closed');
  const open = { ...base, words: String.raw`"say \"hi`, status: 'error' } as const;
  assert.equal(toQuery(open, 0, 60).q, String.raw`"say \"hi" status:error`);
  assert.equal(toQuery({ ...base, place: 'bin' }, 60, 60).bin, true);
});

test('failures are told in plain words', () => {
  for (const [error, title] of [
    ['401 Unauthorized', 'The API key was refused'],
    ['HTTP 402', 'No credit left'],
    ['429 Too Many Requests', 'Too many requests'],
    ['interrupted by a restart', 'Interrupted'],
    ['request timed out', 'Took too long'],
    ['422: ensure this value', 'The request was not accepted'],
    ['502 Bad Gateway', 'The service has a problem'],
    ['connection reset', 'The service could not be reached'],
    ['??', 'The run failed'],
  ] as const) {
    const said = explain(job({ status: 'error', error }));
    assert.deepEqual([said.title, said.raw], [title, error]);
  }
  assert.equal(explain(job({ error: null, result: { status: 'fail', error_message: 'boom' } })).raw, 'boom');
  assert.equal(explain(job({ error: null })).raw, '');
});

test('damaged and foreign records are shown, not trusted', () => {
  const odd = job({ id: 7, prompt: { a: 1 }, width: '64', height: undefined, seed: 12, duration: 'x', createdAt: 'y' });
  assert.equal(labelOf(odd), '7');
  assert.equal(promptOf(odd), '{"a":1}');
  assert.deepEqual(sidesOf(job({ width: 1e9, height: 0 })), { width: 64, height: 64 });
  assert.deepEqual(factsOf(odd), [{ name: 'Seed', value: '12' }]);
  assert.equal(labelOf(job({ id: undefined })), 'unnamed job');
});

test('a job in the queue of this server is not started twice; one ordered elsewhere may be', () => {
  const status = { serverId: 'here' } as Status;
  const row = (state: string, server: string | null): Row<Job> => ({
    key: 'k',
    job: job({ status: state }),
    inBin: false,
    keptByEdit: false,
    conflicts: [],
    run: { id: 'r', server },
  });
  assert.ok(whyNotRun(row('queued', 'here'), status));
  assert.ok(whyNotRun(row('running', null), status));
  assert.equal(whyNotRun(row('queued', 'elsewhere'), status), null);
  assert.equal(whyNotRun(row('success', 'here'), status), null);
});

test('health and balance are read with care', () => {
  assert.deepEqual(
    readHealth({
      uptime_seconds: 3,
      api_key_detected: true,
      max_parallel_jobs: 3,
      file: { state: 'missing', detail: 'gone' },
      documents: [{ id: 'x', name: 'a.json', jobs: 2 }],
    }),
    {
      uptimeSeconds: 3,
      apiKey: true,
      maxParallelJobs: 3,
      file: { state: 'missing', detail: 'gone' },
      documents: [{ id: 'x', name: 'a.json', jobs: 2 }],
    },
  );
  assert.deepEqual(readHealth('nonsense'), {
    uptimeSeconds: null,
    apiKey: null,
    maxParallelJobs: null,
    file: null,
    documents: [],
  });
  assert.deepEqual(readBalance({ status: 'ok', usd: 1.5, type: 'usd' }), { kind: 'ok', usd: 1.5 });
  assert.deepEqual(readBalance({ status: 'missing' }), { kind: 'missing' });
  assert.deepEqual(readBalance({ status: 'error', message: 'no' }), { kind: 'error', message: 'no' });
  assert.equal(readBalance({ status: 'ok' }).kind, 'error');
});

test('numbers and times as text', () => {
  assert.deepEqual(
    [
      count(1, 'job'),
      count(1204, 'job'),
      age(0, 59_999),
      age(0, 3_600_000),
      duration(0.04),
      duration(0.84),
      duration(125),
      duration(null),
      uptime(11_520),
      uptime(90_000),
      dollars(3.2),
      dollars(0.004),
      dollars(0),
    ],
    [
      '1 job',
      '1,204 jobs',
      '59 s',
      '1 h',
      '<0.1 s',
      '0.8 s',
      '2 min 5 s',
      null,
      '3 h 12 min',
      '1 d 1 h',
      '$3.20',
      '$0.0040',
      '$0.00',
    ],
  );
  assert.equal(when(0, 5), 'no date');
  assert.equal(when(1_000_000, 1_000_500), 'just now');
  assert.equal(when(Date.UTC(2025, 0, 2), Date.UTC(2026, 0, 2)), '2025-01-02');
});

test('equal rows are equal whatever the order of their fields', () => {
  assert.ok(same({ a: [1, { b: null }], c: 'x' }, { c: 'x', a: [1, { b: null }] }));
  for (const [a, b] of [
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [[1], [1, 2]],
    [{}, []],
    [null, {}],
    [{ a: undefined }, {}],
  ])
    assert.ok(!same(a, b));
});

test('bitmaps are traced row by row', () => {
  assert.deepEqual(trace(['##.#', '....']), { width: 4, height: 2, path: 'M0 0h2v1h-2zM3 0h1v1h-1z' });
  assert.equal(setText('10').height, 7);
  assert.equal(setText('PIXELLAB').height, 5);
  assert.ok(setText('10').width > setText('1').width);
});

test('the compass has eight directions and a middle', () => {
  assert.equal(new Set(DIRECTIONS.map(({ name }) => name)).size, 8);
  assert.ok(!DIRECTIONS.some(({ row, column }) => row === 1 && column === 1));
});
