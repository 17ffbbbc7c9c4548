/** What one can decide about the server's JSON file, asked before it is done. */
import type { Log } from '../console/log.ts';
import type { Dialogs } from './dialogs.ts';
import type { Offer } from './notices.ts';
import type { FileAnswer } from './server.ts';
import type { Toasts } from './toasts.ts';

interface Parts {
  dialogs: Dialogs;
  toasts: Toasts;
  log: Log;
  /** Tells the server; rejects with its reason. */
  answer: (answer: FileAnswer) => Promise<void>;
  /** Asks whether to clear the list. */
  askClear: () => void;
}

/** Gives the buttons that suit each state of the file, and each `offer-…` that the server makes about it. */
export function createFileOffers({
  dialogs,
  toasts,
  log,
  answer,
  askClear,
}: Parts): (state: string) => readonly Offer[] {
  const tell = async (what: FileAnswer, done: string) => {
    try {
      await answer(what);
      log('SYSTEM', 'SUCCESS', done);
      toasts.show({ text: done, tone: 'good' });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log('SYSTEM', 'ERROR', `The file stays as it is: ${reason}`);
      toasts.show({ text: `The file stays as it is: ${reason}`, tone: 'bad' });
    }
  };
  const take = (label: string): Offer => ({
    label,
    run: () =>
      dialogs.show({
        kind: 'confirm',
        title: 'Take the file as it is?',
        body: 'The list becomes what the file says: jobs that are not in it move to the bin, from which they can be restored.',
        yes: 'Take it',
        danger: true,
        run: () => void tell('take', 'The file was taken as it is'),
      }),
  });
  const replace = (label: string): Offer => ({
    label,
    run: () =>
      dialogs.show({
        kind: 'confirm',
        title: 'Write the file anew?',
        body: 'What is in the file now is put into the archive beside it, and the file is written from the jobs shown here.',
        yes: 'Write it anew',
        danger: false,
        run: () => void tell('replace', 'The file was put into the archive and written anew'),
      }),
  });
  const goBack: Offer = {
    label: 'Return to it…',
    run: () =>
      dialogs.show({
        kind: 'confirm',
        title: 'Return to the older version?',
        body: 'The list becomes what that version says, as one more edit: what came since stays in the history.',
        yes: 'Return to it',
        danger: true,
        run: () => void tell('return', 'The list is what the older version says'),
      }),
  };
  const empty: Offer = {
    label: 'Start fresh…',
    run: () =>
      dialogs.show({
        kind: 'confirm',
        title: 'Start with an empty list?',
        body: 'All jobs move to the bin, from which they can be restored.',
        yes: 'Start fresh',
        danger: true,
        run: () => void tell('fresh', 'All jobs are in the bin'),
      }),
  };
  const dismiss: Offer = { label: 'Keep the jobs', run: () => void tell('dismiss', 'The jobs stay as they are') };
  const fresh: Offer = { label: 'Start fresh…', run: askClear };
  const offers: Record<string, readonly Offer[]> = {
    'unparsable': [replace('Write it anew')],
    'parked': [take('Take it as it is'), replace('Write it anew')],
    'awaiting-answer': [take('Take it as it is'), replace('Keep the jobs')],
    'missing': [fresh],
    'offer-older-version': [goBack, dismiss],
    'offer-start-fresh': [empty, dismiss],
  };
  return (state) => offers[state] ?? [];
}
