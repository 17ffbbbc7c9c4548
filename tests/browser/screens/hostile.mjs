// Records that somebody wrote to have their text taken for markup, or their picture for a page.

import { sprite } from './sprite.mjs';

const RUN = "globalThis.ran=(globalThis.ran??0)+1";

/** Text that a page which is careless with it would take for markup. */
export const MARKUP = `<img src=x onerror="${RUN}">`;
export const SCRIPT_END = `</script><script>${RUN}</script>`;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" onload="${RUN}"><script>${RUN}</script><rect width="64" height="64" fill="red"/></svg>`;

const base64 = (bytes) => Buffer.from(bytes).toString('base64');
/** Right in its first bytes, cut after them. */
const CUT_PNG = sprite(64, 1).subarray(0, 60);

const job = (nth, fields) => ({
  id: `job-${nth}`,
  prompt: `hostile ${nth}`,
  width: 64,
  height: 64,
  seed: null,
  status: 'success',
  result: null,
  error: null,
  startTime: 1_700_000_000_000,
  endTime: 1_700_000_001_000,
  duration: 1,
  createdAt: 1_700_000_000_000 + nth,
  ...fields,
});

/** Each with what its card has to show as plain text. */
export const HOSTILE = [
  { job: job(1, { prompt: MARKUP, result: `data:image/svg+xml;base64,${base64(SVG)}` }), shows: MARKUP, picture: false },
  { job: job(2, { prompt: SCRIPT_END, result: `data:image/svg+xml,${encodeURIComponent(SVG)}` }), shows: SCRIPT_END, picture: false },
  { job: job(3, { result: { status: 'success', image_data_url: `data:image/png;base64,${base64(SVG)}` } }), shows: 'hostile 3', picture: false },
  { job: job(4, { result: `data:image/png;base64,${base64(CUT_PNG)}` }), shows: 'hostile 4', picture: false },
  { job: job(5, { result: `data:text/html,<script>${RUN}</script>` }), shows: 'hostile 5', picture: false },
  { job: job(6, { result: `javascript:${RUN}` }), shows: 'hostile 6', picture: false },
  { job: job(7, { status: 'error', error: `402 ${MARKUP}` }), shows: `402 ${MARKUP}`, picture: false },
  { job: job(8, { id: `job-8${MARKUP}`, seed: MARKUP, result: `data:image/png;base64,${base64(sprite(64, 2))}` }), shows: `job-8${MARKUP}`, picture: true },
  { job: job(9, { isRotation: true, rotationData: { sourceJobId: 'job-8', imageDataUrl: `javascript:${RUN}`, toDirection: MARKUP, fromDirection: SCRIPT_END } }), shows: MARKUP, picture: false },
];
