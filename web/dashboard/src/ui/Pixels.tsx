/** Pictograms and digits made of squares. */
import { icon, setText } from '../pure/bitmaps.ts';
import type { IconName, Traced } from '../pure/bitmaps.ts';

function Shape({ traced, unit, className }: { traced: Traced; unit: number; className: string }) {
  const { width, height, path } = traced;
  return (
    <svg
      class={className}
      width={width * unit}
      height={height * unit}
      viewBox={`0 0 ${width} ${height}`}
      shape-rendering="crispEdges"
      aria-hidden="true"
      focusable="false"
    >
      <path d={path} fill="currentColor" />
    </svg>
  );
}

/** A pictogram; what it means is always also said in words beside it or in a label. */
export function Icon({ name, unit = 2 }: { name: IconName; unit?: number }) {
  return <Shape traced={icon(name)} unit={unit} className="icon" />;
}

/** Digits (and the product's name) in the pixel face, with the plain text for readers. */
export function PixelText({ text, unit = 3 }: { text: string; unit?: number }) {
  return (
    <span class="pixel-text">
      <Shape traced={setText(text)} unit={unit} className="pixel-shape" />
      <span class="hidden">{text}</span>
    </span>
  );
}
