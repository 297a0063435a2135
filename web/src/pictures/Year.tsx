// The weather year, a cell an hour: days from left to right, hours from top to bottom
// (facility --json with the hours that `headroom report` adds).
import { useEffect, useRef, useState } from 'preact/hooks';
import { Card, Table, Tabs, useWidth } from '../kit/parts';
import { Amount } from '../kit/trace';
import { format, formatNumber, formatScaled, hourOfYear, monthName, percent } from '../kit/format';
import { at, number, numbers, object, objects, texts, text, type Json } from '../kit/json';

interface Series {
  key: string;
  label: string;
  unit: string;
  values: number[];
  tell: (v: number) => string;
}

const KNOWN: [string[], string, string, (v: number) => string][] = [
  [['pue'], 'PUE', '', (v) => `PUE ${formatNumber(v)}`],
  [['chiller', 'compressor', 'chiller_share'], 'chiller', '', (v) => (v > 0 ? `chiller ${percent(v, 0)} of the hour` : 'no chiller')],
  [['outdoor_c', 'dry_bulb_c'], 'outdoor air', 'degC', (v) => `${format(v, 'degC', 3)} outside`],
  [['wet_bulb_c'], 'wet bulb', 'degC', (v) => `wet bulb ${format(v, 'degC', 3)}`],
  [['meter_mw'], 'at the meter', 'MW', (v) => `${format(v, 'MW')} at the meter`],
  [['meter_kw'], 'at the meter', 'kW', (v) => `${formatScaled(v, 'kW')} at the meter`],
  [['meter_w'], 'at the meter', 'W', (v) => `${formatScaled(v, 'W')} at the meter`],
  [['water_kg_s'], 'water', 'kg/s', (v) => `${format(v, 'kg/s', 3)} of water`],
];

export function hourSeries(year: Json): Series[] {
  const hours = object(object(year).hours);
  return KNOWN.flatMap(([keys, label, unit, tell]) => {
    const key = keys.find((k) => Array.isArray(hours[k]));
    const values = key ? numbers(hours[key]) : [];
    return key && values.length >= 8760 ? [{ key, label, unit, values, tell }] : [];
  });
}

/// Viridis at eleven steps (matplotlib, CC0): even in lightness, safe for colour-blind eyes.
const VIRIDIS = ['440154', '482475', '414487', '355f8d', '2a788e', '21918c', '22a884', '44bf70', '7ad151', 'bddf26', 'fde725'];
const RGB = VIRIDIS.map((h) => [0, 2, 4].map((i) => parseInt(h.slice(i, i + 2), 16)));
export function viridis(share: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, share)) * (RGB.length - 1);
  const i = Math.min(RGB.length - 2, Math.floor(at));
  const mix = (c: number) => Math.round((RGB[i]?.[c] ?? 0) + ((RGB[i + 1]?.[c] ?? 0) - (RGB[i]?.[c] ?? 0)) * (at - i));
  return [mix(0), mix(1), mix(2)];
}

function range(values: number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const v of values)
    if (Number.isFinite(v)) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}

/// Painted at a cell a point, then stretched by the page.
function paint(canvas: HTMLCanvasElement, values: number[], low: number, high: number) {
  canvas.width = 365;
  canvas.height = 24;
  const context = canvas.getContext('2d');
  if (!context) return;
  const image = context.createImageData(365, 24);
  for (let day = 0; day < 365; ++day)
    for (let hour = 0; hour < 24; ++hour) {
      const [r, g, b] = viridis(((values[day * 24 + hour] ?? low) - low) / (high - low));
      image.data.set([r, g, b, 255], (hour * 365 + day) * 4);
    }
  context.putImageData(image, 0, 0);
}

const MONTH_START = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

function Map({ series, all }: { series: Series; all: Series[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [box, width] = useWidth();
  const [hour, setHour] = useState<number | null>(null);
  const [low, high] = range(series.values);
  useEffect(() => {
    if (canvas.current) paint(canvas.current, series.values, low, high);
  }, [series]);
  const point = (e: PointerEvent) => {
    const r = (e.currentTarget as Element).getBoundingClientRect();
    const day = Math.min(364, Math.max(0, Math.floor(((e.clientX - r.left) / r.width) * 365)));
    const clock = Math.min(23, Math.max(0, Math.floor(((e.clientY - r.top) / r.height) * 24)));
    setHour(day * 24 + clock);
  };
  const key = (e: KeyboardEvent) => {
    const step = { ArrowLeft: -24, ArrowRight: 24, ArrowUp: -1, ArrowDown: 1 }[e.key];
    if (!step) return;
    e.preventDefault();
    setHour((h) => Math.min(8759, Math.max(0, (h ?? 0) + step)));
  };
  const tells = hour === null ? '' : `${hourOfYear(hour)}: ${all.map((s) => s.tell(s.values[hour] ?? NaN)).join(', ')}`;
  const every = width < 520 ? 2 : 1;
  return (
    <div ref={box}>
      <div class="heat">
        <div class="heat-hours small soft" aria-hidden="true">
          {['0 h', '6 h', '12 h', '18 h', '24 h'].map((t) => (
            <span key={t}>{t}</span>
          ))}
        </div>
        <div class="heat-face">
          <canvas
            ref={canvas}
            role="img"
            tabIndex={0}
            aria-label={`${series.label} by day and hour, ${formatScaled(low, series.unit)} to ${formatScaled(high, series.unit)}. Arrow keys read single hours.`}
            onPointerMove={point}
            onPointerDown={point}
            onPointerLeave={() => setHour(null)}
            onKeyDown={key}
          />
          {hour !== null && (
            <span
              class="heat-cross"
              style={{ left: `${((Math.floor(hour / 24) + 0.5) / 365) * 100}%`, top: `${(((hour % 24) + 0.5) / 24) * 100}%` }}
            />
          )}
        </div>
        <div class="heat-months small soft" aria-hidden="true">
          {MONTH_START.map((start, m) => (m % every ? null : <span key={m} style={{ left: `${(start / 365) * 100}%` }}>{monthName(m)}</span>))}
        </div>
      </div>
      <div class="heat-key small">
        <span>{formatScaled(low, series.unit)}</span>
        <span class="heat-ramp" style={{ background: `linear-gradient(90deg, ${VIRIDIS.map((h) => `#${h}`).join(',')})` }} />
        <span>{formatScaled(high, series.unit)}</span>
      </div>
      <p class="note no-print" aria-live="polite">
        {tells || 'Point at an hour, or use the arrow keys, to read it.'}
      </p>
    </div>
  );
}

export function YearHeatMap({ year }: { year: Json }) {
  const all = hourSeries(year);
  const [key, setKey] = useState('');
  const y = object(at(year, 'year'));
  const series = all.find((s) => s.key === key) ?? all[0];
  if (!series) return null;
  const free = number(y.chiller_free_h);
  const pue = number(y.pue);
  return (
    <Card
      title="The weather year"
      says={`PUE ${pue?.toFixed(3) ?? '?'} over the year${free !== undefined ? `; no chiller in ${formatNumber(free)} of 8760 h` : ''}. ${text(object(year).weather) ?? ''}.`}
      tools={<Tabs label="What the year shows" value={series.key} onChange={setKey} options={all.map((s) => ({ key: s.key, label: s.label }))} />}
      note={texts(object(year).remarks).join('; ')}
      wide
    >
      <Map series={series} all={all} />
    </Card>
  );
}

/// The months of the year as `headroom facility` prints them.
export function YearMonths({ year }: { year: Json }) {
  const months = objects(at(year, 'year.months'));
  if (months.length === 0) return null;
  const energy = (v: Json | undefined) => formatScaled((number(v) ?? 0) / 3600, 'Wh');
  return (
    <Card title="Months" wide>
      <Table
        caption="The year by month"
        rows={months}
        columns={[
          { head: 'month', cell: (m) => monthName((number(m.month) ?? 1) - 1) },
          { head: 'PUE', number: true, cell: (m) => (number(m.pue) ?? NaN).toFixed(4) },
          { head: 'at the meter', number: true, cell: (m) => energy(m.meter_j) },
          { head: 'cooling', number: true, cell: (m) => energy(m.cooling_j) },
          { head: 'losses', number: true, cell: (m) => energy(m.loss_j) },
          { head: 'water', number: true, cell: (m) => format((number(m.water_kg) ?? 0) / 1000, 'm3') },
          { head: 'chiller', number: true, cell: (m) => format(number(m.chiller_h) ?? 0, 'h') },
          { head: 'wet bulb, warmest', number: true, cell: (m) => format(number(m.warmest_wet_bulb_c) ?? NaN, 'degC', 3) },
          { head: 'peak', number: true, cell: (m) => <Amount value={number(m.peak_meter_w) ?? NaN} unit="W" /> },
          { head: 'carbon', number: true, cell: (m) => formatScaled(number(m.carbon_kg) ?? 0, 'kgCO2e') },
        ]}
      />
    </Card>
  );
}
