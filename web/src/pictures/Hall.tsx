// The halls from above, racks coloured by heat or by weight (facility --layout --json).
import { useState } from 'preact/hooks';
import { Card, Drawing, Legend, Tabs } from '../kit/parts';
import { Mark } from '../kit/mark';
import { format, formatNumber, formatScaled } from '../kit/format';
import { number, numbers, list, object, objects, text, type Json, type JsonObject } from '../kit/json';

type By = 'power' | 'mass';

export interface Run {
  what: string;
  kind: string;
  x: number;
  y: number;
  w: number;
  h: number;
  n: number;
}

/// Neighbours of one kind in a row are one run: a hall of thousands of racks is drawn in hundreds.
export function runs(blocks: JsonObject[]): Run[] {
  const out: Run[] = [];
  for (const b of blocks) {
    const run: Run = {
      what: text(b.what) ?? '',
      kind: text(b.racks_of) ?? '',
      x: number(b.x_m) ?? 0,
      y: number(b.y_m) ?? 0,
      w: number(b.w_m) ?? 0,
      h: number(b.h_m) ?? 0,
      n: number(b.n) ?? number(b.count) ?? 1,
    };
    const last = out[out.length - 1];
    const joins =
      last &&
      (run.what === 'racks' || run.what === 'free positions') &&
      last.what === run.what &&
      last.kind === run.kind &&
      Math.abs(last.y - run.y) < 0.005 &&
      Math.abs(last.h - run.h) < 0.005 &&
      Math.abs(last.x + last.w - run.x) < 0.02;
    if (joins) {
      last.w = run.x + run.w - last.x;
      last.n += run.n;
    } else {
      out.push(run);
    }
  }
  return out;
}

const ROOM: Record<string, string> = {
  'cold aisles': 'color-mix(in srgb, var(--c1) 16%, var(--panel))',
  'hot aisles': 'color-mix(in srgb, var(--c7) 18%, var(--panel))',
  'end aisles': 'var(--sunk)',
  'pipe space': 'color-mix(in srgb, var(--c3) 20%, var(--panel))',
  'power room': 'color-mix(in srgb, var(--c2) 16%, var(--panel))',
  CDUs: 'var(--c3)',
  'room units': 'var(--c1)',
};
const FLAT = new Set(['cold aisles', 'hot aisles', 'end aisles', 'pipe space', 'power room']);

/// Five steps from pale to strong; the darkest are the fullest.
const STEPS = [36, 52, 68, 84, 100].map((p) => `color-mix(in srgb, var(--c7) ${p}%, var(--panel))`);

function shade(value: number | undefined, least: number, most: number): string {
  if (value === undefined) return 'var(--c5)';
  const share = most > least ? (value - least) / (most - least) : 1;
  return STEPS[Math.min(4, Math.floor(share * 5))] ?? 'var(--c7)';
}

interface Kind {
  name: string;
  count: number;
  powerW?: number;
  massKg?: number;
}

function kindsOf(hall: JsonObject): Map<string, Kind> {
  return new Map(
    objects(hall.kinds).map((k) => [
      text(k.name) ?? '',
      { name: text(k.name) ?? '', count: number(k.count) ?? 0, powerW: number(k.power_w), massKg: number(k.mass_kg) },
    ]),
  );
}
const valueOf = (k: Kind | undefined, by: By) => (by === 'power' ? k?.powerW : k?.massKg);
const shown = (v: number | undefined, by: By) =>
  v === undefined ? 'not known' : by === 'power' ? formatScaled(v, 'W') : format(v, 'kg');

export function HallLayout({ layout }: { layout: Json }) {
  const halls = objects(object(layout).halls);
  return <>{halls.map((hall, i) => <Hall key={i} hall={hall} />)}</>;
}

function Hall({ hall }: { hall: JsonObject }) {
  const [by, setBy] = useState<By>('power');
  const blocks = runs(objects(hall.blocks));
  if (blocks.length === 0) return null;
  const kinds = kindsOf(hall);
  const known = [...kinds.values()].map((k) => valueOf(k, by)).filter((v): v is number => v !== undefined);
  const least = Math.min(0, ...known);
  const most = Math.max(1, ...known);
  const left = Math.min(...blocks.map((b) => b.x));
  const top = Math.min(...blocks.map((b) => b.y));
  const right = Math.max(...blocks.map((b) => b.x + b.w));
  const bottom = Math.max(...blocks.map((b) => b.y + b.h));
  const [length, width] = [right - left, bottom - top];
  const tall = (w: number) => Math.min(720, ((w - 60) / length) * width) + 44;
  const short = objects(hall.limits).filter((l) => l.holds === false);
  const says = `${formatNumber(number(hall.racks) ?? 0)} racks in ${formatNumber(number(hall.rows) ?? 0)} rows; ${format(number(hall.needed_m2) ?? 0, 'm2')} of white space${
    number(hall.area_m2) ? ` of ${format(number(hall.area_m2) ?? 0, 'm2')}` : ''
  }. ${short.length ? `Falls short: ${short.map((l) => text(l.limit)).join(', ')}.` : 'Every limit of the hall holds.'}`;
  const drawn = new Set(blocks.map((b) => b.what));
  return (
    <Card
      title={`Layout of ${text(hall.hall) ?? 'the hall'}`}
      says={says}
      tools={
        <Tabs
          label="Racks coloured by"
          value={by}
          onChange={setBy}
          options={[
            { key: 'power', label: 'heat a rack' },
            { key: 'mass', label: 'weight a rack' },
          ]}
        />
      }
      wide
    >
      <Drawing height={tall} least={420} most={1500} says={`Plan of ${text(hall.hall) ?? 'the hall'}: ${says}`}>
        {(w) => {
          const k = Math.min((w - 60) / length, (tall(w) - 44) / width);
          const x = (m: number) => 46 + (m - left) * k;
          const y = (m: number) => 26 + (m - top) * k;
          return (
            <>
              {[...blocks].sort((a, b) => Number(FLAT.has(b.what)) - Number(FLAT.has(a.what))).map((b, i) => (
                <Block key={i} run={b} kind={kinds.get(b.kind)} by={by} fill={fillOf(b, kinds, by, least, most)} x={x(b.x)} y={y(b.y)} k={k} />
              ))}
              <Route hall={hall} x={x} y={y} />
              <Sizes x0={x(left)} x1={x(right)} y0={y(top)} y1={y(bottom)} length={length} width={width} />
            </>
          );
        }}
      </Drawing>
      <Legend
        items={[
          ...[...kinds.values()].map((kind) => ({
            colour: shade(valueOf(kind, by), least, most),
            label: `${kind.name}: ${formatNumber(kind.count)} × ${shown(valueOf(kind, by), by)}`,
          })),
          ...Object.entries(ROOM).filter(([name]) => drawn.has(name)).map(([name, colour]) => ({ colour, label: name, border: 'var(--line)' })),
          ...(drawn.has('free positions') ? [{ colour: 'transparent', border: 'var(--strong-line)', label: 'free positions' }] : []),
        ]}
      />
    </Card>
  );
}

function fillOf(run: Run, kinds: Map<string, Kind>, by: By, least: number, most: number): string {
  if (run.what === 'racks') return shade(valueOf(kinds.get(run.kind), by), least, most);
  if (run.what === 'free positions') return 'transparent';
  return ROOM[run.what] ?? 'var(--c5)';
}

function Block(props: { run: Run; kind?: Kind; by: By; fill: string; x: number; y: number; k: number }) {
  const { run, k } = props;
  const w = Math.max(0.5, run.w * k);
  const h = Math.max(0.5, run.h * k);
  const face = (
    <rect
      x={props.x}
      y={props.y}
      width={w}
      height={h}
      style={{
        fill: props.fill,
        stroke: FLAT.has(run.what) ? 'none' : run.what === 'free positions' ? 'var(--strong-line)' : run.what === 'racks' ? 'var(--c7)' : 'var(--panel)',
        strokeWidth: 0.6,
      }}
    />
  );
  const each = w / run.n;
  return (
    <g>
      <title>
        {run.what === 'racks'
          ? `${run.n} × ${run.kind}: ${shown(props.kind?.powerW, 'power')}, ${shown(props.kind?.massKg, 'mass')} each`
          : run.n > 1
            ? `${run.n} ${run.what}`
            : run.what}
      </title>
      {face}
      {run.n > 1 && each >= 4 && (
        <path
          d={Array.from({ length: run.n - 1 }, (_, i) => `M${(props.x + each * (i + 1)).toFixed(1)},${props.y.toFixed(1)}v${h.toFixed(1)}`).join('')}
          style={{ stroke: run.what === 'racks' ? 'var(--panel)' : 'var(--strong-line)', strokeWidth: 0.8 }}
        />
      )}
      {run.what === 'power room' && w > 90 && h > 24 && (
        <text x={props.x + w / 2} y={props.y + h / 2 + 4} text-anchor="middle" class="soft">
          {run.what}
        </text>
      )}
    </g>
  );
}

function Route({ hall, x, y }: { hall: JsonObject; x: (m: number) => number; y: (m: number) => number }) {
  const route = list(hall.route_m).map(numbers).filter((p) => p.length === 2);
  if (route.length < 2) return null;
  return (
    <Mark says="Way from the door to the heaviest rack" facts={{ title: 'route', rows: [['what', 'way from the door to the heaviest rack']] }}>
      <polyline
        points={route.map(([px = 0, py = 0]) => `${x(px)},${y(py)}`).join(' ')}
        style={{ fill: 'none', stroke: 'var(--c4)', strokeWidth: 2, strokeDasharray: '7 4' }}
      />
    </Mark>
  );
}

function Sizes(p: { x0: number; x1: number; y0: number; y1: number; length: number; width: number }) {
  return (
    <g>
      <path class="axis" d={`M${p.x0},16H${p.x1}M${p.x0},12v8M${p.x1},12v8M${p.x0 - 10},${p.y0}V${p.y1}M${p.x0 - 14},${p.y0}h8M${p.x0 - 14},${p.y1}h8`} />
      <text x={(p.x0 + p.x1) / 2} y={12} text-anchor="middle" class="soft halo">
        {format(p.length, 'm', 3)}
      </text>
      <text transform={`translate(${p.x0 - 18},${(p.y0 + p.y1) / 2}) rotate(-90)`} text-anchor="middle" class="soft halo">
        {format(p.width, 'm', 3)}
      </text>
    </g>
  );
}
