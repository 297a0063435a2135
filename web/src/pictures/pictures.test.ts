// What pictures make of documents before they draw: hand-sized pieces with answers known beforehand.
import { expect, test } from 'vitest';
import { levels } from '../kit/Sankey';
import { decades, fitted, linear, logarithmic, textWidth } from '../kit/scale';
import { flowOf } from './Energy';
import { loopOf } from './Cooling';
import { tierRows } from './Fabric';
import { runs } from './Hall';
import { margins, standing } from './Headroom';
import { cashByYear } from './Money';
import { tasks } from './Plan';
import { boxes, commonName } from './Power';
import { undominated } from './Train';
import { hourSeries, viridis } from './Year';

test('a limit stands where the command line puts it', () => {
  expect(standing({ holds: false, headroom: -0.1 })).toBe('bad');
  expect(standing({ holds: true, headroom: 0.099 })).toBe('warn');
  expect(standing({ holds: true, headroom: 0.1 })).toBe('good');
  expect(standing({ holds: true, headroom: null })).toBe('good');
  const [m] = margins({ margins: [{ id: 'a', need: { value: 2, unit: 'kW' }, have: { value: 1, unit: 'kW' }, headroom: -0.5, holds: false, remedies: [{ action: 'more', cost: { value: 5, unit: 'USD' } }] }] });
  expect(m).toMatchObject({ need: 2, have: 1, unit: 'kW', remedies: [{ action: 'more', costUsd: 5 }] });
});

test('neighbours of a row are one run, other rows and kinds are not', () => {
  const rack = (x: number, y: number, kind: string) => ({ what: 'racks', x_m: x, y_m: y, w_m: 0.6, h_m: 1.2, racks_of: kind });
  const made = runs([rack(0, 0, 'a'), rack(0.6, 0, 'a'), rack(1.2, 0, 'b'), rack(0, 3, 'b'), { ...rack(0.6, 3, 'b'), count: 4, w_m: 2.4 }]);
  expect(made.map((r) => [r.kind, r.n])).toEqual([['a', 2], ['b', 1], ['b', 5]]);
  expect(made[2]?.w).toBeCloseTo(3);
});

test('payments of a year are one bar, what comes back stays apart', () => {
  const flow = [{ date: '2030-06-30', usd: 100 }];
  for (let m = 1; m <= 24; ++m) {
    const year = 2030 + Math.floor((5 + m) / 12);
    flow.push({ date: `${year}-${String(((5 + m) % 12) + 1).padStart(2, '0')}-30`, usd: m === 24 ? -40 : 1 });
  }
  const rows = cashByYear(flow);
  expect(rows.map((r) => [r.year, r.paid, r.back])).toEqual([[0, 100, 0], [1, 12, 0], [2, 11, -40]]);
  expect(rows[2]?.cumulative).toBe(83);
});

test('orders of one length and slack are one bar of the Gantt chart', () => {
  const t = (name: string, finish: number, critical = false) => ({ name, start_day: 0, finish_day: finish, slack_days: 3, critical });
  const made = tasks({ tasks: [t('a', 7), t('b', 7), t('c', 9, true)] });
  expect(made.map((x) => [x.name, x.critical])).toEqual([['a and 1 more', false], ['c', true]]);
});

test('the power chain goes from left to right, and a hall of many feeds is gathered', () => {
  const node = (name: string, kind: string) => ({ name, kind, stage: `hall.${kind}`, side: null, gear: null, units: 2, rating_w: 90, output_w: 10, use: 0.5, worst_use: 0.9, headroom: 0.1 });
  const edge = (from: string, to: string, flow_w = 10) => ({ from, to, flow_w });
  const few = boxes({ nodes: [node('grid', 'utility'), node('ups', 'ups'), node('rack', 'it'), node('set', 'generator')], edges: [edge('grid', 'ups'), edge('ups', 'rack'), edge('set', 'ups', 0)] });
  expect(few.boxes.map((b) => [b.label, b.column])).toEqual([['grid', 0], ['ups', 1], ['rack', 2], ['set', 0]]);
  expect(few.boxes[0]?.unitW).toBe(45);
  expect(few.wires.find((w) => w.from === 'set')?.standby).toBe(true);
  const feeds = Array.from({ length: 40 }, (_, i) => node(`hall-a.feed-${i + 1}`, 'rack-feed'));
  const many = boxes({ nodes: [node('grid', 'utility'), ...feeds], edges: feeds.map((f) => edge('grid', f.name)) });
  expect(many.boxes.map((b) => [b.label, b.count])).toEqual([['grid', 1], ['hall-a.feed', 40]]);
  expect(many.wires).toEqual([{ from: many.boxes[0]?.key, to: many.boxes[1]?.key, flowW: 400, standby: false }]);
  expect(commonName(['a', 'b'])).toBe('');
});

test('only points that nothing beats are on the front', () => {
  const p = (x: number, y: number) => ({ x, y });
  expect(undominated([p(3, 3), p(1, 2), p(2, 1), p(4, 3)])).toEqual([p(1, 2), p(3, 3)]);
});

test('a flow keeps ids of the trace and its columns follow the longest way', () => {
  const flow = flowOf({ unit: 'MWh/yr', nodes: [{ id: 'grid', label: 'at the meter', trace: 't' }, { id: 'it' }, { id: 'x' }], links: [{ from: 'grid', to: 'it', value: 3 }, { from: 'it', to: 'x', value: 1 }, { from: 'grid', to: 'x', value: 1 }] });
  expect(flow?.nodes[0]).toMatchObject({ key: 'grid', label: 'at the meter', id: 't' });
  expect([...levels(flow!.nodes, flow!.links)]).toEqual([['grid', 0], ['it', 1], ['x', 2]]);
  expect(levels([{ key: 'a' }, { key: 'b' }], [{ from: 'a', to: 'b', value: 1 }, { from: 'b', to: 'a', value: 1 }]).size).toBe(0);
  expect(flowOf({ nodes: [], links: [] })).toBeNull();
});

test('the way of the heat has only temperatures that are given', () => {
  const loop = loopOf({ compressor: true, chip_c: 60, coolant_c: 24, air_inlet_c: 22, facility_water_c: 19, tower_water_c: null, dry_bulb_c: 40, heat_w: { it: 1000, losses: 0, dry_coolers: 900, condensers: 100, towers: 0 }, electricity_w: { room_fans: 10 } }) as { nodes: { key: string; label: string }[]; links: { to: string; supply_c: unknown; heat_kw: number }[] };
  expect(loop.nodes.map((n) => n.key)).toEqual(['it', 'room', 'plant', 'dry_coolers', 'condensers']);
  expect(loop.nodes[2]?.label).toBe('chillers run');
  expect(loop.links.map((l) => [l.to, l.supply_c, l.heat_kw])).toEqual([['room', 24, 1], ['plant', 19, 1.01], ['dry_coolers', null, 0.9], ['condensers', null, 0.1]]);
});

test('tiers of a network stand from the top, endpoints last', () => {
  const rows = tierRows({ switch: 'S', system: 'DGX', systems: 4 }, { endpoints: 32, most_endpoints: 16, tiers: [{ label: 'leaf switches', switches: 2, links_down: 32 }, { label: 'spine switches', switches: 1, links_down: 32 }] });
  expect(rows.map((r) => r.title)).toEqual(['1 spine switches', '2 leaf switches', '32 endpoints']);
  expect(rows[2]?.rows).toContainEqual(['this network carries', '16']);
});

test('hours are read where the document has a whole year', () => {
  const year = { hours: { pue: Array(8760).fill(1.2), compressor: [1, 0] } };
  expect(hourSeries(year).map((s) => s.key)).toEqual(['pue']);
  expect(viridis(0)).toEqual([0x44, 0x01, 0x54]);
  expect(viridis(1)).toEqual([0xfd, 0xe7, 0x25]);
});

test('scales, decades and what fits', () => {
  expect(linear([0, 10], [0, 100])(5)).toBe(50);
  expect(linear([3, 3], [7, 9])(3)).toBe(7);
  expect(logarithmic([1, 100], [0, 2])(10)).toBeCloseTo(1);
  expect(decades(0.02, 3)).toEqual([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2].map((v) => expect.closeTo(v, 9)));
  expect(fitted('abcdefghij', textWidth('abcdef'))).toBe('abcde…');
  expect(fitted('abc', 1000)).toBe('abc');
});
