/** What a file brought, in words. */
import type { FileNews } from '@plainsync/client';

const FROM: Record<string, string> = {
  'what the file holds': 'From the file on disk',
  'a conflict copy': 'From a conflict copy beside the file',
  'a file that a crash left behind': 'From a file that a crash left behind',
  'an import': 'From an import at the server',
};

const COUNTED: readonly [keyof NonNullable<FileNews['lastImport']>['report'], string][] = [
  ['added', 'added'],
  ['changed', 'changed'],
  ['removed', 'moved to the bin'],
  ['restored', 'taken out of the bin'],
  ['conflicting', 'edited apart, to be looked at'],
  ['kept', 'kept because somebody edited them'],
];

/** `From the file on disk: 1 added, 2 changed.` */
export function importWords({ source, report }: NonNullable<FileNews['lastImport']>): string {
  const parts = COUNTED.map(([name, words]) => [report[name], words] as const)
    .filter(([count]) => typeof count === 'number' && count > 0)
    .map(([count, words]) => `${count.toLocaleString('en')} ${words}`);
  return `${FROM[source] ?? `From ${source}`}: ${parts.join(', ') || 'nothing new'}.`;
}
