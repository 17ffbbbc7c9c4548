import { useApp } from '../context.ts';
import { Confirm } from './Confirm.tsx';
import { Conflicts } from './Conflicts.tsx';
import { Details } from './Details.tsx';
import { Import } from './Import.tsx';
import { Rotate } from './Rotate.tsx';
import { Shortcuts } from './Shortcuts.tsx';

/** The one open dialog. */
export function DialogHost() {
  const dialog = useApp().dialogs.open.value;
  switch (dialog?.kind) {
    case 'confirm':
      return <Confirm dialog={dialog} />;
    case 'rotate':
      return <Rotate row={dialog.row} picture={dialog.picture} />;
    case 'details':
      return <Details row={dialog.row} />;
    case 'conflicts':
      return <Conflicts first={dialog.row} />;
    case 'import':
      return <Import />;
    case 'shortcuts':
      return <Shortcuts />;
    case undefined:
      return null;
  }
}
