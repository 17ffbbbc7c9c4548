import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { App } from '../app/app.ts';

export const AppContext = createContext<App | null>(null);

/** The app around this element. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('an element was used outside <AppContext.Provider>');
  return app;
}
