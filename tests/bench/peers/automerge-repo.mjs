// automerge-repo's own server: a repo behind its WebSocket adapter that keeps its documents in
// the folder that is named as argument.

import { Repo } from '@automerge/automerge-repo';
import { WebSocketServerAdapter } from '@automerge/automerge-repo-network-websocket';
import { NodeFSStorageAdapter } from '@automerge/automerge-repo-storage-nodefs';

import { listen, ready } from './listen.mjs';

const { sockets, port } = await listen();
const repo = new Repo({
  network: [new WebSocketServerAdapter(sockets)],
  storage: new NodeFSStorageAdapter(process.argv[2]),
});
const handle = repo.create({ jobs: {} });
await repo.flush();
ready({ port, document: handle.documentId, packageName: '@automerge/automerge-repo' });
