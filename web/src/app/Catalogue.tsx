// What the catalogue knows, each number with its source.
import { useEffect } from 'preact/hooks';
import { signal } from '@preact/signals';
import { object, text } from '../kit/json';
import type { Json, JsonObject } from '../kit/json';
import { Card, Table } from '../kit/parts';
import { api } from './api';
import { catalogue, refused } from './state';

const kind = signal('system');
const id = signal('');
const filter = signal('');
const entry = signal<JsonObject | null>(null);

function Source({ value }: { value: JsonObject }) {
  const trust = text(value.trust) ?? '';
  const url = text(value.url) ?? '';
  const unsure = trust === 'assumed' || trust.startsWith('recalled');
  return (
    <>
      <span class={`trust ${unsure ? 'unsure' : ''}`}>{trust || 'no source'}</span>{' '}
      {/^https?:/.test(url) ? (
        <a href={url} target="_blank" rel="noreferrer noopener">
          {text(value.source) || url}
        </a>
      ) : (
        text(value.source)
      )}
      {text(value.date) && `, ${text(value.date)}`} <code class="soft">{text(value.place)}</code>
    </>
  );
}

const shown = (value: Json) => (typeof value === 'object' ? (text(object(value).value) ?? '') : String(value));

function Entry({ value }: { value: JsonObject }) {
  const rows = Object.entries(value).filter(([key]) => key !== 'id' && key !== 'name');
  return (
    <Card title={text(value.name) ?? text(value.id) ?? ''} says={`${kind.value} / ${text(value.id) ?? ''}`} wide>
      <Table
        caption="Fields of the entry"
        rows={rows}
        columns={[
          { head: 'field', cell: ([key]) => <code>{key}</code> },
          { head: 'value', cell: ([, one]) => shown(one) },
          {
            head: 'source',
            cell: ([, one]) => (typeof one === 'object' && one !== null ? <Source value={object(one)} /> : ''),
          },
        ]}
      />
    </Card>
  );
}

export function Catalogue() {
  const kinds = Object.keys(catalogue.value);
  const ids = (catalogue.value[kind.value] ?? []).filter((one) => one.includes(filter.value.toLowerCase().trim()));
  useEffect(() => {
    entry.value = null;
    if (!id.value) return;
    let wanted = true;
    api.entry(kind.value, id.value).then((found) => wanted && (entry.value = found), refused);
    return () => {
      wanted = false;
    };
  }, [kind.value, id.value]);
  return (
    <div class="catalogue">
      <section class="panel" aria-label="Entries">
        <label for="kind">Kind</label>
        <select
          id="kind"
          value={kind.value}
          onChange={(e) => {
            kind.value = e.currentTarget.value;
            id.value = '';
          }}
        >
          {kinds.map((one) => (
            <option key={one} value={one}>
              {one} ({catalogue.value[one]?.length})
            </option>
          ))}
        </select>
        <label for="filter">Filter</label>
        <input id="filter" type="search" value={filter.value} onInput={(e) => (filter.value = e.currentTarget.value)} />
        <ul class="ids">
          {ids.map((one) => (
            <li key={one}>
              <button type="button" aria-pressed={one === id.value} onClick={() => (id.value = one)}>
                {one}
              </button>
            </li>
          ))}
        </ul>
        {!ids.length && <p class="soft">Nothing of this kind has these letters.</p>}
      </section>
      <section aria-label="Entry" aria-live="polite">
        {entry.value ? (
          <Entry value={entry.value} />
        ) : (
          <p class="soft">Choose an entry: every number is shown with where it comes from.</p>
        )}
      </section>
    </div>
  );
}
