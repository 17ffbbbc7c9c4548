/**
 * CBOR, as far as presence messages need it: what JSON can say, and bytes.
 *
 * `encode` refuses what has no such form; `decode` takes any bytes and either gives a value or throws a
 * {@link CborError}. Both stop at {@link CBOR_DEPTH_MAX} and {@link CBOR_VALUES_MAX}. Of a tagged value `decode` gives what
 * was tagged; a number beyond 2^53 comes as the nearest one.
 */

/** Deepest nesting that is written and read. */
export const CBOR_DEPTH_MAX = 32;
/** Most values in one message, names of members among them: each costs time, however few bytes it takes. */
export const CBOR_VALUES_MAX = 2_048;
/** Texts up to this length are written and read by hand, which is quicker as long as they are ASCII; in bytes. */
const SHORT_TEXT_BYTES = 32;

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

/** Why a value cannot be written, or bytes cannot be read. */
export class CborError extends Error {
  override name = 'CborError';
}

// The kinds of a value: the upper three bits of its first byte.
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const LIST = 4;
const MAP = 5;
const TAG = 6;

const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const UNDEFINED = 0xf7;
const DOUBLE = 0xfb;
const BREAK = 0xff;
/** The length of what ends with a `BREAK`. */
const OPEN_ENDED = 31;

/** The bytes of `value`. */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  out.value(value, 0);
  return out.bytes();
}

/** The value that `bytes` are; nothing may follow it. */
export function decode(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #values = 0;

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  value(value: unknown, depth: number): void {
    if (depth > CBOR_DEPTH_MAX) throw new CborError(`it is nested more than ${CBOR_DEPTH_MAX} deep, or contains itself`);
    if (++this.#values > CBOR_VALUES_MAX) throw new CborError(`it has more than ${CBOR_VALUES_MAX} values`);
    switch (typeof value) {
      case 'undefined':
        return this.#push(UNDEFINED);
      case 'boolean':
        return this.#push(value ? TRUE : FALSE);
      case 'number':
        return this.#number(value);
      case 'string':
        return this.#text(value);
      case 'object':
        return this.#object(value, depth);
      default:
        throw new CborError(`a ${typeof value} cannot be said`);
    }
  }

  #object(value: object | null, depth: number): void {
    if (value === null) return this.#push(NULL);
    if (value instanceof Uint8Array) {
      this.#head(BYTES, value.length);
      return this.#raw(value);
    }
    if (Array.isArray(value)) {
      this.#head(LIST, value.length);
      for (const item of value) this.value(item, depth + 1);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) {
      throw new CborError(`a ${value.constructor?.name ?? 'class'} cannot be said; plain objects can`);
    }
    const entries = Object.entries(value);
    this.#head(MAP, entries.length);
    for (const [key, item] of entries) {
      this.value(key, depth + 1);
      this.value(item, depth + 1);
    }
  }

  #text(text: string): void {
    if (text.length > SHORT_TEXT_BYTES || !isAscii(text)) {
      const bytes = utf8.encoder.encode(text);
      this.#head(TEXT, bytes.length);
      return this.#raw(bytes);
    }
    this.#head(TEXT, text.length);
    this.#room(text.length);
    for (let at = 0; at < text.length; at += 1) this.#bytes[this.#length++] = text.charCodeAt(at);
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      return value < 0 ? this.#head(NEGATIVE, -1 - value) : this.#head(UNSIGNED, value);
    }
    this.#push(DOUBLE);
    this.#room(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  /** A kind with its number: a length, or the integer itself. */
  #head(kind: number, value: number): void {
    this.#room(9);
    const first = kind << 5;
    if (value < 24) {
      this.#push(first | value);
    } else if (value < 0x100) {
      this.#push(first | 24);
      this.#push(value);
    } else if (value < 0x1_0000) {
      this.#push(first | 25);
      this.#view.setUint16(this.#length, value);
      this.#length += 2;
    } else if (value < 0x1_0000_0000) {
      this.#push(first | 26);
      this.#view.setUint32(this.#length, value);
      this.#length += 4;
    } else {
      this.#push(first | 27);
      this.#view.setBigUint64(this.#length, BigInt(value));
      this.#length += 8;
    }
  }

  #push(byte: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = byte;
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  end(): void {
    if (this.#at < this.#bytes.length) throw new CborError(`${this.#bytes.length - this.#at} bytes follow the value`);
  }

  value(depth: number): unknown {
    if (depth > CBOR_DEPTH_MAX) throw new CborError(`it is nested more than ${CBOR_DEPTH_MAX} deep`);
    if (++this.#values > CBOR_VALUES_MAX) throw new CborError(`it has more than ${CBOR_VALUES_MAX} values`);
    const first = this.#byte();
    const low = first & 31;
    switch (first >> 5) {
      case UNSIGNED:
        return this.#number(low);
      case NEGATIVE:
        return -1 - this.#number(low);
      case BYTES:
        return this.#part(this.#number(low)).slice();
      case TEXT:
        return this.#text(this.#number(low));
      case LIST: {
        const items: unknown[] = [];
        this.#each(low, () => items.push(this.value(depth + 1)));
        return items;
      }
      case MAP: {
        const entries: [string, unknown][] = [];
        this.#each(low, () => entries.push([this.#key(depth), this.value(depth + 1)]));
        return Object.fromEntries(entries); // Also a member `__proto__` is only a member.
      }
      case TAG:
        this.#number(low);
        return this.value(depth + 1);
      default:
        return this.#simple(first, low);
    }
  }

  #key(depth: number): string {
    const key = this.value(depth + 1);
    if (typeof key !== 'string' && typeof key !== 'number') throw new CborError('a member’s name is neither text nor number');
    return String(key);
  }

  #each(low: number, one: () => void): void {
    if (low === OPEN_ENDED) {
      while (this.#bytes[this.#at] !== BREAK) one();
      this.#at += 1;
      return;
    }
    // A length that lies ends with the bytes.
    for (let left = this.#number(low); left > 0; left -= 1) one();
  }

  #simple(first: number, low: number): unknown {
    switch (first) {
      case FALSE:
        return false;
      case TRUE:
        return true;
      case NULL:
        return null;
      case UNDEFINED:
        return undefined;
    }
    switch (low) {
      case 25:
        return half(this.#view.getUint16(this.#take(2)));
      case 26:
        return this.#view.getFloat32(this.#take(4));
      case 27:
        return this.#view.getFloat64(this.#take(8));
      default:
        throw new CborError(`${first} begins no value`);
    }
  }

  /** The number that follows a first byte whose lower bits are `low`. */
  #number(low: number): number {
    if (low < 24) return low;
    switch (low) {
      case 24:
        return this.#byte();
      case 25:
        return this.#view.getUint16(this.#take(2));
      case 26:
        return this.#view.getUint32(this.#take(4));
      case 27:
        return Number(this.#view.getBigUint64(this.#take(8)));
      default:
        throw new CborError('a length is missing');
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new CborError('it is cut off');
    return byte;
  }

  /** Passes over `length` bytes and returns where they begin. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new CborError('it is cut off');
    this.#at += length;
    return at;
  }

  #part(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #text(length: number): string {
    if (length > SHORT_TEXT_BYTES) return utf8.decoder.decode(this.#part(length));
    const end = this.#take(length) + length;
    let text = '';
    for (let at = end - length; at < end; at += 1) {
      const byte = this.#bytes[at] ?? 0;
      if (byte > 0x7f) return utf8.decoder.decode(this.#bytes.subarray(end - length, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** A number of 16 bits: one of sign, five of exponent, ten of fraction. */
function half(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
