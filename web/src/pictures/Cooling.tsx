// The way of the heat from the chips outdoors in three hours of the year, with the temperatures that
// the engine gives (the report's figures: cooling; the year's sums: facility --json).
import { useState } from 'preact/hooks';
import { Card, Drawing, Legend, Tabs } from '../kit/parts';
import { Mark } from '../kit/mark';
import { PartBars } from './Train';
import { levels } from '../kit/Sankey';
import { format, formatScaled } from '../kit/format';
import { fitted } from '../kit/scale';
import { at, number, object, objects, quantity, text, type Json, type JsonObject } from '../kit/json';

const W = 178;
const H = 70;
const ROW = 128;
const LEG = 112;

/// One hour's way of the heat as boxes and legs; only temperatures the engine gives are written.
export function loopOf(moment: JsonObject): JsonObject {
  const heat = (key: string) => number(at(moment, `heat_w.${key}`)) ?? 0;
  const power = (key: string) => number(at(moment, `electricity_w.${key}`)) ?? 0;
  const inside = heat('it') + heat('losses') + power('room_fans') + power('coolant_pumps');
  const runs = moment.compressor === true;
  const ways: [string, string, Json][] = [
    ['towers', 'cooling towers', moment.tower_water_c ?? null],
    ['dry_coolers', 'dry coolers', null],
    ['condensers', 'air-cooled condensers', null],
    ['outside_air', 'outside air', null],
    ['reused', 'heat reused', null],
  ];
  const out = ways.filter(([key]) => heat(key) > 1);
  const fans = formatScaled(power('room_fans') + power('coolant_pumps'), 'W', 3);
  return {
    nodes: [
      { key: 'it', label: 'chips', t_c: moment.chip_c ?? null, heat: formatScaled(heat('it'), 'W', 4) },
      { key: 'room', label: 'doors, CDUs, rooms', what: `${fans} of fans, pumps`, t_c: null },
      { key: 'plant', label: runs ? 'chillers run' : 'no chiller runs', what: `${formatScaled(power('compressors') + power('loop_pumps') + power('heat_pumps'), 'W', 3)} with pumps`, t_c: null },
      ...out.map(([key, label]) => ({ key, label, what: key === 'reused' ? '' : `in air of ${celsius(moment.dry_bulb_c)}`, t_c: null })),
    ],
    links: [
      { from: 'it', to: 'room', medium: 'coolant, air', supply_c: moment.coolant_c ?? moment.air_inlet_c ?? null, air_c: moment.air_inlet_c ?? null, heat_kw: (heat('it') + heat('losses')) / 1000 },
      { from: 'room', to: 'plant', medium: 'facility water', supply_c: moment.facility_water_c ?? null, heat_kw: inside / 1000 },
      ...out.map(([key, , t]) => ({ from: 'plant', to: key, medium: key === 'towers' ? 'tower water' : '', supply_c: t, heat_kw: heat(key) / 1000 })),
    ],
  };
}

export function CoolingLoop({ figures }: { figures?: Json }) {
  const moments = objects(at(figures, 'cooling.moments'));
  const [key, setKey] = useState('most');
  const moment = moments.find((m) => text(m.key) === key) ?? moments[0];
  if (!moment) return null;
  const short = number(moment.short_k) ?? 0;
  return (
    <Card
      title="Cooling loop"
      says={`${text(moment.label) ?? ''}, ${text(moment.when) ?? ''}: ${celsius(moment.dry_bulb_c)} outside, wet bulb ${celsius(moment.wet_bulb_c)}; air at racks ${celsius(moment.air_inlet_c)}${number(moment.coolant_c) === undefined ? '' : `, coolant ${celsius(moment.coolant_c)}`}; ${short > 0 ? `set points missed by ${format(short, 'K', 3)}` : 'every set point is held'}.`}
      tools={
        <Tabs
          label="Hour of the year"
          value={text(moment.key) ?? ''}
          onChange={setKey}
          options={moments.map((m) => ({ key: text(m.key) ?? '', label: SHORT[text(m.key) ?? ''] ?? text(m.key) ?? '' }))}
        />
      }
      wide
    >
      <Loop loop={loopOf(moment)} />
      <Legend items={[{ colour: 'var(--c1)', label: 'supply, towards the racks' }, { colour: 'var(--c7)', label: 'return, with the heat it takes' }]} />
    </Card>
  );
}
const SHORT: Record<string, string> = { most: 'hardest hour', median: 'middle hour', least: 'easiest hour' };

const celsius = (v: Json | undefined) => (number(v) === undefined ? '' : format(number(v) ?? 0, 'degC', 3));
const heat = (l: JsonObject) => (number(l.heat_kw) === undefined ? '' : formatScaled(number(l.heat_kw) ?? 0, 'kW', 3));

function Loop({ loop }: { loop: JsonObject }) {
  const nodes = objects(loop.nodes).map((n) => ({ key: text(n.key) ?? '', label: text(n.label) ?? '', node: n }));
  const links = objects(loop.links).map((l) => ({ from: text(l.from) ?? '', to: text(l.to) ?? '', value: 1, link: l }));
  if (nodes.length < 2 || links.length === 0) return null;
  const column = levels(nodes, links);
  const columns = Math.max(2, Math.max(0, ...column.values()) + 1);
  const inColumn = (c: number) => nodes.filter((n) => column.get(n.key) === c);
  const tallest = Math.max(...Array.from({ length: columns }, (_, c) => inColumn(c).length));
  const height = tallest * ROW + 6;
  const says = links
    .map((l) => `${nodes.find((n) => n.key === l.from)?.label} to ${nodes.find((n) => n.key === l.to)?.label} by ${text(l.link.medium)}: ${celsius(l.link.supply_c)} out, ${celsius(l.link.return_c)} back, ${heat(l.link)}`)
    .join('; ');
  return (
    <Drawing height={height} least={columns * W + (columns - 1) * LEG + 8} most={1700} says={says}>
        {(width) => {
          const pitch = (width - W - 8) / (columns - 1);
          const x = (key: string) => 4 + (column.get(key) ?? 0) * pitch;
          const y = (key: string) => {
            const here = inColumn(column.get(key) ?? 0);
            const i = here.findIndex((n) => n.key === key);
            return (height - here.length * ROW) / 2 + i * ROW + (ROW - H) / 2;
          };
          return (
            <>
              {links.map((l, i) => (
                <Leg key={i} link={l.link} says={says} x0={x(l.from) + W} x1={x(l.to)} y0={y(l.from)} y1={y(l.to)} />
              ))}
              {nodes.map((n) => (
                <Mark
                  key={n.key}
                  id={text(n.node.id)}
                  facts={{
                    title: n.label,
                    rows: Object.entries(n.node).flatMap(([k, v]): [string, string][] =>
                      k === 'key' || k === 'label' || k === 'id' ? [] : quantity(v) ? [[k.replace(/_/g, ' '), formatScaled(quantity(v)?.value ?? 0, quantity(v)?.unit)]] : k === 't_c' ? [['temperature', celsius(v)]] : text(v) ? [[k, text(v) ?? '']] : [],
                    ),
                  }}
                >
                  <rect class="face" x={x(n.key)} y={y(n.key)} width={W} height={H} rx={6} style={{ fill: 'var(--panel)', stroke: 'var(--strong-line)' }} />
                  <text x={x(n.key) + W / 2} y={y(n.key) + 30} text-anchor="middle" style={{ fontWeight: 600 }}>
                    {fitted(n.label, W - 10)}
                  </text>
                  <text x={x(n.key) + W / 2} y={y(n.key) + 49} text-anchor="middle" class="soft">
                    {number(n.node.t_c) !== undefined ? celsius(n.node.t_c) : fitted(text(n.node.what) ?? '', W - 10)}
                  </text>
                </Mark>
              ))}
            </>
          );
        }}
      </Drawing>
  );
}

/// Two pipes: the warm one above, the cold one below, with what flows between them.
function Leg(p: { link: JsonObject; says: string; x0: number; x1: number; y0: number; y1: number }) {
  const mid = (p.x0 + p.x1) / 2;
  const pipe = (dy: number) => `M${p.x0},${p.y0 + dy}C${mid},${p.y0 + dy} ${mid},${p.y1 + dy} ${p.x1},${p.y1 + dy}`;
  const y = (p.y0 + p.y1) / 2;
  const flow = quantity(p.link.flow);
  const what = text(p.link.medium) ?? '';
  const warm = celsius(p.link.return_c);
  const cold = celsius(p.link.supply_c);
  const rows: [string, string][] = [];
  if (warm) rows.push(['warm', warm]);
  if (cold) rows.push(['cold', cold]);
  if (heat(p.link)) rows.push(['heat', heat(p.link)]);
  if (flow) rows.push(['flow', formatScaled(flow.value, flow.unit)]);
  return (
    <Mark facts={{ title: what, rows }}>
      <path class="face" d={pipe(12)} style={{ fill: 'none', stroke: 'var(--c7)', strokeWidth: 4 }} />
      {cold && <path class="face" d={pipe(58)} style={{ fill: 'none', stroke: 'var(--c1)', strokeWidth: 4 }} />}
      <text x={mid} y={y + 5} text-anchor="middle" class="halo">
        {warm}
      </text>
      <text x={mid} y={y + 31} text-anchor="middle" class="halo">
        {heat(p.link)}
      </text>
      <text x={mid} y={y + 46} text-anchor="middle" class="halo soft">
        {what}
      </text>
      {cold && (
        <text x={mid} y={y + 76} text-anchor="middle" class="halo">
          {cold}
        </text>
      )}
    </Mark>
  );
}

const OUT: [string, string][] = [
  ['tower', 'cooling towers'],
  ['dry_cooler', 'dry coolers'],
  ['condenser_air', 'air-cooled condensers'],
  ['outside_air', 'outside air'],
  ['reused', 'reused'],
  ['outdoors', 'transformers and other loads, outdoors'],
];

/// Where the year's heat leaves the site, and how warm it got.
export function HeatOut({ year }: { year: Json }) {
  const out = object(at(year, 'year.heat_out_j'));
  const rows = OUT.map(([key, label]) => ({ label, value: (number(out[key]) ?? 0) / 3600 })).filter((r) => r.value > 0);
  const total = rows.reduce((s, r) => s + r.value, 0);
  if (rows.length === 0) return null;
  const warm = (key: string) => celsius(at(year, `year.${key}`));
  return (
    <Card
      title="Heat of the year"
      says={`${formatScaled(total, 'Wh')} leave the site. Warmest: coolant ${warm('warmest_coolant_c')}, air at racks ${warm('warmest_inlet_c')}, facility water ${warm('warmest_supply_c')}.`}
    >
      <PartBars rows={rows.sort((a, b) => b.value - a.value)} unit="Wh" total={total} />
    </Card>
  );
}
