/** What a program may do to rows, as edits and questions to the session of the moment. */
import type { FirstRows, RunOrder } from './protocol.js';
import { token } from './random.js';
import type { Session } from './session.js';
import type { Jobs, Row } from './types.js';
import type { Windows } from './windows.js';

export interface JobsHost {
  session(): Session;
  windows: Windows;
  first(): FirstRows | undefined;
}

/** The jobs API over `host`. */
export function jobsOf(host: JobsHost): Jobs<object> {
  const { session } = host;
  const keysEdit = async (type: 'remove' | 'restore' | 'purge', keys: string | string[]): Promise<void> => {
    const list = listOf(keys);
    if (list.length > 0) await session().edits.make({ type, keys: list });
  };
  return {
    async insert(record, options = {}) {
      const key = `k${token(21)}`;
      const order = options.run === true ? { order: orderAt(session()) } : {};
      const [row] = await session().edits.make({ type: 'insert', key, record, ...order });
      return row ?? (await expectRow(session(), key));
    },
    async change(key, set, unset = []) {
      await session().edits.make({ type: 'change', key, set, unset });
    },
    remove: (keys) => keysEdit('remove', keys),
    restore: (keys) => keysEdit('restore', keys),
    purge: (keys) => keysEdit('purge', keys),
    async run(keys) {
      const list = listOf(keys);
      if (list.length === 0) return;
      await session().edits.make({ type: 'run', keys: list, orders: list.map(() => orderAt(session())) });
    },
    async clear() {
      const keys = await session().link.ask({ type: 'keys' });
      await keysEdit('remove', keys);
      return { keys };
    },
    async get(key) {
      return (await session().link.ask({ type: 'get', key })) ?? undefined;
    },
    conflicts: (key) => session().link.ask({ type: 'conflicts', key }),
    async resolve(key, { field, values }, keep) {
      const value = 'side' in keep ? (keep.side.run ?? keep.side.value) : keep.value;
      await session().edits.make({ type: 'resolve', key, field, value, seen: values.map(({ op }) => op) });
    },
    query: (query = {}) => session().link.ask({ type: 'query', query }),
    subscribe: (query, listener, fault) => host.windows.add(query, listener, fault, host.first()),
  };
}

function listOf(keys: string | string[]): string[] {
  return typeof keys === 'string' ? [keys] : [...new Set(keys)];
}

/** An order for the server last synced with: only that one may carry it out. */
function orderAt(session: Session): RunOrder {
  const server = session.status().serverId;
  if (server === null) {
    throw new Error('No server is known yet, so nobody could run this. Connect to a server once; after that, runs can be ordered offline.');
  }
  return { runId: `r${token(21)}`, server };
}

async function expectRow(session: Session, key: string): Promise<Row<object>> {
  const row = await session.link.ask({ type: 'get', key });
  if (!row) throw new Error('The record was saved, and removed before it could be shown.');
  return row;
}
