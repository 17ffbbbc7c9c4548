// Refuses to pack a package whose engine has not been built.
import { existsSync } from 'node:fs';

const needed = ['wasm/plainsync_wasm.js', 'wasm/plainsync_wasm_bg.wasm', 'wasm/plainsync_wasm.d.ts', 'dist/worker.js'];
const missing = needed.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)));
if (missing.length > 0) {
  console.error(`Not packed: ${missing.join(', ')} missing. Run \`cargo xtask build\` first.`);
  process.exit(1);
}
