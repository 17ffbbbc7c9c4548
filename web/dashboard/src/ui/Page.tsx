import { useApp } from './context.ts';
import { Announcer } from './Announcer.tsx';
import { Banners } from './Banners.tsx';
import { Composer } from './Composer.tsx';
import { Counters } from './Counters.tsx';
import { DiagnosticsPanel } from './DiagnosticsPanel.tsx';
import { DialogHost } from './dialogs/DialogHost.tsx';
import { DropVeil } from './DropVeil.tsx';
import { Header } from './Header.tsx';
import { JobGrid } from './JobGrid.tsx';
import { Toasts } from './Toasts.tsx';
import { Toolbar } from './Toolbar.tsx';

/** The whole page: form and server on one side, the jobs on the other. */
export function Page() {
  const { status } = useApp();
  return (
    <div class="page" data-connection={status.value.connection}>
      <button type="button" class="skip" onClick={() => document.getElementById('list')?.focus()}>
        Skip to the jobs
      </button>
      <Header />
      <div class="columns">
        <aside class="side" aria-label="New job and server">
          <Composer />
          <DiagnosticsPanel />
        </aside>
        <main class="main" id="list" tabIndex={-1}>
          <Banners />
          <Counters />
          <Toolbar />
          <JobGrid />
        </main>
      </div>
      <Toasts />
      <DialogHost />
      <DropVeil />
      <Announcer />
    </div>
  );
}
