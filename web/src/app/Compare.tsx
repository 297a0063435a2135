// Variants side by side: what was put in, what came of it, and which input did what.
import { useEffect, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { formatHeadroom, formatNumber, formatScaled } from '../kit/format';
import { number, object, text } from '../kit/json';
import type { Figure, JsonObject } from '../kit/json';
import { Card, More, Table } from '../kit/parts';
import { causes } from './causes';
import type { Cause } from './causes';
import { binding, capital, capitalUsd, costChanges, figureChanges, inputs, margins, sentence } from './compare';
import type { FigureChange, InputChange, MarginChange } from './compare';
import { Moved } from './Results';
import { branch, current, currentId, drop, refused, variants, view } from './state';
import type { Variant } from './state';

const chosen = signal<Set<number>>(new Set());
const reference = signal(0);

const shownFigure = (f: Figure | null | undefined) => (f ? formatScaled(f.value, f.unit) : '–');
const dollars = (usd: number) => `${usd > 0 ? '+' : usd < 0 ? '−' : ''}${formatScaled(Math.abs(usd), 'USD')}`;

function Chooser({ list, base }: { list: Variant[]; base: Variant }) {
  const flip = (v: Variant) => {
    const next = new Set(list.map((one) => one.id));
    if (next.has(v.id)) next.delete(v.id);
    else next.add(v.id);
    chosen.value = next;
  };
  return (
    <fieldset class="chooser">
      <legend>Variants</legend>
      {variants.value.map((v) => (
        <span key={v.id}>
          <label>
            <input type="checkbox" checked={list.includes(v)} onChange={() => flip(v)} /> {v.title.value}
          </label>
          <label class="small">
            <input type="radio" name="reference" checked={v === base} onChange={() => (reference.value = v.id)} />{' '}
            reference
          </label>
          <button
            type="button"
            onClick={() => {
              currentId.value = v.id;
              view.value = 'design';
            }}
          >
            edit
          </button>
          {variants.value.length > 1 && (
            <button type="button" onClick={() => drop(v)} aria-label={`Drop ${v.title.value}`}>
              ×
            </button>
          )}
        </span>
      ))}
      <button type="button" onClick={() => current.value && branch(current.value)}>
        + copy of {current.value?.title.value}
      </button>
    </fieldset>
  );
}

function Heads({ list }: { list: Variant[] }) {
  return (
    <div class="heads">
      {list.map((v) => {
        const doc = v.result.value;
        const tight = binding(doc);
        const cost = doc && capital(doc);
        return (
          <section
            class={`verdict ${doc?.verdict === 'fits' ? 'fits' : 'short'}`}
            key={v.id}
            aria-label={v.title.value}
          >
            <h3>
              <input
                aria-label="Name of the variant"
                value={v.title.value}
                onChange={(e) => (v.title.value = e.currentTarget.value.trim() || v.title.value)}
              />
            </h3>
            <p class="word">
              <span class={`sign ${doc?.verdict === 'fits' ? 'good' : 'bad'}`} aria-hidden="true">
                {doc?.verdict === 'fits' ? '✓' : '✗'}
              </span>
              <strong>{text(doc?.verdict) ?? '…'}</strong>
            </p>
            {tight && (
              <p>
                {text(tight.limit)}{' '}
                <span class={tight.holds ? 'good' : 'bad'}>{formatHeadroom(number(tight.headroom))}</span>
              </p>
            )}
            {cost && <p>{formatScaled(cost.value, cost.unit)} capital</p>}
          </section>
        );
      })}
    </div>
  );
}

/** Rows of the same things in several variants, keyed as in the reference and those behind it. */
function merged<T>(lists: Map<string, T>[]): string[] {
  return [...new Set(lists.flatMap((list) => [...list.keys()]))];
}

function Inputs({ base, others }: { base: Variant; others: Variant[] }) {
  const lists = others.map((o) => new Map(inputs(base.text.value, o.text.value).map((c) => [c.label, c])));
  const rows = merged(lists);
  const was = (label: string) => lists.map((l) => l.get(label)).find(Boolean)?.before ?? null;
  const is = (i: number, label: string) => {
    const change = lists[i]?.get(label);
    return change ? change.after : was(label);
  };
  return (
    <Card
      title="What was put in"
      says={rows.length ? `${rows.length} of the inputs differ.` : 'The inputs are the same.'}
      wide
    >
      {rows.length > 0 && (
        <Table
          caption="Inputs that differ"
          rows={rows}
          columns={[
            { head: 'input', cell: (label) => <code>{label}</code> },
            { head: base.title.value, cell: (label) => was(label) ?? <span class="soft">not given</span> },
            ...others.map((o, i) => ({
              head: o.title.value,
              cell: (label: string) => <strong>{is(i, label) ?? <span class="soft">not given</span>}</strong>,
            })),
          ]}
        />
      )}
    </Card>
  );
}

function Limits({ docs, base, others }: { docs: JsonObject[]; base: Variant; others: Variant[] }) {
  const [all, setAll] = useState(false);
  const a = docs[0]!;
  const lists = docs.slice(1).map((b) => new Map(margins(a, b).map((m) => [m.id, m])));
  const rows = merged(lists).filter((id) => all || lists.some((l) => (l.get(id)?.fate ?? 'same') !== 'same'));
  const first = (id: string): MarginChange | undefined => lists.map((l) => l.get(id)).find(Boolean);
  const cell = (value: number | null, holds: boolean) =>
    value === null ? (
      <span class="soft">–</span>
    ) : (
      <span class={holds ? '' : 'bad'}>
        {formatHeadroom(value)}
        {!holds && ' short'}
      </span>
    );
  return (
    <Card
      title="Limits"
      says={docs
        .slice(1)
        .map((b, i) => `${others[i]?.title.value}: ${sentence(a, b)}`)
        .join(' ')}
      wide
      tools={
        <label class="small">
          <input type="checkbox" checked={all} onChange={() => setAll(!all)} /> also those that did not move
        </label>
      }
    >
      <Table
        caption="Headroom of the limits"
        rows={rows}
        columns={[
          { head: 'limit', cell: (id) => first(id)?.limit ?? id },
          {
            head: base.title.value,
            number: true,
            cell: (id) => cell(first(id)?.before ?? null, (first(id)?.before ?? 0) >= 0),
          },
          ...others.map((o, i) => ({
            head: o.title.value,
            number: true,
            cell: (id: string) => {
              const m = lists[i]?.get(id);
              return m ? (
                cell(m.fate === 'gone' ? null : m.after, m.margin.holds !== false)
              ) : (
                <span class="soft">–</span>
              );
            },
          })),
        ]}
      />
    </Card>
  );
}

const sections: [string, string][] = [
  ['money', 'Money'],
  ['energy', 'Energy'],
  ['carbon', 'Carbon'],
  ['water', 'Water'],
];

function Figures({ docs, base, others }: { docs: JsonObject[]; base: Variant; others: Variant[] }) {
  const a = docs[0]!;
  const names = [...sections, ...Object.keys(object(a.workloads)).map((w): [string, string] => [`workloads.${w}`, w])];
  const rows: { title: string; cells: (FigureChange | undefined)[] }[] = [];
  for (const [key, title] of names) {
    const lists = docs.slice(1).map((b) => new Map(figureChanges(a, b, key).map((c) => [c.label, c])));
    for (const label of merged(lists)) {
      const cells = lists.map((l) => l.get(label));
      if (cells.some((c) => c && (c.ratio === null || Math.abs(c.ratio - 1) > 5e-4)))
        rows.push({ title: `${title}: ${label.trim()}`, cells });
    }
  }
  return (
    <Card title="What came of it" says={rows.length ? 'Figures that differ.' : 'No figure differs.'} wide>
      {rows.length > 0 && (
        <Table
          caption="Figures that differ"
          rows={rows}
          columns={[
            { head: 'figure', cell: (row) => row.title },
            {
              head: base.title.value,
              number: true,
              cell: (row) => shownFigure(row.cells.find((c) => c?.before)?.before),
            },
            ...others.map((o, i) => ({
              head: o.title.value,
              number: true,
              cell: (row: (typeof rows)[number]) => (
                <>
                  {shownFigure(row.cells[i]?.after)} <Moved change={row.cells[i]} from={base.title.value} />
                </>
              ),
            })),
          ]}
        />
      )}
    </Card>
  );
}

/** Bars of what each cost item added or saved. */
function Costs({ a, b, from, to }: { a: JsonObject; b: JsonObject; from: string; to: string }) {
  const list = costChanges(a, b);
  const total = list.reduce((sum, c) => sum + c.change, 0);
  const most = Math.max(...list.map((c) => Math.abs(c.change)), 1);
  const bars = (part: typeof list) => (
    <ol class="costs">
      {part.map((c) => (
        <li key={c.id}>
          <span>
            {c.item} <span class="soft small">{c.category}</span>
          </span>
          <span class="soft nowrap">
            {formatNumber(c.before?.count ?? 0, 6)} → {formatNumber(c.after?.count ?? 0, 6)}
          </span>
          <span class={c.change > 0 ? 'up' : 'down'} aria-hidden="true">
            <i style={{ width: `${(100 * Math.abs(c.change)) / most}%` }} />
          </span>
          <span class="nowrap number">{dollars(c.change)}</span>
        </li>
      ))}
    </ol>
  );
  return (
    <Card
      title={`Bill of materials: ${from} → ${to}`}
      says={list.length ? `${dollars(total)} in ${list.length} items.` : 'The bill is the same.'}
      wide
    >
      {bars(list.slice(0, 10))}
      {list.length > 10 && <More title={`${list.length - 10} smaller ones`}>{bars(list.slice(10))}</More>}
    </Card>
  );
}

function CauseList({ base, other }: { base: Variant; other: Variant }) {
  const [found, setFound] = useState<{ causes: Cause[]; left: InputChange[] } | null>(null);
  const [a, b] = [base.text.value, other.text.value];
  useEffect(() => {
    let current = true;
    setFound(null);
    const timer = setTimeout(() => {
      causes(a, b).then((result) => current && setFound(result), refused);
    }, 200);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [a, b]);
  const from = base.result.value;
  const to = other.result.value;
  if (!from || !to) return null;
  const money = (doc: JsonObject) => capitalUsd(doc) - capitalUsd(from);
  const rows = found?.causes ?? [];
  const alone = rows.reduce((sum, c) => sum + (c.document ? money(c.document) : 0), 0);
  return (
    <Card
      title={`Which input did what: ${base.title.value} → ${other.title.value}`}
      says="Each change alone, made in the reference. What they do only together is the rest."
      wide
    >
      {!found && (
        <p class="soft" role="status">
          Asking for each change alone …
        </p>
      )}
      {found && (
        <Table
          caption="Effect of each input alone"
          rows={rows}
          columns={[
            {
              head: 'input alone',
              cell: (c) => (
                <>
                  <code>{c.change.label}</code> {c.change.before ?? 'not given'} →{' '}
                  <strong>{c.change.after ?? 'not given'}</strong>
                </>
              ),
            },
            { head: 'capital', number: true, cell: (c) => (c.document ? dollars(money(c.document)) : '–') },
            {
              head: 'limits',
              cell: (c) =>
                c.document ? (
                  sentence(from, c.document)
                ) : (
                  <span class="warn">does not stand alone: {c.errors[0]?.message}</span>
                ),
            },
          ]}
        />
      )}
      {found && (
        <p class="note">
          All together: {dollars(money(to))} capital, {dollars(money(to) - alone)} of it only together.{' '}
          {sentence(from, to)}
          {found.left.length > 0 && ` Not asked alone: ${found.left.map((c) => c.label).join(', ')}.`}
        </p>
      )}
    </Card>
  );
}

export function Compare() {
  const all = variants.value;
  const list = all.filter((v) => chosen.value.size === 0 || chosen.value.has(v.id));
  const base = list.find((v) => v.id === reference.value) ?? list[0];
  const others = list.filter((v) => v !== base);
  if (!base) return null;
  const docs = [base, ...others].map((v) => v.result.value);
  const ready = docs.every((doc): doc is JsonObject => doc !== null);
  return (
    <div class="compare">
      <Chooser list={list} base={base} />
      {others.length === 0 && (
        <p>
          Compare needs two variants. A copy starts the same as {base.title.value}; change it, and what differs is told
          here.{' '}
          <button
            type="button"
            class="primary"
            onClick={() => {
              branch(base);
              view.value = 'design';
            }}
          >
            Make a copy and change it
          </button>
        </p>
      )}
      {others.length > 0 && ready && (
        <>
          <Heads list={[base, ...others]} />
          <Inputs base={base} others={others} />
          {others.map((o) => (
            <CauseList key={o.id} base={base} other={o} />
          ))}
          <Limits docs={docs as JsonObject[]} base={base} others={others} />
          <Figures docs={docs as JsonObject[]} base={base} others={others} />
          {others.map((o, i) => (
            <Costs
              key={o.id}
              a={docs[0] as JsonObject}
              b={docs[i + 1] as JsonObject}
              from={base.title.value}
              to={o.title.value}
            />
          ))}
        </>
      )}
    </div>
  );
}
