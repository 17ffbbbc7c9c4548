import { allKeys } from '../app/list.ts';
import { count } from '../pure/format.ts';
import { ALL_ROWS_STEP } from '../pure/limits.ts';
import { FILTERS, SORTS, isWhole } from '../pure/query.ts';
import type { Shown, StatusFilter } from '../pure/query.ts';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';

function ClearButton() {
  const { stats, askClear } = useApp();
  return (
    <button type="button" class="second" disabled={stats.value.total === 0} onClick={askClear}>
      Clear
    </button>
  );
}

const WHOLE_BIN: Shown = { place: 'bin', words: '', status: 'all', sort: '-created' };

function BinButtons() {
  const { client, stats, dialogs, actions } = useApp();
  const { bin } = stats.value;
  const all = () => allKeys(client, WHOLE_BIN, ALL_ROWS_STEP);
  const ask = () =>
    dialogs.show({
      kind: 'confirm',
      title: `Delete ${count(bin, 'job')} for good?`,
      body: 'They leave the bin here and for everybody who shares this list. This cannot be undone.',
      yes: 'Delete for good',
      danger: true,
      run: () => void all().then(actions.purge),
    });
  return (
    <>
      <button type="button" class="second" disabled={bin === 0} onClick={() => void all().then(actions.restore)}>
        Restore all
      </button>
      <button type="button" class="second danger" disabled={bin === 0} onClick={ask}>
        Empty the bin
      </button>
    </>
  );
}

function Tabs() {
  const { view, stats } = useApp();
  const { place } = view.shown.value;
  const tab = (to: 'jobs' | 'bin', label: string, n: number) => (
    <button
      type="button"
      class="tab"
      aria-pressed={place === to}
      onClick={() => view.set({ place: to, words: '', status: 'all' })}
    >
      {label}
      <span class="tab-count">{n.toLocaleString('en')}</span>
    </button>
  );
  return (
    <div class="tabs" role="group" aria-label="What is shown">
      {tab('jobs', 'Jobs', stats.value.total)}
      {tab('bin', 'Bin', stats.value.bin)}
    </div>
  );
}

/** What the list shows and in which order. */
export function Toolbar() {
  const { view, list } = useApp();
  const shown = view.shown.value;
  const total = list.total.value;
  const narrowed = !isWhole(shown) && total !== null && list.settled.value;
  return (
    <div class="toolbar">
      <h2 class="hidden">{shown.place === 'bin' ? 'Bin' : 'Jobs'}</h2>
      <Tabs />
      <div class="search">
        <Icon name="search" />
        <label class="hidden" for="search">
          Search
        </label>
        <input
          id="search"
          type="search"
          autoComplete="off"
          spellcheck={false}
          placeholder="Search  /"
          value={view.typed.value}
          onInput={(event) => view.type(event.currentTarget.value)}
        />
      </div>
      <label class="hidden" for="status">
        Status
      </label>
      <select
        id="status"
        value={shown.status}
        onChange={(event) => view.set({ status: event.currentTarget.value as StatusFilter })}
      >
        {FILTERS.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      <label class="hidden" for="sort">
        Order
      </label>
      <select id="sort" value={shown.sort} onChange={(event) => view.set({ sort: event.currentTarget.value })}>
        {SORTS.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      <p class="found" role="status">
        {narrowed ? `${total.toLocaleString('en')} found` : ''}
      </p>
      <div class="toolbar-end">{shown.place === 'bin' ? <BinButtons /> : <ClearButton />}</div>
    </div>
  );
}
