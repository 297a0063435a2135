// The reported scenario beside others (headroom report FILE --also OTHER): verdict, what was put in,
// limits and figures that differ.
import { costChanges, figureChanges, inputs, margins, sentence } from '../app/compare';
import { formatHeadroom, formatScaled } from '../kit/format';
import { object, text, type Figure, type JsonObject } from '../kit/json';
import { Card, More, Table } from '../kit/parts';
import type { ReportDocument, ReportVariant } from './document';

const shown = (f: Figure | null) => (f ? formatScaled(f.value, f.unit) : '–');
const SECTIONS = ['money', 'energy', 'carbon', 'water'];

function Other({ base, other, names }: { base: JsonObject; other: JsonObject; names: [string, string] }) {
  const limits = margins(base, other).filter((m) => m.fate !== 'same');
  const figures = SECTIONS.flatMap((s) => figureChanges(base, other, s)).filter(
    (f) => f.ratio === null || Math.abs(f.ratio - 1) > 5e-4,
  );
  const costs = costChanges(base, other);
  return (
    <>
      <Table
        caption={`Limits that differ from ${names[0]} to ${names[1]}`}
        shown
        rows={limits}
        columns={[
          { head: 'limit', cell: (m) => m.limit },
          { head: names[0], number: true, cell: (m) => (m.fate === 'new' ? '–' : formatHeadroom(m.before)) },
          { head: names[1], number: true, cell: (m) => (m.fate === 'gone' ? '–' : formatHeadroom(m.after)) },
          { head: '', cell: (m) => <span class={m.fate === 'broke' ? 'bad' : m.fate === 'freed' ? 'good' : ''}>{m.fate}</span> },
        ]}
      />
      <Table
        caption="Figures that differ"
        shown
        rows={figures}
        columns={[
          { head: 'figure', cell: (f) => f.label.trim() },
          { head: names[0], number: true, cell: (f) => shown(f.before) },
          { head: names[1], number: true, cell: (f) => shown(f.after) },
        ]}
      />
      {costs.length > 0 && (
        <More title={`${costs.length} items of the bill differ`} paper>
          <Table
            caption="Items of the bill that differ"
            rows={costs}
            columns={[
              { head: 'item', cell: (c) => c.item },
              { head: 'change', number: true, cell: (c) => `${c.change > 0 ? '+' : '−'}${formatScaled(Math.abs(c.change), 'USD')}` },
            ]}
          />
        </More>
      )}
    </>
  );
}

function Inputs({ base, other }: { base: string; other: string }) {
  const rows = inputs(base, other);
  if (rows.length === 0) return null;
  return (
    <Table
      caption="Inputs that differ"
      shown
      rows={rows}
      columns={[
        { head: 'input', cell: (c) => <code>{c.label}</code> },
        { head: 'here', cell: (c) => c.before ?? 'not given' },
        { head: 'there', cell: (c) => c.after ?? 'not given' },
      ]}
    />
  );
}

export function Beside({ document: d, other }: { document: ReportDocument; other: ReportVariant }) {
  const a = object(d.parts.check);
  const b = object(other.parts.check);
  const name = other.name === d.name ? `${other.name} (${other.file ?? 'other'})` : other.name;
  return (
    <Card title={`Beside ${name}`} says={`${text(b.verdict) ?? ''}: ${sentence(a, b)}`.replace(/^./, (c) => c.toUpperCase())} wide>
      {other.scenario ? <Inputs base={d.scenario} other={other.scenario} /> : null}
      <Other base={a} other={b} names={[d.name, name]} />
    </Card>
  );
}
