/**
 * The engine without a browser: one document in memory, no storage, no network. For tools and for checking
 * that wasm and native agree; works in Node.
 *
 * ```js
 * import init, { Engine } from '@plainsync/client/engine';
 * await init({ module_or_path: readFileSync(new URL(import.meta.resolve('@plainsync/client/wasm'))) });
 * ```
 */
export { default, initSync, Engine } from '../wasm/plainsync_wasm.js';
