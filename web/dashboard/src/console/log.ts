/**
 * The leveled console log: `[14:03:22] [JOB] [SUCCESS] job-7 finished`.
 *
 * What is said is also kept, newest last, for `app.getState()` and for bug reports.
 */
import type { LogEvent } from '@plainsync/client';

export type Area = LogEvent['area'];
export type Level = LogEvent['level'];
export interface Line extends LogEvent {
  at: number;
}

/** Lines kept in memory. */
export const LOG_LINES_MAX = 500;

export type Sink = Pick<Console, 'info' | 'warn' | 'error' | 'debug'>;

const METHOD: Record<Level, keyof Sink> = {
  INFO: 'info',
  SUCCESS: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  DEBUG: 'debug',
};

export interface Log {
  (area: Area, level: Level, message: string, data?: unknown): void;
  readonly lines: readonly Line[];
}

export function createLog(sink: Sink = console, now: () => number = Date.now): Log {
  const lines: Line[] = [];
  const log = (area: Area, level: Level, message: string, data?: unknown) => {
    const at = now();
    lines.push({ at, area, level, message, ...(data === undefined ? {} : { data }) });
    if (lines.length > LOG_LINES_MAX) lines.splice(0, lines.length - LOG_LINES_MAX);
    const text = `[${new Date(at).toISOString().slice(11, 19)}] [${area}] [${level}] ${message}`;
    if (data === undefined) sink[METHOD[level]](text);
    else sink[METHOD[level]](text, data);
  };
  return Object.assign(log, { lines });
}
