// The relay that comes with y-websocket 2, without persistence: its own handling of a connection,
// listening on a free port.

import { setupWSConnection } from 'y-websocket/bin/utils';

import { listen, ready } from './listen.mjs';

const { sockets, port } = await listen();
sockets.on('connection', setupWSConnection);
ready({ port, path: 'bench', document: 'bench', packageName: 'y-websocket' });
