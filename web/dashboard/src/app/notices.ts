/** Things people should know or decide, as banners above the list. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { FileNews, NoticeEvent } from '@plainsync/client';
import { importWords } from '../pure/news.ts';

export interface Banner {
  /** One banner for each id; a newer one replaces it. */
  readonly id: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly title: string;
  readonly text: string;
  readonly offers?: readonly Offer[];
  /** What tells it from an earlier one of the same words: dismissing that one does not dismiss this. */
  readonly about?: string;
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
  /** All that the server says of its file: how it is, what it offers, what was taken in. */
  news(news: FileNews): void;
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

const OFFER_TITLES: Record<string, string> = {
  'older-version': 'An older version of the file was put back',
  'start-fresh': 'The JSON file was deleted',
};

/** An import that is older than this when the page hears of it is no news, in ms. */
const NEWS_MS_MAX = 60_000;

const SERIOUS = new Set(['unparsable', 'not-written', 'read-only']);

const stateOf = (data: unknown): { state: string; detail: string | null } | null => {
  const it = (typeof data === 'object' && data !== null ? data : {}) as { state?: unknown; detail?: unknown };
  return typeof it.state === 'string'
    ? { state: it.state, detail: typeof it.detail === 'string' ? it.detail : null }
    : null;
};

/** `offersFor` gives the buttons that suit a state of the file. */
export function createNotices(
  offersFor: (state: string) => readonly Offer[] = () => [],
  now: () => number = Date.now,
): Notices {
  const list = signal<readonly Banner[]>([]);
  const dismissed = new Set<string>();
  const nameOf = ({ id, text, about = '' }: Banner) => `${id} ${about} ${text}`;
  const drop = (id: string) => {
    if (list.peek().some((banner) => banner.id === id)) list.value = list.peek().filter((banner) => banner.id !== id);
  };
  const dismiss = (id: string) => {
    const gone = list.peek().find((banner) => banner.id === id);
    if (gone) dismissed.add(nameOf(gone));
    drop(id);
  };
  const show = (banner: Banner) => {
    if (dismissed.has(nameOf(banner))) return; // Said once, and put away.
    const others = list.peek().filter((one) => one.id !== banner.id);
    list.value = banner.level === 'error' ? [banner, ...others] : [...others, banner];
  };
  const file: Notices['file'] = ({ state, detail }) => {
    if (state === 'ok') {
      drop('file');
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
  let heard: string | null = null;
  const news: Notices['news'] = ({ fileState, offer, lastImport }) => {
    file({ state: fileState.state, detail: fileState.detail ?? null });
    if (offer) {
      show({
        id: 'offer',
        level: 'warning',
        title: OFFER_TITLES[offer.kind] ?? 'The server has a question about its file',
        // A sentence begins with a capital, a file's name with its own letter.
        text: offer.detail.replace(/^\w(?=\w*\s)/, (first) => first.toUpperCase()).replace(/\.?$/, '.'),
        offers: offersFor(`offer-${offer.kind}`),
        about: `${offer.kind} ${(offer.heads ?? []).join(' ')}`,
      });
    } else drop('offer');
    if (!lastImport) return;
    const about = JSON.stringify(lastImport);
    const isNews = heard === null ? now() - lastImport.at * 1000 < NEWS_MS_MAX : about !== heard;
    heard = about;
    if (isNews)
      show({
        id: 'import',
        level: lastImport.report.conflicting > 0 ? 'warning' : 'info',
        title: 'Changes were taken in',
        text: importWords(lastImport),
        about,
      });
  };
  return {
    list,
    show,
    dismiss,
    file,
    news(said) {
      news(said);
      heard ??= '';
    },
    hear(notice) {
      const state = notice.code === 'file' ? stateOf(notice.data) : null;
      if (state) file(state);
      else show({ id: notice.code, level: notice.level, title: TITLES[notice.code], text: notice.message });
    },
  };
}
