// The engine of a page, held back.

/** Runs in the page from its very start: no worker starts, and so no wasm loads, until `startEngine()` is called. */
export function holdTheEngine() {
  const Real = globalThis.Worker;
  const held = new Set();
  globalThis.Worker = class {
    #real = null;
    #waiting = [];
    constructor(...how) {
      this.start = () => {
        this.#real = new Real(...how);
        this.#real.onmessage = (event) => this.onmessage?.(event);
        this.#real.onerror = (event) => this.onerror?.(event);
        for (const message of this.#waiting) this.#real.postMessage(...message);
        globalThis.engineStarted = true;
      };
      held.add(this);
    }
    postMessage(...message) {
      if (this.#real) this.#real.postMessage(...message);
      else this.#waiting.push(message);
    }
    terminate() {
      held.delete(this);
      this.#real?.terminate();
    }
  };
  globalThis.engineStarted = false;
  globalThis.startEngine = () => {
    globalThis.Worker = Real;
    for (const worker of held) worker.start();
  };
}
