/**
 * The worker as the page sees it: messages out, messages in, questions with answers, and a new worker when
 * one dies.
 *
 * A dead worker (a trap in wasm, a script that did not load) is thrown away; the next one starts from storage
 * with the same `open` message, subscriptions, presence and unanswered questions. A question that was being answered
 * when two workers died is given up, so that it cannot kill them all. Edits are not kept here: whoever holds
 * them is told by `restarted` and posts them again.
 */
import type { WorkerLike } from './env.js';
import type { Answers, Ask, FromWorker, Parcel, ToWorker } from './protocol.js';
import type { Query, Stretch } from './types.js';

/** Waits before the next worker, in ms; the last one repeats. */
const RESTART_MS = [0, 500, 2_000, 10_000, 30_000];
/** A worker that lived this long dies of something new: waiting starts over. */
const HEALTHY_MS = 60_000;
/** Questions asked at most this often. */
const ASKED_MAX = 2;

export interface LinkHandlers {
  /** The first message for each worker: made anew each time, storage has changed meanwhile. */
  open(): ToWorker & { type: 'open' | 'recall' };
  message(message: FromWorker): void;
  /** A worker died and its successor has been sent `open`; `hadLoaded`: it had said `ready`. */
  restarted(reason: string, hadLoaded: boolean): void;
}

interface Question {
  ask: Ask;
  asked: number;
  resolve(value: unknown, bytes: Uint8Array<ArrayBuffer> | undefined): void;
  reject(error: Error): void;
}

export class Link {
  readonly #make: () => WorkerLike;
  readonly #handlers: LinkHandlers;
  readonly #questions = new Map<number, Question>();
  readonly #subscriptions = new Map<number, Query>();
  #said: Uint8Array<ArrayBuffer> | null = null;
  #worker: WorkerLike | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next = 1;
  #deaths = 0;
  #born = 0;
  #loaded = false;
  /** The worker knows which document: before that it can answer nothing. */
  #opened = false;
  #closed = false;

  constructor(make: () => WorkerLike, handlers: LinkHandlers) {
    this.#make = make;
    this.#handlers = handlers;
  }

  /** Starts the first worker. */
  start(): void {
    if (!this.#worker) this.#spawn();
  }

  /** Tells the worker which document, now that it is known; all that was asked before follows. */
  open(): void {
    if (!this.#worker) this.#spawn();
    else if (!this.#opened) this.#begin(this.#worker, this.#handlers.open());
  }

  /** Posts one message. Before the document is known it goes nowhere: what matters is posted again then. */
  post(message: ToWorker): void {
    if (this.#opened) this.#worker?.postMessage(message);
  }

  /** Asks one question. */
  ask<A extends Ask>(ask: A): Promise<Answers[A['type']]> {
    return this.askWithBytes(ask).then(({ value }) => value);
  }

  /** Asks one question whose answer may come with bytes. */
  askWithBytes<A extends Ask>(
    ask: A,
  ): Promise<{ value: Answers[A['type']]; bytes: Uint8Array<ArrayBuffer> | undefined }> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('This client is closed.'));
      const call = this.#next++;
      this.#questions.set(call, {
        ask,
        asked: 1,
        resolve: (value, bytes) => resolve({ value: value as Answers[A['type']], bytes }),
        reject,
      });
      this.post({ type: 'call', call, ask });
    });
  }

  /** Keeps a window; `page` messages carry the number that is returned. A worker to come is given `query` as it is then. */
  subscribe(query: Query): number {
    const sub = this.#next++;
    this.#subscriptions.set(sub, query);
    this.post({ type: 'subscribe', sub, query });
    return sub;
  }

  /** Shows other rows in a window; the query that was given to `subscribe` has been changed likewise. */
  move(sub: number, stretch: Stretch): void {
    this.post({ type: 'move', sub, ...stretch });
  }

  /** Has the worker, and its successors, say a presence message until there is another one. */
  say(bytes: Uint8Array<ArrayBuffer>): void {
    this.#said = bytes;
    this.post({ type: 'presence', bytes });
  }

  unsubscribe(sub: number): void {
    this.#subscriptions.delete(sub);
    this.post({ type: 'unsubscribe', sub });
  }

  /** Ends the worker at once and fails what is unanswered. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#discard();
    for (const { reject } of this.#questions.values()) reject(new Error('This client is closed.'));
    this.#questions.clear();
    this.#subscriptions.clear();
  }

  #spawn(): void {
    this.#born = Date.now();
    this.#loaded = false;
    const worker = this.#make();
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent) => this.#worker === worker && this.#received(event.data as Parcel);
    worker.onerror = (event: ErrorEvent) => {
      if (this.#worker === worker) this.#died(event.message || 'The worker script did not load.');
    };
    this.#begin(worker, this.#handlers.open());
  }

  #begin(worker: WorkerLike, first: ToWorker): void {
    worker.postMessage(first);
    this.#opened = first.type === 'open';
    if (!this.#opened) return;
    if (this.#said) worker.postMessage({ type: 'presence', bytes: this.#said });
    for (const [sub, query] of this.#subscriptions) worker.postMessage({ type: 'subscribe', sub, query });
    for (const [call, { ask }] of this.#questions) worker.postMessage({ type: 'call', call, ask });
  }

  #received(parcel: Parcel): void {
    const message = JSON.parse(parcel.json) as FromWorker;
    switch (message.type) {
      case 'dead':
        return this.#died(message.message);
      case 'answer':
        this.#settle(message.call, (question) => question.resolve(message.value, parcel.bytes));
        return;
      case 'failed':
        this.#settle(message.call, (question) => question.reject(new Error(message.message)));
        return;
      case 'presence':
        return this.#handlers.message({ ...message, bytes: parcel.bytes ?? new Uint8Array() });
      default:
        if (message.type === 'ready') this.#loaded = true;
        this.#handlers.message(message);
    }
  }

  #settle(call: number, how: (question: Question) => void): void {
    const question = this.#questions.get(call);
    this.#questions.delete(call);
    if (question) how(question);
  }

  #died(reason: string): void {
    this.#discard();
    if (this.#closed) return;
    this.#deaths = Date.now() - this.#born > HEALTHY_MS ? 1 : this.#deaths + 1;
    for (const [call, question] of [...this.#questions]) {
      question.asked += 1;
      if (question.asked > ASKED_MAX) {
        this.#settle(call, ({ reject }) => reject(new Error(`The engine failed on this request: ${reason}`)));
      }
    }
    const wait = RESTART_MS[Math.min(this.#deaths - 1, RESTART_MS.length - 1)] ?? 0;
    const hadLoaded = this.#loaded;
    this.#timer = setTimeout(() => {
      this.#spawn();
      this.#handlers.restarted(reason, hadLoaded);
    }, wait);
  }

  #discard(): void {
    if (!this.#worker) return;
    this.#worker.onmessage = null;
    this.#worker.onerror = null;
    this.#worker.terminate();
    this.#worker = null;
  }
}
