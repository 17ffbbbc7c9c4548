/** Every number that bounds something in the dashboard. */

/** Smallest and largest side of a picture, in pixels. */
export const SIDE_PX_MIN = 16;
export const SIDE_PX_MAX = 256;
/** Side given to a new job unless somebody says otherwise, in pixels. */
export const SIDE_PX_DEFAULT = 64;
/** Longest prompt taken, in characters. */
export const PROMPT_CHARS_MAX = 2000;
/** Largest seed taken. */
export const SEED_MAX = 2_147_483_647;
/** The window of rows that is here begins and ends at multiples of this. */
export const WINDOW_STEP = 32;
/** Most rows here at once; the client gives at most 1,000. */
export const WINDOW_ROWS_MAX = 512;
/** Time between two looks at the server's health, in ms. */
export const DIAGNOSTICS_EVERY_MS = 60_000;
/** A health request that takes longer than this counts as no answer, in ms. */
export const DIAGNOSTICS_TIMEOUT_MS = 8_000;
/** How long a toast stays, in ms. */
export const TOAST_MS = 8_000;
/** Most toasts shown together. */
export const TOASTS_MAX = 3;
/** Side of the square a card shows its picture in, in CSS pixels: the largest picture fits at 1×. */
export const STAGE_PX = SIDE_PX_MAX;
/** How many jobs may run together, unless the server says otherwise. */
export const PARALLEL_JOBS_DEFAULT = 3;
/** Rows read at a time where all are needed. */
export const ALL_ROWS_STEP = 500;
/** Largest file taken for an import, in bytes. */
export const IMPORT_BYTES_MAX = 64 * 1024 * 1024;
