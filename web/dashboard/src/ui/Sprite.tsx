import { useEffect, useRef } from 'preact/hooks';
import type { Picture } from '../app/images.ts';
import { zoom } from '../pure/picture.ts';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';
import { whenNear } from './near.ts';

interface Parts {
  value: string;
  /** The size the record tells, until the picture tells its own. */
  width: number;
  height: number;
  /** The square it has to fit, in CSS pixels. */
  box: number;
  alt: string;
  /** Make it smaller where it does not fit; else a picture larger than the square is cut. */
  fits?: boolean;
}

/** A picture at a whole zoom, or the reason why it is not here. */
export function Sprite({ value, width, height, box, alt, fits = false }: Parts) {
  const { images } = useApp();
  const place = useRef<HTMLSpanElement>(null);
  const before = useRef<Picture>({ state: 'waiting' });
  useEffect(() => (place.current ? whenNear(place.current, () => images.want(value)) : undefined), [value, images]);

  const now = images.of(value).value;
  // The same picture may come under a new name (a cached copy, then the stored one): no flicker.
  const picture = now.state === 'waiting' && before.current.state === 'ready' ? before.current : now;
  before.current = picture;

  if (picture.state === 'ready') {
    const whole = zoom(picture.width, picture.height, box, window.devicePixelRatio);
    const scale = fits ? Math.min(whole, box / Math.max(picture.width, picture.height)) : whole;
    return (
      <img
        class="pixels sprite"
        src={picture.url}
        width={picture.width * scale}
        height={picture.height * scale}
        alt={alt}
        draggable={false}
      />
    );
  }
  if (picture.state === 'absent') {
    return (
      <span class="note">
        <Icon name="offline" unit={4} />
        <span>Picture: {picture.reason}</span>
      </span>
    );
  }
  return <span class="note loading" ref={place} data-size={`${width}×${height}`} />;
}
