/**
 * What the wasm package exports, for type checks without having built it. The package itself ships the
 * generated declarations.
 */
type Source = BufferSource | WebAssembly.Module | Response | string | URL;

export default function init(source?: { module_or_path: Source | Promise<Response> }): Promise<unknown>;
export function initSync(source: { module: BufferSource | WebAssembly.Module }): unknown;

/** The engine of one tab, in its worker. */
export class Tab {
  constructor(post: (json: string, bytes?: Uint8Array<ArrayBuffer>) => void);
  /** Takes one message of the page, as JSON; `text` is what was too large for it. */
  message(json: string, text?: string): void;
  /** Says a presence message to the others, now and to whoever comes. */
  say(data: Uint8Array): void;
  free(): void;
}

/** One document in memory. */
export class Engine {
  /** `document`: its id. `actor`: 32 hexadecimal digits. */
  constructor(document: string, actor: string);
  /** Takes changes in any order; throws what is wrong with them, and keeps none of them then. */
  applyChanges(changes: Uint8Array[]): void;
  /** Applies a stamped edit (JSON); returns the changes it made. */
  edit(json: string, now: number): Uint8Array[];
  exportJson(): string;
  /** Hexadecimal, sorted. */
  heads(): string[];
  /** Takes in a file's text; returns the report as JSON. */
  importText(text: string, now: number): string;
  /** All of it as one chunk. */
  save(): Uint8Array;
  free(): void;
}
