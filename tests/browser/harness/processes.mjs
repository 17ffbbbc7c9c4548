// Processes that a test started. Each ends with its test; whatever is left ends with this process.

/** @type {Set<number>} Ids of running processes; negative ones are groups, as `process.kill` takes them. */
const running = new Set();

process.on('exit', () => running.forEach((id) => kill(id, 'SIGKILL')));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => process.exit(1));
}

/** Sees to it that the process or group `id` does not outlive this one. */
export function remember(id) {
  running.add(id);
}

/** Says that `id` has ended: its number may be somebody else's soon. */
export function forget(id) {
  running.delete(id);
}

/** Sends `signal`; a process that is gone already is no error. */
export function kill(id, signal) {
  try {
    process.kill(id, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Whether the process or group `id` is there. */
export function isAlive(id) {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
