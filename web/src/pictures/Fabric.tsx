// The network as tiers with their counts (the report's figures: fabric).
import { Card, Drawing } from '../kit/parts';
import { Mark } from '../kit/mark';
import { Num } from '../kit/trace';
import { formatNumber, formatScaled, percent } from '../kit/format';
import { fitted, textWidth } from '../kit/scale';
import { number, object, objects, quantity, text, type Json, type JsonObject } from '../kit/json';

const ROW = 104;
const H = 52;

export function Fabric({ figures }: { figures?: Json }) {
  return (
    <>
      {objects(object(figures).fabric).flatMap((cluster, i) =>
        objects(cluster.networks).map((net, k) => <Net key={`${i}.${k}`} cluster={cluster} net={net} />),
      )}
    </>
  );
}

interface TierRow {
  title: string;
  says: string;
  rows: [string, string][];
  linksDown: number;
  id?: string;
}

/// From the top: the switches of each tier, then what hangs on the lowest.
export function tierRows(cluster: JsonObject, net: JsonObject): TierRow[] {
  const device = text(net.switch) ?? text(cluster.switch) ?? '';
  const tiers = objects(net.tiers).map((t) => ({
    title: `${formatNumber(number(t.switches) ?? 0)} ${text(t.label) ?? ''}`,
    says: device,
    rows: [
      ['switch', device],
      ['links down', formatNumber(number(t.links_down) ?? 0)],
    ] as [string, string][],
    linksDown: number(t.links_down) ?? 0,
  }));
  const ends = number(net.endpoints) ?? 0;
  const systems = number(cluster.systems);
  const most = number(net.most_endpoints);
  return [
    ...tiers.reverse(),
    {
      title: `${formatNumber(ends)} endpoints`,
      says: systems ? `${formatNumber(systems)} × ${text(cluster.system) ?? 'systems'}` : '',
      rows: [
        ['endpoints', formatNumber(ends)],
        ...(most ? [['this network carries', formatNumber(most)] as [string, string]] : []),
        ...(number(cluster.gpus) ? [['GPUs', formatNumber(number(cluster.gpus) ?? 0)] as [string, string]] : []),
      ],
      linksDown: 0,
    },
  ];
}

const amount = (v: Json | undefined) => {
  const q = quantity(v);
  return q ? formatScaled(q.value, q.unit) : undefined;
};

function Net({ cluster, net }: { cluster: JsonObject; net: JsonObject }) {
  const tiers = tierRows(cluster, net);
  if (tiers.length < 2) return null;
  const height = tiers.length * ROW - (ROW - H) + 24;
  const ends = number(net.endpoints) ?? 0;
  const most = number(net.most_endpoints) ?? Infinity;
  const says = [
    `${formatNumber(ends)} endpoints${ends > most ? `, but this network carries only ${formatNumber(most)}` : ''}`,
    number(net.bisection) !== undefined ? `bisection ${percent(number(net.bisection) ?? 0, 0)} of full` : '',
    number(net.hops) ? `${formatNumber(number(net.hops) ?? 0)} switches on the longest way` : '',
  ]
    .filter(Boolean)
    .join('; ');
  const facts = [
    ['scale-up a GPU', amount(cluster.scale_up)],
    ['scale-out a GPU', amount(cluster.scale_out)],
    ['latency', amount(cluster.latency)],
    ['rails', number(cluster.rails) ? formatNumber(number(cluster.rails) ?? 0) : undefined],
    ['cables in all', number(cluster.cables) ? formatNumber(number(cluster.cables) ?? 0) : undefined],
  ].filter((f) => f[1]);
  return (
    <Card
      title={`${text(net.title) ?? 'Network'} of ${text(cluster.cluster) ?? ''}`.replace(/^./, (c) => c.toUpperCase())}
      says={`${says}.`}
      note={
        <>
          {facts.map(([k, v]) => `${k} ${v}`).join('; ')}
          {quantity(cluster.power) && (
            <>
              ; power <Num id={text(cluster.power_id)}>{amount(cluster.power)}</Num>, capital <Num id={text(cluster.capital_id)}>{amount(cluster.capital)}</Num> of all its networks
            </>
          )}
        </>
      }
    >
      <Drawing height={height} least={300} most={900} says={`${tiers.map((t) => t.title).join(', ')}. ${says}`}>
        {(width) => (
          <>
            {tiers.slice(0, -1).map((tier, i) => (
              <Links key={i} count={tier.linksDown} y0={12 + i * ROW + H} y1={12 + (i + 1) * ROW} width={width} />
            ))}
            {tiers.map((tier, i) => (
              <Tier key={i} tier={tier} y={12 + i * ROW} width={width} short={i === tiers.length - 1 && ends > most} />
            ))}
          </>
        )}
      </Drawing>
    </Card>
  );
}

const spread = (count: number) => Math.max(3, Math.min(9, Math.round(2 + Math.log10(Math.max(1, count)) * 2)));

function Tier({ tier, y, width, short }: { tier: TierRow; y: number; width: number; short: boolean }) {
  const w = Math.min(width - 14, 400);
  const x = (width - w) / 2;
  return (
    <Mark id={tier.id} facts={{ title: tier.title, rows: tier.rows }}>
      {[2, 1].map((k) => (
        <rect key={k} x={x + k * 4} y={y - k * 3} width={w} height={H} rx={5} style={{ fill: 'var(--panel)', stroke: 'var(--line)' }} />
      ))}
      <rect class="face" x={x} y={y} width={w} height={H} rx={5} style={{ fill: 'var(--panel)', stroke: short ? 'var(--bad-fill)' : 'var(--strong-line)', strokeWidth: short ? 2 : 1 }} />
      <text x={width / 2} y={y + 21} text-anchor="middle" style={{ fontWeight: 600 }}>
        {tier.title}
      </text>
      <text x={width / 2} y={y + 39} text-anchor="middle" class="soft">
        {fitted(tier.says, w - 14)}
      </text>
    </Mark>
  );
}

function Links(props: { count: number; y0: number; y1: number; width: number }) {
  const n = spread(props.count);
  const w = Math.min(props.width - 60, 340);
  const at = (i: number) => props.width / 2 - w / 2 + (w * (i + 0.5)) / n;
  let lines = '';
  for (let i = 0; i < n; ++i)
    for (const k of [i, i + 1]) if (k < n) lines += `M${at(i).toFixed(1)},${props.y0}L${at(k).toFixed(1)},${props.y1}M${at(k).toFixed(1)},${props.y0}L${at(i).toFixed(1)},${props.y1}`;
  const label = `${formatNumber(props.count)} links`;
  const mid = (props.y0 + props.y1) / 2;
  return (
    <g>
      <path d={lines} style={{ stroke: 'var(--c1)', opacity: 0.4, fill: 'none' }} />
      <rect x={props.width / 2 - textWidth(label) / 2 - 6} y={mid - 10} width={textWidth(label) + 12} height={20} rx={3} style={{ fill: 'var(--panel)' }} />
      <text x={props.width / 2} y={mid + 4} text-anchor="middle">
        {label}
      </text>
    </g>
  );
}
