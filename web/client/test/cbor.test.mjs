// CBOR as presence messages have it, held against a library and against bytes that are none.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as cborg from 'cborg';

import { CBOR_DEPTH_MAX, CBOR_VALUES_MAX, CborError, decode, encode } from '../dist/cbor.js';

const VALUES = [
  null,
  true,
  false,
  '',
  'größer 🐉',
  'x'.repeat(70_000),
  [],
  {},
  [1, [2, [3]], { a: [] }],
  { __presence: { type: 'update', channel: 'job', value: { at: [1.5, -0.25], keys: ['a', 'b'] } } },
  { ['__proto__']: { polluted: true }, constructor: 1 },
  new Uint8Array([0, 1, 255]),
  ...[0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER].flatMap((n) => [n, -1 - n].filter(Number.isSafeInteger)),
  ...[0.1, -1e300, 5e-324, Infinity, -Infinity, NaN, 2 ** 70],
];

const hex = (text) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const nested = (depth) => (depth === 0 ? 0 : [nested(depth - 1)]);

test('b9_what_we_write_a_library_reads_and_we_read_what_it_writes', () => {
  for (const value of VALUES) {
    assert.deepEqual(decode(encode(value)), value);
    assert.deepEqual(decode(cborg.encode(value)), value);
    // Without an option for it the library lets no member be called so.
    if (!Object.hasOwn(Object(value), '__proto__')) assert.deepEqual(cborg.decode(encode(value)), value);
  }
  assert.ok(Object.is(decode(encode(-0)), -0), 'the library loses this sign');
  assert.equal({}.polluted, undefined);
});

test('b9_other_ways_to_write_a_value_are_read', () => {
  for (const [bytes, value] of [
    ['b9 0002 61 61 01 61 62 f7', { a: 1, b: undefined }], // A length longer than it must be, as cbor-x writes it.
    ['bf 61 61 9f 01 ff ff', { a: [1] }], // Of no length told before.
    ['a1 01 02', { 1: 2 }],
    ['c1 fb 41 d4 fe 08 e3 80 00 00', 1_408_770_958], // A tagged one: a date.
    ['1b ff ff ff ff ff ff ff ff', 2 ** 64],
    ['f9 3c 00', 1],
    ['f9 00 01', 2 ** -24],
    ['f9 fc 00', -Infinity],
    ['f9 7e 00', NaN],
    ['fa 47 c3 50 00', 100_000],
    ['62 c3 28', '\ufffd('], // No UTF-8.
  ]) {
    assert.deepEqual(decode(hex(bytes)), value, bytes);
  }
});

test('b9_bytes_that_are_no_value_are_refused_and_nothing_else_happens', () => {
  const deep = new Uint8Array(200_000).fill(0x81);
  const many = new Uint8Array(200_000).fill(0x80);
  many[0] = 0x9f;
  const refused = ['', '18', '61', '63 61', '82 01', 'a1 01', '9f 01', '9b ff ff ff ff ff ff ff ff', '5b 00 00 00 01 00 00 00 00', '1c', 'ff', 'f8 20', 'fc', '01 01', 'a1 80 01', '7f 61 61 ff', 'c1'];
  for (const bytes of [...refused.map(hex), deep, many]) assert.throws(() => decode(bytes), CborError);
  // Any bytes: a value or this error. The same ones in each run.
  let seed = 4_417;
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  let values = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Uint8Array.from({ length: 1 + random() * 40 }, () => random() * 256);
    try {
      encode(decode(bytes));
      values += 1;
    } catch (error) {
      assert.ok(error instanceof CborError, `${Buffer.from(bytes).toString('hex')}: ${error}`);
    }
  }
  assert.ok(values > 100, `${values} were values`);
});

test('b9_what_has_no_form_is_refused_with_its_reason', () => {
  const round = {};
  round.round = round;
  for (const [value, reason] of [
    [round, /contains itself/],
    [nested(CBOR_DEPTH_MAX + 1), /deep/],
    [Array(CBOR_VALUES_MAX).fill(0), /more than 2048 values/],
    [{ run() {} }, /function/],
    [1n, /bigint/],
    [Symbol('it'), /symbol/],
    [new Map(), /Map/],
    [[new Date()], /Date/],
  ]) {
    assert.throws(() => encode(value), (error) => error instanceof CborError && reason.test(error.message));
  }
  for (const value of [nested(CBOR_DEPTH_MAX), Array(CBOR_VALUES_MAX - 1).fill(0)]) assert.deepEqual(decode(encode(value)), value);
});
