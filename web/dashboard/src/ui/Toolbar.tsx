import { nextLayout } from '../app/keys.ts';
import { allKeys } from '../app/list.ts';
import { count } from '../pure/format.ts';
import { ALL_ROWS_STEP } from '../pure/limits.ts';
import { FILTERS, SORTS, WHOLE, isWhole } from '../pure/query.ts';
import type { Shown, StatusFilter } from '../pure/query.ts';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';

/** From this many rows on one may go to a place by its number. */
const GO_TO_ROWS_MIN = 100;

function ClearButton() {
  const { stats, askClear } = useApp();
  return (
    <button type="button" class="second" disabled={stats.value.total === 0} onClick={askClear}>
      Clear
    </button>
  );
}

const WHOLE_BIN: Shown = { ...WHOLE, place: 'bin' };

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

/** What the search box means, or why it means nothing, with a mark where. */
function Fault() {
  const { list, view } = useApp();
  const fault = list.fault.value;
  if (!fault) return null;
  const letters = [...view.shown.value.words];
  const at = fault.at === null ? null : Math.min(fault.at - 1, letters.length);
  return (
    <p class="fault" id="fault" role="alert">
      {at !== null && (
        <code aria-hidden="true">
          {letters.slice(0, at).join('')}
          <mark>{letters.slice(at).join('') || ' '}</mark>
        </code>
      )}
      {fault.message}
    </p>
  );
}

/** Goes to a place in a list that is longer than the screen. */
function GoTo() {
  const { list, grid } = useApp();
  const total = list.total.value ?? 0;
  if (total < GO_TO_ROWS_MIN) return null;
  const go = (form: HTMLFormElement) => {
    const place = Math.trunc(Number(new FormData(form).get('place')));
    if (place >= 1) grid.go(Math.min(place, total) - 1);
  };
  return (
    <form
      class="goto"
      onSubmit={(event) => {
        event.preventDefault();
        go(event.currentTarget);
      }}
    >
      <label for="place">Go to</label>
      <input
        id="place"
        name="place"
        type="number"
        inputMode="numeric"
        min={1}
        max={total}
        placeholder={String(grid.first.value + 1)}
        title="A place in the list: press Enter to go there"
      />
      <span>of {total.toLocaleString('en')}</span>
    </form>
  );
}

/** The way to all that was edited apart. */
function ApartButton() {
  const { stats, dialogs } = useApp();
  const { conflicts } = stats.value;
  if (conflicts === 0) return null;
  return (
    <button type="button" class="second apart" onClick={() => dialogs.show({ kind: 'conflicts', row: null })}>
      <Icon name="fork" />
      {conflicts.toLocaleString('en')} edited apart
    </button>
  );
}

function LayoutButton() {
  const app = useApp();
  const table = app.config.value.value.layout === 'table';
  const words = table ? 'Show cards' : 'Show a table';
  return (
    <button type="button" class="plain square" aria-label={words} title={`${words} (v)`} onClick={() => nextLayout(app)}>
      <Icon name={table ? 'cards' : 'list'} />
    </button>
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
          value={shown.words}
          aria-invalid={list.fault.value !== null}
          aria-describedby={list.fault.value ? 'fault' : undefined}
          onInput={(event) => view.set({ words: event.currentTarget.value })}
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
      <ApartButton />
      <div class="toolbar-end">
        <GoTo />
        <LayoutButton />
        {shown.place === 'bin' ? <BinButtons /> : <ClearButton />}
      </div>
      <Fault />
    </div>
  );
}
