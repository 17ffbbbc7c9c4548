/**
 * Everything the page is made of, put together once around a client.
 *
 * Elements show what is here; they hold nothing themselves.
 */
import { effect, signal, untracked } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Client, Job, Readable, Row } from '@plainsync/client';
import { createBus, jobOf } from '../console/bus.ts';
import type { Bus } from '../console/bus.ts';
import { createLog } from '../console/log.ts';
import type { Log } from '../console/log.ts';
import type { Shown } from '../pure/query.ts';
import { createActions } from './actions.ts';
import { createClock } from './clock.ts';
import { createComposer } from './composer.ts';
import { createConfig } from './config.ts';
import { createDiagnostics } from './diagnostics.ts';
import { clearQuestion, createDialogs } from './dialogs.ts';
import { createFileOffers } from './file.ts';
import { createGrid } from './grid.ts';
import { createImages } from './images.ts';
import { createList } from './list.ts';
import { createMirror } from './mirror.ts';
import { createNotices } from './notices.ts';
import { answerFile, needsToken, setParallel, signIn } from './server.ts';
import { createToasts } from './toasts.ts';
import { createTransfer } from './transfer.ts';
import { createView } from './view.ts';

/** What the surroundings give: everything that a unit test wants to replace. */
export interface Surroundings {
  fetch: (url: string, init?: RequestInit) => Promise<Response>;
  storage: Storage | undefined;
  root: { dataset: DOMStringMap } | undefined;
  /** What is shown first. */
  shown: Shown;
  log?: Log;
}

function watch<V>(source: Readable<V>): ReadonlySignal<V> {
  const value = signal(source.get());
  source.subscribe((next) => {
    value.value = next;
  });
  return value;
}

export function createApp(client: Client<Job>, around: Surroundings) {
  const log = around.log ?? createLog();
  const bus: Bus = createBus((event, error) => log('SYSTEM', 'ERROR', `A listener of ${event} failed`, error));
  const toasts = createToasts();
  const dialogs = createDialogs();
  const actions = createActions(client, toasts, log, bus);
  const askClear = () => dialogs.show(clearQuestion(client.stats.get().total, () => void actions.clear()));
  const notices = createNotices(
    createFileOffers({
      dialogs,
      toasts,
      log,
      askClear,
      async answer(answer) {
        const { health } = await diagnostics.refresh();
        const id = health?.documents[0]?.id;
        if (!id) throw new Error('the server is out of reach');
        await answerFile(around.fetch, id, answer);
        await diagnostics.refresh();
      },
    }),
  );
  const view = createView(around.shown);
  const list = createList(client, view.shown);
  const grid = createGrid();
  effect(() => {
    // Another question is looked at from its top.
    void view.shown.value;
    if (grid.first.peek() > 0) grid.go(0);
  });
  const images = createImages(client);
  const mirror = createMirror(client);
  const status = watch(client.status);
  const stats = watch(client.stats);
  const config = createConfig(around.storage, around.root, (value) => {
    log('SYSTEM', 'INFO', 'Settings changed', value);
    bus.emit('config:updated', value);
  });
  const diagnostics = createDiagnostics(around.fetch, (value) => {
    if (value.health?.maxParallelJobs) config.set({ maxParallelJobs: value.health.maxParallelJobs });
    if (value.server === 'ok' && value.health?.file) notices.file(value.health.file);
    log(
      'API',
      value.server === 'ok' ? 'DEBUG' : 'WARNING',
      value.server === 'ok' ? 'Server is healthy' : `Server does not answer: ${value.reason}`,
    );
    bus.emit('diagnostics:updated', value);
  });
  const ready = signal(false);
  /** What a screen reader is told; only things that somebody waits for. */
  const said = signal('');

  const finished = (row: Row<Job>) => {
    const { id, status: now } = row.job;
    if (now === 'success') said.value = `${id} is finished`;
    if (now === 'error') said.value = `${id} failed`;
  };
  client.on('log', ({ area, level, message, data }) => log(area, level, message, data));
  client.on('error', ({ code, message, fatal }) => {
    log('SYSTEM', 'ERROR', `${code}: ${message}`);
    toasts.show({ text: message, tone: 'bad', sticky: fatal });
  });
  client.on('notice', (notice) => notices.hear(notice));
  client.file.subscribe((news) => {
    if (news) notices.news(news);
  });
  client.on('change', (change) => {
    mirror.hear(change);
    list.hear(change);
    for (const row of change.added) bus.emit('job:added', jobOf(row));
    for (const row of change.updated) bus.emit('job:updated', jobOf(row));
    for (const row of change.removed) bus.emit('job:removed', jobOf(row));
    change.updated.forEach(finished);
  });
  client.stats.subscribe((value) => bus.emit('stats:updated', value));
  void client.ready.then(() => {
    ready.value = true;
  });
  let wasOnline = false;
  effect(() => {
    const online = status.value.connection === 'online';
    if (online === wasOnline) return;
    wasOnline = online;
    untracked(() => {
      if (online) images.retryAbsent();
      if (diagnostics.value.peek().checkedAt !== null) void diagnostics.refresh(); // It came or went: see how it is.
    });
  });

  async function setMaxParallelJobs(n: number): Promise<number> {
    try {
      config.set({ maxParallelJobs: await setParallel(around.fetch, n) });
    } catch (error) {
      log(
        'QUEUE',
        'WARNING',
        `Still ${config.value.peek().maxParallelJobs} jobs together: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return config.value.peek().maxParallelJobs;
  }

  /** The server wants its token: the page asks for it. */
  const locked = signal(false);
  effect(() => {
    if (status.value.connection === 'refused') void needsToken(around.fetch).then((needed) => (locked.value = needed));
    else if (status.value.connection === 'online') locked.value = false;
  });

  return {
    setMaxParallelJobs,
    locked,
    signIn: (token: string) => signIn(around.fetch, token),
    dialogs,
    actions,
    askClear,
    client,
    log,
    bus,
    toasts,
    notices,
    view,
    images,
    mirror,
    status,
    stats,
    config,
    diagnostics,
    ready,
    said,
    list,
    grid,
    clock: createClock(),
    composer: createComposer(),
    transfer: createTransfer(client, toasts, log),
  };
}
export type App = ReturnType<typeof createApp>;
