/**
 * The worker's script: loads wasm and passes messages. Everything else is in the engine.
 *
 * Anything that throws here leaves the engine in an unknown state (a trap in wasm poisons its memory), so the
 * page is told to throw this worker away.
 */
import init, { Tab } from '../wasm/plainsync_wasm.js';
import type { Parcel, ToWorker } from './protocol.js';

/** The part of a dedicated worker's scope that is used (the DOM's own types describe a window). */
interface WorkerScope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'error' | 'unhandledrejection', listener: (event: Event) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
let tab: Tab | undefined;
let early: ToWorker[] | undefined = [];

function post(json: string, bytes?: Uint8Array<ArrayBuffer>): void {
  const parcel: Parcel = bytes ? { json, bytes } : { json };
  scope.postMessage(parcel, bytes ? [bytes.buffer] : []);
}

function die(reason: unknown): void {
  scope.onmessage = null;
  tab = undefined;
  post(JSON.stringify({ type: 'dead', message: reason instanceof Error ? reason.message : String(reason) }));
}

function hand(message: ToWorker): void {
  try {
    // Text that may be megabytes goes beside the JSON rather than through it.
    if (message.type === 'call' && message.ask.type === 'import') {
      const { text, ...ask } = message.ask;
      tab?.message(JSON.stringify({ ...message, ask: { ...ask, text: '' } }), text);
    } else if (message.type === 'presence') {
      tab?.say(message.bytes);
    } else {
      tab?.message(JSON.stringify(message));
    }
  } catch (error) {
    die(error);
  }
}

async function load(wasmUrl: string | null): Promise<void> {
  await init(wasmUrl === null ? undefined : { module_or_path: wasmUrl });
  tab = new Tab(post);
  const waiting = early ?? [];
  early = undefined;
  for (const message of waiting) hand(message);
}

scope.onmessage = ({ data }: MessageEvent) => {
  const message = data as ToWorker;
  if (early?.length === 0 && 'wasmUrl' in message) load(message.wasmUrl).catch(die);
  if (early) early.push(message);
  else hand(message);
};
scope.addEventListener('error', (event) => die((event as ErrorEvent).message));
scope.addEventListener('unhandledrejection', (event) => die((event as PromiseRejectionEvent).reason));
