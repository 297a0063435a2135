// The power chain as one line, coloured by the headroom of each part (facility --chain --json).
import { Card, Drawing, Legend } from '../kit/parts';
import { Mark } from '../kit/mark';
import { formatHeadroom, formatNumber, formatScaled, percent } from '../kit/format';
import { fitted, textWidth } from '../kit/scale';
import { at, number, object, objects, text, type Json, type JsonObject } from '../kit/json';

export interface Box {
  key: string;
  label: string;
  kind: string;
  count: number;
  units: number;
  unitW: number;
  outputW: number;
  use?: number;
  worst?: number;
  after?: string;
  headroom?: number;
  column: number;
  row: number;
  racks: number;
}
export interface Wire {
  from: string;
  to: string;
  flowW: number;
  standby: boolean;
}

/// Parts that are alike and hang alike are one box with a count, so that a hall of many feeds reads.
export function boxes(chain: JsonObject): { boxes: Box[]; wires: Wire[]; columns: number } {
  const nodes = objects(chain.nodes);
  const edges = objects(chain.edges);
  let key = (n: JsonObject) => text(n.name) ?? '';
  let made = gather(nodes, edges, key);
  const alike = (n: JsonObject) =>
    [n.kind, n.stage, n.side, n.gear, rounded(n.use), rounded(n.headroom)].map(String).join('|');
  const same = (n: JsonObject) => [n.kind, n.stage, n.side, n.gear].map(String).join('|');
  const coarse = (n: JsonObject) => [n.kind, n.gear].map(String).join('|');
  for (const by of [alike, same, coarse]) {
    if (made.boxes.length <= 28) break;
    key = by;
    made = gather(nodes, edges, key);
  }
  return place(made.boxes, made.wires);
}
const rounded = (v: Json | undefined) => number(v)?.toFixed(2) ?? '-';

function gather(nodes: JsonObject[], edges: JsonObject[], key: (n: JsonObject) => string) {
  const groups = new Map<string, JsonObject[]>();
  const keyOf = new Map<string, string>();
  for (const n of nodes) {
    const k = key(n);
    keyOf.set(text(n.name) ?? '', k);
    groups.set(k, [...(groups.get(k) ?? []), n]);
  }
  const made: Box[] = [...groups].map(([k, all]) => boxOf(k, all));
  const wires = new Map<string, Wire>();
  for (const e of edges) {
    const from = keyOf.get(text(e.from) ?? '') ?? '';
    const to = keyOf.get(text(e.to) ?? '') ?? '';
    if (!from || !to || from === to) continue;
    const flow = number(e.flow_w) ?? 0;
    const old = wires.get(`${from}>${to}`);
    wires.set(`${from}>${to}`, { from, to, flowW: (old?.flowW ?? 0) + flow, standby: false });
  }
  const all = [...wires.values()].map((w) => ({ ...w, standby: w.flowW <= 0 }));
  return { boxes: made, wires: all };
}

function boxOf(key: string, all: JsonObject[]): Box {
  const first = all[0] ?? {};
  const tightest = all.reduce((a, b) => ((number(b.headroom) ?? 9e9) < (number(a.headroom) ?? 9e9) ? b : a), first);
  const sum = (field: string) => all.reduce((s, n) => s + (number(n[field]) ?? 0), 0);
  const kind = text(first.kind) ?? '';
  return {
    key,
    label: labelOf(all.map((n) => text(n.name) ?? ''), kind),
    kind,
    count: all.length,
    units: sum('units'),
    unitW: (number(first.rating_w) ?? 0) / Math.max(1, number(first.units) ?? 1),
    outputW: sum('output_w'),
    use: number(tightest.use),
    worst: number(tightest.worst_use),
    after: text(tightest.worst_after),
    headroom: number(tightest.headroom),
    racks: sum('racks'),
    column: 0,
    row: 0,
  };
}

/// What the names of a group begin with: "hall-a.racks-1.feed" of its feeds 1 to 4.
export function commonName(names: string[]): string {
  const [first = '', ...rest] = names;
  if (rest.length === 0) return first;
  let n = first.length;
  for (const name of rest) while (!name.startsWith(first.slice(0, n))) --n;
  const common = first.slice(0, n).replace(/[-.][a-z]?\d*$|\d+$/, '').replace(/[-.]$/, '');
  return common.length > 2 ? common : '';
}

/// The common name of a group, or its kind where the names share no more than their hall and racks.
function labelOf(names: string[], kind: string): string {
  const common = commonName(names);
  if (kind !== 'rack-feed' || common.includes('feed')) return common || kind;
  const dot = common.indexOf('.');
  return dot > 0 ? `${common.slice(0, dot)}.${kind}` : kind;
}

/// Columns by the longest way from a source; a standby source stands just before what it feeds.
function place(all: Box[], wires: Wire[]) {
  const by = new Map(all.map((b) => [b.key, b]));
  for (let round = 0; round < all.length; ++round)
    for (const w of wires) {
      const from = by.get(w.from);
      const to = by.get(w.to);
      if (from && to && to.column <= from.column) to.column = Math.min(all.length, from.column + 1);
    }
  for (const b of all) {
    if (wires.some((w) => w.to === b.key)) continue;
    const next = wires.filter((w) => w.from === b.key).map((w) => by.get(w.to)?.column ?? 1);
    if (next.length > 0) b.column = Math.max(0, Math.min(...next) - 1);
  }
  const columns = Math.max(0, ...all.map((b) => b.column)) + 1;
  for (let c = 0; c < columns; ++c) {
    const here = all.filter((b) => b.column === c);
    const from = (b: Box) => {
      const rows = wires.filter((w) => w.to === b.key).map((w) => by.get(w.from)?.row ?? 0);
      return rows.length ? rows.reduce((s, r) => s + r, 0) / rows.length : 0;
    };
    here.map((b) => ({ b, at: from(b) })).sort((x, y) => x.at - y.at).forEach(({ b }, i) => (b.row = i));
  }
  return { boxes: all, wires, columns };
}

function colour(b: Box): string {
  if (b.headroom === undefined) return 'var(--c5)';
  if (b.headroom < 0) return 'var(--bad-fill)';
  return b.headroom < 0.1 ? 'var(--warn-fill)' : 'var(--good-fill)';
}

const H = 76;
const GAP = 18;

function facts(b: Box) {
  const rows: [string, string][] = [['kind', b.kind]];
  if (b.unitW > 0) rows.push(['units', `${formatNumber(b.units)} × ${formatScaled(b.unitW, 'W')}`]);
  rows.push(['load', formatScaled(b.outputW, 'W')]);
  if (b.use !== undefined) rows.push(['use', percent(b.use, 0)]);
  if (b.worst !== undefined && b.after) rows.push(['worst use', `${percent(b.worst, 0)} after losing ${b.after}`]);
  if (b.headroom !== undefined) rows.push(['headroom', formatHeadroom(b.headroom)]);
  if (b.racks > 0) rows.push(['racks', formatNumber(b.racks)]);
  return { title: b.count > 1 ? `${b.label} × ${b.count}` : b.label, rows };
}

/// Hall and bank where both fit; what they are together the explanation says.
function caption(hall: string, bank: string, width: number): string {
  const both = [hall, bank].filter(Boolean).join(': ');
  return textWidth(both, 11) <= width ? both : fitted(bank || hall, width, 11);
}

function BoxMark({ box, x, y, w }: { box: Box; x: number; y: number; w: number }) {
  const use = Math.max(0, Math.min(1, box.worst ?? box.use ?? 0));
  const name = box.count > 1 ? `${box.label} × ${box.count}` : box.label;
  const dot = name.indexOf('.');
  const [hall, short] = dot < 0 ? ['', name] : [name.slice(0, dot), name.slice(dot + 1)];
  const bank = box.unitW > 0 ? `${formatNumber(box.units)} × ${formatScaled(box.unitW, 'W')}` : '';
  const load = formatScaled(box.outputW, 'W', 3);
  const head = box.headroom === undefined ? '' : formatHeadroom(box.headroom);
  return (
    <Mark facts={facts(box)}>
      <rect class="face" x={x} y={y} width={w} height={H} rx={5} style={{ fill: 'var(--panel)', stroke: 'var(--strong-line)' }} />
      <rect x={x} y={y} width={5} height={H} rx={2} style={{ fill: colour(box) }} />
      <text x={x + 12} y={y + 16} class="soft" style={{ fontSize: '11px' }}>
        {caption(hall, bank, w - 18)}
      </text>
      <text x={x + 12} y={y + 32} style={{ fontWeight: 600 }}>
        {fitted(short, w - 18)}
      </text>
      <text x={x + 12} y={y + 48} class="soft">
        {load}
      </text>
      <text x={x + w - 7} y={y + 48} text-anchor="end" style={{ fontWeight: 600 }}>
        {head}
      </text>
      {box.use !== undefined && (
        <>
          <rect x={x + 12} y={y + 58} width={w - 20} height={8} rx={2} style={{ fill: 'var(--sunk)' }} />
          <rect x={x + 12} y={y + 58} width={(w - 20) * use} height={8} rx={2} style={{ fill: colour(box), opacity: 0.45 }} />
          <rect x={x + 12} y={y + 58} width={(w - 20) * Math.min(1, box.use)} height={8} rx={2} style={{ fill: colour(box) }} />
        </>
      )}
    </Mark>
  );
}

export function PowerChain({ chain }: { chain: Json }) {
  const c = object(at(chain, 'chain'));
  const made = boxes(c);
  if (made.boxes.length === 0) return null;
  const tallest = Math.max(...made.boxes.map((b) => b.row)) + 1;
  const height = tallest * (H + GAP) + 20;
  const load = number(c.load_w);
  const loss = number(c.loss_w);
  const given = number(c.given_w);
  const first = text(c.full_first);
  return (
    <Card
      title="Power chain"
      says={`Full load: ${given ? formatScaled(given, 'W') : '?'} in, ${loss !== undefined ? formatScaled(loss, 'W') : '?'} lost on the way to ${load ? formatScaled(load, 'W') : '?'} of loads.${first ? ` ${first} is full first.` : ''}`}
      note="Bars: use with everything well; the paler end is the worst use after any one loss. Headroom is that of the worst."
      wide
    >
      <Drawing height={height} least={made.columns * 147} most={1900} says="One-line diagram of the power chain, sources on the left, racks on the right">
        {(width) => <Chain {...made} width={width} height={height} />}
      </Drawing>
      <Legend
        items={[
          { colour: 'var(--good-fill)', label: 'headroom over 10 %' },
          { colour: 'var(--warn-fill)', label: 'within 10 %' },
          { colour: 'var(--bad-fill)', label: 'falls short' },
          { colour: 'var(--c5)', label: 'not a limit' },
        ]}
      />
    </Card>
  );
}

function Chain(props: { boxes: Box[]; wires: Wire[]; columns: number; width: number; height: number }) {
  const pitch = props.width / props.columns;
  const w = Math.min(210, pitch - 24);
  const counts = Array.from({ length: props.columns }, (_, c) => props.boxes.filter((b) => b.column === c).length);
  const x = (b: Box) => b.column * pitch + (pitch - w) / 2;
  const y = (b: Box) => {
    const n = counts[b.column] ?? 1;
    return (props.height - n * (H + GAP) + GAP) / 2 + b.row * (H + GAP);
  };
  const by = new Map(props.boxes.map((b) => [b.key, b]));
  const most = Math.max(1, ...props.wires.map((e) => e.flowW));
  return (
    <>
      {props.wires.map((e, i) => {
        const from = by.get(e.from);
        const to = by.get(e.to);
        if (!from || !to) return null;
        const x0 = x(from) + w;
        const x1 = x(to);
        const y0 = y(from) + H / 2;
        const y1 = y(to) + H / 2;
        const mid = x1 - 12;
        return (
          <path
            key={i}
            d={`M${x0},${y0}H${Math.max(x0 + 6, mid)}V${y1}H${x1}`}
            style={{
              fill: 'none',
              stroke: 'var(--strong-line)',
              strokeWidth: e.standby ? 1.5 : 1.5 + 3.5 * Math.sqrt(e.flowW / most),
              strokeDasharray: e.standby ? '4 4' : undefined,
              strokeLinejoin: 'round',
            }}
          />
        );
      })}
      {props.boxes.map((b) => (
        <BoxMark key={b.key} box={b} x={x(b)} y={y(b)} w={w} />
      ))}
    </>
  );
}
