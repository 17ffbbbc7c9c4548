import { useEffect, useState } from 'preact/hooks';

/** The window's width in CSS pixels, as it is now: phones are turned, windows are dragged. */
export function useWindowWidth(): number {
  const [width, setWidth] = useState(window.innerWidth);
  useEffect(() => {
    const measure = () => setWidth(window.innerWidth);
    addEventListener('resize', measure);
    return () => removeEventListener('resize', measure);
  }, []);
  return width;
}
