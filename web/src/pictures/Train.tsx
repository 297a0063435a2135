// A training run: one step by pipeline rank, where its time goes, memory by item, plans on their
// front (train --json with the pipeline that `headroom report` adds).
import { Card, Drawing, Legend, Table } from '../kit/parts';
import { Mark } from '../kit/mark';
import { Amount } from '../kit/trace';
import { Plot, path } from '../kit/Plot';
import { format, formatNumber, formatScaled, percent } from '../kit/format';
import { linear, textWidth, ticks } from '../kit/scale';
import {
  at, figures, list, number, numbers, object, objects, quantity, text, texts, type Json, type JsonObject,
} from '../kit/json';

export const trainRuns = (train: Json | undefined): JsonObject[] => objects(object(train).runs);

const PASS_COLOURS = ['var(--c1)', 'var(--c3)', 'var(--c4)', 'var(--c6)', 'var(--c2)'];
const LANE = 20;

/// One step, a lane a pipeline rank. Passes next to each other of one kind and chunk share a path.
export function StepTimeline({ run }: { run: JsonObject }) {
  const pipeline = object(run.pipeline);
  const ranks = objects(pipeline.ranks);
  const total = number(pipeline.total_ms) ?? 0;
  if (ranks.length === 0 || total <= 0) return null;
  const kinds = texts(pipeline.kinds);
  const all = number(pipeline.ranks_in_all) ?? ranks.length;
  const chunks = number(pipeline.chunks) ?? 1;
  const idle = ranks.map((r) => number(r.idle_share) ?? 0);
  const says = `${formatNumber(number(pipeline.micro_batches) ?? 0)} micro-batches over ${formatNumber(all)} pipeline ranks${
    chunks > 1 ? ` of ${formatNumber(chunks)} chunks` : ''
  } (${text(pipeline.schedule) ?? 'schedule'}): ${formatScaled(total / 1000, 's')}; ranks idle ${percent(Math.min(...idle), 0)} to ${percent(Math.max(...idle), 0)}.`;
  const height = ranks.length * LANE + 44;
  return (
    <Card
      title={`A step of ${text(run.workload) ?? 'the run'} by pipeline rank`}
      says={says}
      note={`${all > ranks.length ? `${ranks.length} of ${all} ranks are drawn. ` : ''}Forward and backward passes and their waiting; exchange of gradients and the optimiser follow.`}
      wide
    >
      <Drawing height={height} least={560} most={1800} says={says}>
        {(width) => {
          const left = 62;
          const x = linear([0, total], [left, width - 12]);
          const marks = ticks(0, total, Math.max(3, Math.floor(width / 130)));
          return (
            <>
              {marks.map((v) => (
                <g key={v}>
                  <path class="grid" d={`M${x(v)},8V${height - 30}`} />
                  <text x={x(v)} y={height - 12} text-anchor="middle">
                    {v === 0 ? '0' : formatScaled(v / 1000, 's')}
                  </text>
                </g>
              ))}
              {ranks.map((rank, i) => (
                <Lane key={i} rank={rank} kinds={kinds} chunks={chunks} y={8 + i * LANE} x={x} total={total} />
              ))}
            </>
          );
        }}
      </Drawing>
      <Legend
        items={[
          ...kinds.map((kind, i) => ({ colour: PASS_COLOURS[i % 5] ?? '', label: `${kind} pass` })),
          { colour: 'var(--sunk)', border: 'var(--line)', label: 'waiting' },
        ]}
      />
    </Card>
  );
}

function Lane(props: { rank: JsonObject; kinds: string[]; chunks: number; y: number; x: (v: number) => number; total: number }) {
  const { rank, x, y } = props;
  const paths = new Map<string, string>();
  for (const pass of list(rank.passes).map(numbers)) {
    const [kind = 0, , chunk = 0, start = 0, end = 0] = pass;
    const key = `${kind}:${chunk}`;
    const w = Math.max(0.35, x(end) - x(start) - 0.4);
    const box = `M${x(start).toFixed(1)},${y + 2}h${w.toFixed(2)}v${LANE - 4}h-${w.toFixed(2)}z`;
    paths.set(key, (paths.get(key) ?? '') + box);
  }
  const name = `rank ${number(rank.rank) ?? 0}`;
  const idle = object(rank.idle_ms);
  const rows: [string, string][] = [
    ['busy', formatScaled((number(rank.busy_ms) ?? 0) / 1000, 's')],
    ...Object.entries(idle)
      .filter(([, v]) => (number(v) ?? 0) > 0.001)
      .map(([k, v]): [string, string] => [`waits: ${k}`, formatScaled((number(v) ?? 0) / 1000, 's')]),
    ['idle', percent(number(rank.idle_share) ?? 0)],
  ];
  return (
    <Mark facts={{ title: name, rows }}>
      <rect class="face" x={x(0)} y={y + 2} width={x(props.total) - x(0)} height={LANE - 4} style={{ fill: 'var(--sunk)' }} />
      <text x={2} y={y + LANE - 6}>
        {name}
      </text>
      {[...paths].map(([key, d]) => {
        const [kind = 0, chunk = 0] = key.split(':').map(Number);
        const fade = props.chunks > 1 ? 1 - (0.55 * chunk) / (props.chunks - 1) : 1;
        return <path key={key} d={d} style={{ fill: PASS_COLOURS[kind % 5], opacity: fade }} />;
      })}
    </Mark>
  );
}

/// Where the time of a step goes; what is hidden behind computing stands beside it.
export function StepParts({ run }: { run: JsonObject }) {
  const parts = objects(at(run, 'step.parts')).filter((p) => Math.abs(number(p.exposed_s) ?? 0) > 1e-6);
  const total = number(at(run, 'step.total_s'));
  if (parts.length === 0 || !total) return null;
  const rows = parts.map((p) => ({
    label: text(p.part) ?? '',
    value: number(p.exposed_s) ?? 0,
    beside: number(p.hidden_s) ?? 0,
  }));
  rows.sort((a, b) => b.value - a.value);
  return (
    <Card
      title="Where a step's time goes"
      says={`${formatScaled(total, 's')} a step. Pale: runs at the same time as computing and costs nothing more.`}
    >
      <PartBars rows={rows} unit="s" total={total} besides="hidden" />
    </Card>
  );
}

export interface PartRow {
  label: string;
  value: number;
  beside?: number;
  id?: string;
}

/// Bars of one unit, each with its share; negative ones stand to the left of zero.
export function PartBars(props: { rows: PartRow[]; unit: string; total: number; besides?: string; says?: string }) {
  const most = Math.max(...props.rows.map((r) => Math.max(0, r.value) + Math.max(0, r.beside ?? 0)), 1e-30);
  const least = Math.min(0, ...props.rows.map((r) => r.value));
  const share = (v: number) => `${(100 * Math.abs(v)) / (most - least)}%`;
  return (
    <ul class="bars" aria-label={props.says}>
      {props.rows.map((r) => (
        <li key={r.label}>
          <span class="bars-name">{r.label}</span>
          <span class="bars-track" aria-hidden="true">
            <span style={{ left: share(r.value < 0 ? least - r.value : least), width: share(r.value), background: r.value < 0 ? 'var(--c3)' : 'var(--c1)' }} />
            {(r.beside ?? 0) > 0 && (
              <span style={{ left: `calc(${share(least)} + ${share(r.value)})`, width: share(r.beside ?? 0), background: 'color-mix(in srgb, var(--c1) 30%, var(--panel))' }} />
            )}
          </span>
          <span class="bars-value">
            <Amount value={r.value} unit={props.unit} id={r.id} /> <span class="soft">{percent(r.value / props.total)}</span>
            {(r.beside ?? 0) > 0 && <span class="visually-hidden">, {formatScaled(r.beside ?? 0, props.unit)} {props.besides}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

const ITEM_COLOURS = ['--c1', '--c6', '--c4', '--c3', '--c2', '--c8', '--c7', '--c5'].map((c) => `var(${c})`);

/// What fills one GPU's memory, up to what may be used and what there is.
export function MemoryByItem({ memory, title }: { memory: JsonObject; title?: string }) {
  const unit = text(memory.unit) ?? 'GB';
  const items = Object.entries(object(memory.items))
    .map(([label, v]) => ({ label, value: number(v) ?? 0 }))
    .filter((i) => i.value > 0);
  const have = number(memory.have) ?? 0;
  const idle = (label: string) => /free|left to others/.test(label);
  const need = number(memory.need) ?? items.filter((i) => !idle(i.label)).reduce((s, i) => s + i.value, 0);
  const safe = number(memory.safe);
  if (items.length === 0 || have <= 0) return null;
  const colour = (label: string, i: number) => (idle(label) ? `color-mix(in srgb, var(--c5) ${/free/.test(label) ? 18 : 40}%, var(--panel))` : (ITEM_COLOURS[i % 8] ?? ''));
  const most = Math.max(have, need) * 1.04;
  const says = `${format(need, unit)} of ${format(have, unit)}${text(memory.rank) ? ` on ${text(memory.rank)}` : ''}.`;
  return (
    <Card title={title ?? 'Memory of one GPU'} says={says}>
      <Drawing height={112} least={300} most={1200} says={`${says} ${items.map((i) => `${i.label} ${format(i.value, unit)}`).join(', ')}`}>
        {(width) => {
          const x = linear([0, most], [6, width - 8]);
          let start = 0;
          const wall = (v: number, label: string, y: number, dash: string) => (
            <g>
              <path d={`M${x(v)},24V76`} style={{ stroke: 'var(--ink)', strokeWidth: 1.5, strokeDasharray: dash }} />
              <text x={Math.min(x(v), width - textWidth(label) / 2 - 2)} y={y} text-anchor="middle">
                {label}
              </text>
            </g>
          );
          return (
            <>
              <rect x={x(0)} y={32} width={x(have) - x(0)} height={36} style={{ fill: 'var(--sunk)' }} />
              {items.map((item, i) => {
                const from = start;
                start += item.value;
                const w = x(start) - x(from);
                return (
                  <Mark
                    key={item.label}
                    says={`${item.label}: ${format(item.value, unit)}`}
                    facts={{ title: item.label, value: format(item.value, unit), rows: [['share', `${percent(item.value / have)} of ${format(have, unit)}`]] }}
                  >
                    <rect class="face" x={x(from)} y={32} width={Math.max(0.5, w - 0.6)} height={36} style={{ fill: colour(item.label, i) }} />
                  </Mark>
                );
              })}
              {wall(have, `there is ${format(have, unit)}`, 18, '')}
              {safe !== undefined && safe < have && wall(safe, `safe up to ${format(safe, unit)}`, 92, '3 3')}
            </>
          );
        }}
      </Drawing>
      <Legend items={items.map((item, i) => ({ colour: colour(item.label, i), border: 'var(--line)', label: `${item.label} ${format(item.value, unit)}` }))} />
    </Card>
  );
}

interface Point {
  label: string;
  x: number;
  y: number;
  chosen: boolean;
  cost?: string;
}

/// Plans by memory and speed: none on the line is beaten in both.
export function ParetoPlans({ run }: { run: JsonObject }) {
  const front = objects(run.front).length ? objects(run.front) : objects(run.plans);
  const chosen = text(object(objects(run.plans)[0]).summary);
  const points: Point[] = front.flatMap((p) => {
    const x = quantity(p.memory)?.value;
    const y = quantity(p.tokens_per_s)?.value;
    const cost = quantity(p.cost);
    if (x === undefined || y === undefined) return [];
    return [{ label: text(p.summary) ?? '', x, y, chosen: text(p.summary) === chosen, cost: cost && formatScaled(cost.value, cost.unit) }];
  });
  if (points.length < 2) return null;
  const have = number(at(run, 'memory.have'));
  const unit = quantity(front[0]?.memory)?.unit ?? 'GB';
  const high = Math.max(...points.map((p) => p.y));
  const best = undominated(points);
  const inAll = number(run.front_in_all) ?? number(run.evaluated);
  return (
    <Card
      title="Plans: speed against memory"
      says={`The chosen plan is ringed; no plan on the line is beaten in both.${inAll ? ` ${formatNumber(inAll)} plans were compared.` : ''}`}
    >
      <Plot
        says={`Plans by memory of a GPU and tokens a second: ${points.map((p) => `${p.label}, ${format(p.x, unit)}, ${formatScaled(p.y, 'token/s')}`).join('; ')}`}
        x={{ label: `memory of a GPU, ${unit}`, low: 0, high: Math.max(have ?? 0, ...points.map((p) => p.x)) * 1.05 }}
        y={{ label: 'tokens a second', low: 0, high: high * 1.12, tick: (v) => (v === 0 ? '0' : formatScaled(v, 'token/s', 3)) }}
      >
        {(f) => (
          <>
            {have && (
              <>
                <path d={`M${f.x(have)},${f.top}V${f.bottom}`} style={{ stroke: 'var(--ink)', strokeDasharray: '4 3' }} />
                <text x={f.x(have) - 4} y={f.top + 10} text-anchor="end" class="soft halo">
                  {format(have, unit)} there
                </text>
              </>
            )}
            <path d={path(best.map((p) => [f.x(p.x), f.y(p.y)]))} style={{ fill: 'none', stroke: 'var(--c1)', strokeWidth: 1.5, strokeDasharray: '2 3' }} />
            {points.map((p, i) => (
              <Mark
                key={i}
                says={`${p.label}: ${format(p.x, unit)}, ${formatScaled(p.y, 'token/s')}`}
                facts={{ title: p.label, rows: [['memory', format(p.x, unit)], ['speed', formatScaled(p.y, 'token/s')], ...(p.cost ? [['cost', p.cost] as [string, string]] : [])] }}
              >
                <circle cx={f.x(p.x)} cy={f.y(p.y)} r={11} style={{ fill: 'transparent' }} />
                <circle class="face" cx={f.x(p.x)} cy={f.y(p.y)} r={4.5} style={{ fill: best.includes(p) ? 'var(--c1)' : 'var(--c5)' }} />
                {p.chosen && <circle cx={f.x(p.x)} cy={f.y(p.y)} r={8.5} style={{ fill: 'none', stroke: 'var(--c7)', strokeWidth: 2.5 }} />}
              </Mark>
            ))}
          </>
        )}
      </Plot>
    </Card>
  );
}

/// Points that no other beats in less x and more y, by x.
export function undominated<P extends { x: number; y: number }>(points: P[]): P[] {
  const by = [...points].sort((a, b) => a.x - b.x || b.y - a.y);
  let best = -Infinity;
  return by.filter((p) => p.y > best && ((best = p.y), true));
}

const SECTIONS: [string, string][] = [
  ['speed', 'Speed'],
  ['run', 'The run'],
  ['reliability', 'Stops and checkpoints'],
  ['energy', 'Energy'],
  ['money', 'Money'],
];

/// The run's figures and how sure they are.
export function RunFigures({ run, sections = SECTIONS }: { run: JsonObject; sections?: [string, string][] }) {
  const rows = sections.flatMap(([key, head]) => figures(run[key]).map((f) => ({ head, ...f })));
  const ranges = Object.entries(object(run.interval80)).filter(([, v]) => number(object(v).low) !== undefined);
  if (rows.length === 0) return null;
  return (
    <Card title={`Figures of ${text(run.workload) ?? 'the run'}`}>
      <Table
        caption="Figures of the run"
        rows={rows}
        columns={[
          { head: 'figure', cell: (r) => r.label },
          { head: 'value', number: true, cell: (r) => <Amount value={r.value} unit={r.unit} id={r.id} /> },
        ]}
      />
      {ranges.length > 0 && (
        <p class="note">
          Four of five such runs lie within:{' '}
          {ranges
            .map(([key, v]) => {
              const o = object(v);
              const unit = text(o.unit) ?? '';
              return `${key.replace(/_/g, ' ')} ${formatScaled(number(o.low) ?? 0, unit)} to ${formatScaled(number(o.high) ?? 0, unit)}`;
            })
            .join('; ')}{' '}
          ({text(at(run, 'interval80.from'))}).
        </p>
      )}
      <Validity of={run} />
    </Card>
  );
}

/// Whether measured runs stand behind the figures, and what lies outside of them.
export function Validity({ of }: { of: JsonObject }) {
  const domain = object(of.validated_domain);
  if (domain.inside === undefined) return null;
  const why = texts(domain.outside_because);
  return domain.inside === true ? (
    <p class="note">
      <span class="trust">validated</span> Measured runs of this kind stand behind these figures.
    </p>
  ) : (
    <p class="note">
      <span class="trust unsure">outside what was validated</span> {why.join('; ')}.
    </p>
  );
}
