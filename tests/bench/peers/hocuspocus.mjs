// Hocuspocus as it comes, without persistence.

import { Server } from '@hocuspocus/server';

import { ready } from './listen.mjs';

const server = new Server({ address: '127.0.0.1', port: 0, quiet: true });
await server.listen();
ready({ port: server.address.port, document: 'bench', packageName: '@hocuspocus/server' });
