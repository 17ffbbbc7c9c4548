import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { precache } from './build/precache.ts';
import { fakeServer } from './dev/fake/server.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * One page, one service worker. `--mode fake` swaps the client for the in-memory one in `dev/`,
 * for design work and screenshots; it is never part of a normal build.
 *
 * The server allows no inline script or style, hence no inlined assets and no preload polyfill.
 */
export default defineConfig(({ mode }) => ({
  root: here('.'),
  oxc: { jsx: { runtime: 'automatic' as const, importSource: 'preact' } },
  resolve: mode === 'fake' ? { alias: { '@plainsync/client': here('./dev/fake/index.ts') } } : {},
  optimizeDeps: { exclude: ['@plainsync/client'] },
  worker: { format: 'es' as const },
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: here('./index.html'), sw: here('./src/sw/sw.ts') },
      output: {
        entryFileNames: (chunk: { name: string }) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  plugins: [precache(here('./public')), ...(mode === 'fake' ? [fakeServer()] : [])],
}));
