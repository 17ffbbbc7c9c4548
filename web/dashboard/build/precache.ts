import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Written in `sw.ts`; replaced here by what the build emitted. */
const PLACEHOLDER = '__PRECACHE__';
/** Written in `sw.ts`; replaced here by a hash over everything listed. */
const VERSION = '__VERSION__';

/**
 * Gives the service worker its list: every file of this build, the page under `/`.
 *
 * The version is a hash over names and contents, so a worker whose list is the same is the same
 * worker, byte for byte, and browsers do not reinstall it.
 */
export function precache(publicFolder: string): Plugin {
  return {
    name: 'plainsync-precache',
    enforce: 'post',
    apply: 'build',
    transformIndexHtml(html) {
      // The first paint waits for the script, and so already shows the cached cards in the right theme.
      return html.replace('<script type="module"', '<script type="module" blocking="render"');
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const files = new Map<string, string | Uint8Array>();
        for (const [name, item] of Object.entries(bundle)) {
          if (name === 'sw.js' || name.endsWith('.map')) continue;
          files.set(name === 'index.html' ? '/' : `/${name}`, item.type === 'chunk' ? item.code : item.source);
        }
        for (const name of readdirSync(publicFolder)) files.set(`/${name}`, readFileSync(join(publicFolder, name)));
        const urls = [...files.keys()].sort();
        const hash = createHash('sha256');
        for (const url of urls)
          hash
            .update(url)
            .update('\0')
            .update(files.get(url) ?? '')
            .update('\0');
        const worker = bundle['sw.js'];
        if (worker?.type !== 'chunk') throw new Error('the build has no sw.js');
        if (worker.imports.length > 0)
          throw new Error(`sw.js must stand alone; it imports ${worker.imports.join(', ')}`);
        const list = worker.code.match(/(["'`])__PRECACHE__\1/g)?.length ?? 0;
        if (list !== 1) throw new Error(`sw.js names ${PLACEHOLDER} ${list} times; once is right`);
        worker.code = worker.code
          .replace(/(["'`])__PRECACHE__\1/, JSON.stringify(JSON.stringify(urls)))
          .replace(VERSION, hash.digest('hex').slice(0, 16));
      },
    },
  };
}
