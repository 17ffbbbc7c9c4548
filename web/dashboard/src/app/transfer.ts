/** Files in and out: import by drop, paste or choice; export as a download. */
import type { Client, Job } from '@plainsync/client';
import type { Log } from '../console/log.ts';
import { IMPORT_BYTES_MAX } from '../pure/limits.ts';
import { count } from '../pure/format.ts';
import type { Toasts } from './toasts.ts';

export interface Transfer {
  /** Takes in a history, an export or a dump; says in a toast what it did. Gives null, or why it failed. */
  importText(text: string, from: string): Promise<string | null>;
  importFile(file: File): Promise<string | null>;
  exportFile(): Promise<void>;
}

/** What an import did: `5 added, 2 changed, 993 already here`. */
export function importWords(did: { added: number; changed: number; ignored: number }): string {
  const parts = [
    did.added > 0 ? `${count(did.added, 'job')} added` : '',
    did.changed > 0 ? `${did.changed.toLocaleString('en')} changed` : '',
    did.ignored > 0 ? `${did.ignored.toLocaleString('en')} already here` : '',
  ];
  return parts.filter(Boolean).join(', ') || 'nothing new';
}

/** Whether pasted text looks like a history rather than a prompt. */
export const looksLikeJson = (text: string): boolean => /^\s*[[{]/.test(text) && /[\]}]\s*$/.test(text);

export function createTransfer(client: Client<Job>, toasts: Toasts, log: Log): Transfer {
  async function importText(text: string, from: string): Promise<string | null> {
    try {
      const did = await client.importText(text);
      log('SYSTEM', 'SUCCESS', `Imported ${from}: ${importWords(did)}`, did);
      toasts.show({ text: `Imported ${from}: ${importWords(did)}`, tone: 'good' });
      return null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log('SYSTEM', 'ERROR', `Not imported, ${from}: ${reason}`);
      toasts.show({ text: `Not imported, ${from}: ${reason}`, tone: 'bad', sticky: true });
      return reason;
    }
  }
  return {
    importText,
    async importFile(file) {
      if (file.size > IMPORT_BYTES_MAX) {
        const reason = `${file.name} has ${Math.ceil(file.size / 1e6)} MB; the page takes ${Math.floor(IMPORT_BYTES_MAX / 1e6)} MB. Use plainsync import.`;
        toasts.show({ text: reason, tone: 'bad', sticky: true });
        return reason;
      }
      return importText(await file.text(), file.name);
    },
    async exportFile() {
      try {
        const url = URL.createObjectURL(new Blob([await client.exportJson()], { type: 'application/json' }));
        const link = document.createElement('a');
        link.href = url;
        link.download = 'job_history.json';
        link.click();
        setTimeout(() => URL.revokeObjectURL(url), 60_000); // The download has begun by then.
        log('SYSTEM', 'SUCCESS', 'Exported job_history.json');
      } catch (error) {
        toasts.show({ text: `Not exported: ${error instanceof Error ? error.message : String(error)}`, tone: 'bad' });
      }
    },
  };
}
