/**
 * Which part of a long list is on screen, by @tanstack/virtual-core: rows of equal height that scroll with the page.
 *
 * **Invariant:** the element is as high as all rows together, so that the scrollbar is that of the whole list.
 */
import { Virtualizer, observeWindowOffset, observeWindowRect, windowScroll } from '@tanstack/virtual-core';
import type { VirtualizerOptions } from '@tanstack/virtual-core';
import { useCallback, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';

/** Rows drawn beyond either edge of the screen. */
const OVERSCAN_ROWS = 2;
/** What the header covers of the screen, with a little air, in CSS pixels. */
const HEADER_PX = 72;

export interface Lanes {
  /** For the element that holds the items. */
  ref(element: HTMLElement | null): void;
  /** Items beside each other. */
  columns: number;
  /** The first row drawn, and the first after those that are drawn. */
  from: number;
  to: number;
  /** How high an item is, in CSS pixels, once one has been measured: all are made as high. */
  high: number | null;
  /** Heights, in CSS pixels: of one row, of all before the first drawn one, of all together. */
  row: number;
  above: number;
  all: number;
  /** The first row that is not scrolled away. */
  top: number;
  /** Scrolls until a row is on screen: at its top if it was far away or `atTop`, else as little as needed. */
  scrollTo(row: number, atTop: boolean): void;
}

/** How many columns of at least `least` pixels fit, with `gap` between them. */
function columnsIn(width: number, least: number, gap: number): number {
  return Math.max(1, Math.floor((width + gap) / (least + gap)));
}

/**
 * `count` items in as many columns as fit, each at least `least` pixels wide; `0` is one column. The height of a row,
 * gap included, is `estimate` until an item has been measured, the first that is no skeleton: only once, because places that
 * depend on what is drawn there, and what is drawn on places, would never come to rest.
 */
export function useLanes(count: number, least: number, gap: number, estimate: number): Lanes {
  const element = useRef<HTMLElement | null>(null);
  const ref = useCallback((now: HTMLElement | null) => {
    element.current = now;
  }, []);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [{ columns, high, margin }, setPlace] = useState({ columns: 1, high: null as number | null, margin: 0 });
  const row = high === null ? estimate : high + gap;
  const rows = Math.ceil(count / columns);
  const options: VirtualizerOptions<Window, HTMLElement> = {
    count: rows,
    getScrollElement: () => window,
    estimateSize: () => row,
    overscan: OVERSCAN_ROWS,
    scrollMargin: margin,
    scrollPaddingStart: HEADER_PX,
    initialOffset: () => window.scrollY,
    initialRect: { width: window.innerWidth, height: window.innerHeight }, // A screenful is drawn at once.
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    onChange: () => redraw(undefined as never),
  };
  const [virtual] = useState(() => new Virtualizer(options));
  virtual.setOptions(options);

  /** Looks how wide the list is, where it begins and how high an item is. */
  function measure(): void {
    const list = element.current;
    if (!list) return;
    const style = getComputedStyle(list);
    const inner = list.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const item = high === null ? list.querySelector<HTMLElement>('[data-place]:not(.skeleton)') : null;
    const now = {
      columns: least > 0 ? columnsIn(inner, least, gap) : 1,
      high: item ? item.offsetHeight : high,
      margin: Math.round(list.getBoundingClientRect().top + window.scrollY),
    };
    if (now.columns !== columns || now.high !== high || now.margin !== margin) setPlace(now);
  }

  useLayoutEffect(() => virtual._didMount(), [virtual]);
  useLayoutEffect(() => virtual._willUpdate());
  useLayoutEffect(() => virtual.measure(), [virtual, row]);
  useLayoutEffect(measure);
  const measuring = useRef(measure);
  measuring.current = measure;
  useLayoutEffect(() => {
    const list = element.current;
    if (!list) return undefined;
    // Whatever stands above, such as a banner, moves the list without changing it.
    const observer = new ResizeObserver(() => measuring.current());
    observer.observe(list);
    if (list.parentElement) observer.observe(list.parentElement);
    return () => observer.disconnect();
  }, []);

  const drawn = virtual.getVirtualItems();
  const from = drawn[0]?.index ?? 0;
  const top = virtual.range ? Math.min(virtual.range.startIndex, Math.max(0, rows - 1)) : 0;
  return {
    ref,
    columns,
    high,
    row,
    from,
    to: (drawn.at(-1)?.index ?? -1) + 1,
    above: from * row,
    all: rows * row,
    top,
    scrollTo: (index, atTop) => virtual.scrollToIndex(index, { align: atTop ? 'start' : 'auto' }),
  };
}
