// Opens a client as the address says and leaves it where a test can reach it.

import { open } from '/client/dist/index.js';

const asked = new URLSearchParams(location.search);
const options = { server: asked.get('server') ?? undefined };
if (asked.has('worker')) options.workerUrl = asked.get('worker');

globalThis.heard = { notice: [], error: [], change: [], log: [] };
globalThis.client = open(options);
globalThis.firstAtOpen = [...client.first];
for (const event of Object.keys(heard)) client.on(event, (payload) => heard[event].push(payload));
