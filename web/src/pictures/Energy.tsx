// Where the energy of a year goes, from the grid to the token.
import { Card } from '../kit/parts';
import { Sankey, type FlowLink, type FlowNode } from '../kit/Sankey';
import { at, number, object, objects, text, type Json } from '../kit/json';

const J_PER_GWH = 3.6e12;

/// Names as `headroom facility` prints them.
const USES: [string, string, string][] = [
  ['transformer_loss', 'losses of transformers', 'loss'],
  ['switchgear_loss', 'losses of switchgear', 'loss'],
  ['ups_loss', 'losses of the UPS', 'loss'],
  ['distribution_loss', 'losses in distribution', 'loss'],
  ['room_fans', 'fans of rooms and doors', 'cooling'],
  ['coolant_pumps', 'coolant pumps', 'cooling'],
  ['loop_pumps', 'facility water pumps', 'cooling'],
  ['tower_pumps', 'tower pumps', 'cooling'],
  ['rejection_fans', 'fans of towers and dry coolers', 'cooling'],
  ['compressors', 'compressors', 'cooling'],
  ['heat_pumps', 'heat pumps', 'cooling'],
  ['other', 'other loads', 'other'],
  ['it', 'IT', 'it'],
];
const GROUPS: Record<string, [string, string]> = {
  loss: ['power losses', 'var(--c5)'],
  cooling: ['cooling', 'var(--c3)'],
  other: ['other', 'var(--c5)'],
  it: ['IT', 'var(--c1)'],
};

/// A flow as the document's figures hold it: nodes by id, links between them, both with their trace.
export function flowOf(v: Json | undefined): { nodes: FlowNode[]; links: FlowLink[]; unit: string } | null {
  const nodes = objects(object(v).nodes).map((n) => ({
    key: text(n.id) ?? '',
    label: text(n.label) ?? text(n.id) ?? '',
    id: text(n.trace),
    colour: colourOf(text(n.id) ?? '', text(n.label) ?? ''),
  }));
  const links = objects(object(v).links).map((l) => ({
    from: text(l.from) ?? '',
    to: text(l.to) ?? '',
    value: number(l.value) ?? 0,
    id: text(l.trace),
    note: text(l.note),
  }));
  return links.length > 0 ? { nodes, links, unit: text(object(v).unit) ?? '' } : null;
}

/// What a link says beside its width: "7.167 J a token at the meter".
function notes(flow: { nodes: FlowNode[]; links: FlowLink[] }): string {
  const name = (key: string) => flow.nodes.find((n) => n.key === key)?.label ?? key;
  return flow.links.filter((l) => l.note).map((l) => `${name(l.from)}: ${l.note}`).join('; ');
}

function colourOf(key: string, label: string): string {
  const name = `${key} ${label}`.toLowerCase();
  if (/token|product|useful|work\.|clip/.test(name)) return 'var(--c6)';
  if (/^back/.test(name)) return 'var(--c8)';
  if (/loss|other|idle|wait|unused|power chain/.test(name)) return 'var(--c5)';
  if (/cool|fan|pump|compressor|tower|chiller|water/.test(name)) return 'var(--c3)';
  if (/network|switch|fabric|optic|storage/.test(name)) return 'var(--c4)';
  if (/grid|meter|solar|wind|source|turbine|energy|electric|nuclear/.test(name)) return 'var(--c2)';
  if (/people|staff|upkeep|maint/.test(name)) return 'var(--c8)';
  if (/building|facility|land|shell/.test(name)) return 'var(--c7)';
  return 'var(--c1)';
}

function ofYear(year: Json | undefined): { nodes: FlowNode[]; links: FlowLink[]; unit: string } | null {
  const uses = object(at(year, 'year.energy_in_j'));
  const nodes: FlowNode[] = [{ key: 'meter', label: 'at the meter', colour: 'var(--c2)' }];
  const links: FlowLink[] = [];
  const sums = new Map<string, number>();
  for (const [key, , group] of USES) sums.set(group, (sums.get(group) ?? 0) + (number(uses[key]) ?? 0));
  for (const [group, sum] of sums) {
    const [label, colour] = GROUPS[group] ?? [group, 'var(--c1)'];
    nodes.push({ key: group, label, colour });
    links.push({ from: 'meter', to: group, value: sum / J_PER_GWH });
  }
  for (const [key, label, group] of USES) {
    const value = (number(uses[key]) ?? 0) / J_PER_GWH;
    if (group === 'it' || group === 'other' || value <= 0) continue;
    nodes.push({ key, label, colour: GROUPS[group]?.[1] });
    links.push({ from: group, to: key, value });
  }
  return links.some((l) => l.value > 0) ? { nodes, links, unit: 'GWh' } : null;
}

export function EnergySankey({ year, figures }: { year?: Json; figures?: Json }) {
  const flow = flowOf(at(figures, 'energy.flow')) ?? ofYear(year);
  if (!flow) return null;
  const pue = number(at(year, 'year.pue'));
  return (
    <Card
      title="Energy from the grid to the token"
      says={`A year's energy, as wide as it flows${pue ? `; PUE ${pue.toFixed(3)}` : ''}.`}
      note={notes(flow)}
      wide
    >
      <Sankey {...flow} says="Energy of a year by use, from the grid to the token" />
    </Card>
  );
}

export function MoneySankey({ figures }: { figures?: Json }) {
  const flow = flowOf(at(figures, 'money.flow'));
  if (!flow) return null;
  return (
    <Card
      title="Money from capital to the token"
      says="What a year costs, capital spread over its life, and what it pays for."
      note={notes(flow)}
      wide
    >
      <Sankey {...flow} says="Cost of a year by cause, from capital and running costs to the product" />
    </Card>
  );
}
