/** Tells when an element comes near the screen. One observer serves all elements. */

const MARGIN = '600px 0px';
const waiting = new WeakMap<Element, () => void>();
let observer: IntersectionObserver | undefined;

/** Calls `then` once when `element` is near the screen; returns the way to stop waiting. */
export function whenNear(element: Element, then: () => void): () => void {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        observer?.unobserve(entry.target);
        const call = waiting.get(entry.target);
        waiting.delete(entry.target);
        call?.();
      }
    },
    { rootMargin: MARGIN },
  );
  waiting.set(element, then);
  observer.observe(element);
  return () => {
    waiting.delete(element);
    observer?.unobserve(element);
  };
}
