/** Things people should know or decide, as banners above the list. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { NoticeEvent } from '@plainsync/client';

export interface Banner {
  /** One banner for each id; a newer one replaces it. */
  readonly id: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly title: string;
  readonly text: string;
  readonly offers?: readonly Offer[];
}

/** A button on a banner. */
export interface Offer {
  label: string;
  run: () => void;
}

export interface Notices {
  readonly list: ReadonlySignal<readonly Banner[]>;
  show(banner: Banner): void;
  dismiss(id: string): void;
  /** A notice from the client. */
  hear(notice: NoticeEvent): void;
  /** What the server says of the file, in its health. */
  file(file: { state: string; detail: string | null }): void;
}

const TITLES: Record<NoticeEvent['code'], string> = {
  'file': 'The JSON file needs a look',
  'storage-full': 'This browser’s fast storage is full',
  'degraded': 'Limited in this browser',
  'document-changed': 'The server now serves another list',
  'old-data': 'Jobs of the old dashboard were taken in',
  'worker-restarted': 'The engine was restarted',
};

const FILE_TITLES: Record<string, string> = {
  'unparsable': 'The JSON file cannot be read',
  'missing': 'The JSON file is gone',
  'parked': 'The JSON file is ahead of this server',
  'awaiting-answer': 'The JSON file would remove most jobs',
  'not-written': 'The JSON file cannot be written',
  'read-only': 'The server cannot save',
};

const FILE_WORDS: Record<string, string> = {
  'unparsable':
    'It is left as it is until it can be read again. Nothing is lost: the jobs here stay, and every edit is kept.',
  'missing': 'The jobs stay, and it is written again from them.',
  'parked': 'It is left as it is until the changes it builds on arrive.',
  'awaiting-answer': 'It is left as it is until somebody decides.',
  'not-written': 'Nothing is lost: every edit is in the server’s journal.',
  'read-only': 'Edits wait here, in this browser, until it can.',
};

const SERIOUS = new Set(['unparsable', 'not-written', 'read-only']);

const stateOf = (data: unknown): { state: string; detail: string | null } | null => {
  const it = (typeof data === 'object' && data !== null ? data : {}) as { state?: unknown; detail?: unknown };
  return typeof it.state === 'string'
    ? { state: it.state, detail: typeof it.detail === 'string' ? it.detail : null }
    : null;
};

/** `offersFor` gives the buttons that suit a state of the file. */
export function createNotices(offersFor: (state: string) => readonly Offer[] = () => []): Notices {
  const list = signal<readonly Banner[]>([]);
  const dismissed = new Set<string>();
  const dismiss = (id: string) => {
    const gone = list.peek().find((banner) => banner.id === id);
    if (gone) dismissed.add(`${id} ${gone.text}`);
    list.value = list.peek().filter((banner) => banner.id !== id);
  };
  const show = (banner: Banner) => {
    if (dismissed.has(`${banner.id} ${banner.text}`)) return; // Said once, and put away.
    const others = list.peek().filter((one) => one.id !== banner.id);
    list.value = [...others, banner];
  };
  const file: Notices['file'] = ({ state, detail }) => {
    if (state === 'ok') {
      list.value = list.peek().filter((banner) => banner.id !== 'file');
      return;
    }
    const words = FILE_WORDS[state] ?? 'The server keeps every edit meanwhile.';
    show({
      id: 'file',
      level: SERIOUS.has(state) ? 'error' : 'warning',
      title: FILE_TITLES[state] ?? `The JSON file: ${state}`,
      text: detail ? `${detail.replace(/\.?$/, '.')} ${words}` : words,
      offers: offersFor(state),
    });
  };
  return {
    list,
    show,
    dismiss,
    file,
    hear(notice) {
      const state = notice.code === 'file' ? stateOf(notice.data) : null;
      if (state) file(state);
      else show({ id: notice.code, level: notice.level, title: TITLES[notice.code], text: notice.message });
    },
  };
}
