/** Numbers and times as short text. Times are ms since the Unix epoch. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `1 job`, `3 jobs`, `1,204 jobs`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}

/** How long ago `then` was, in its largest unit: `12 s`, `4 min`, `3 h`, `2 d`. */
export function age(then: number, now: number): string {
  const ms = Math.max(0, now - then);
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** When a job was made: `just now`, `4 min ago`, or the date once it is older than a week. */
export function when(then: number, now: number): string {
  if (!Number.isFinite(then) || then <= 0) return 'no date';
  if (now - then < 10 * SECOND) return 'just now';
  if (now - then < 7 * DAY) return `${age(then, now)} ago`;
  return new Date(then).toISOString().slice(0, 10);
}

/** A moment as a date and a time, in the reader's own zone and words. */
export function moment(at: number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

/** A run's duration in seconds: `<0.1 s`, `0.8 s`, `12 s`, `2 min 5 s`. */
export function duration(seconds: number | null | undefined): string | null {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0) return null;
  if (seconds < 0.1) return '<0.1 s';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** How long a server is up: `42 s`, `7 min`, `3 h 12 min`, `2 d 4 h`. */
export function uptime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 1) return `${minutes} min`;
  const days = Math.floor(hours / 24);
  return days < 1 ? `${hours} h ${minutes % 60} min` : `${days} d ${hours % 24} h`;
}

/** US dollars: `$3.20`, and `$0.004` where cents would say nothing. */
export function dollars(usd: number): string {
  return `$${usd !== 0 && Math.abs(usd) < 0.1 ? usd.toFixed(4) : usd.toFixed(2)}`;
}
