// Where energy comes from over the year, and what it costs (facility --supply --json).
import { Card, Legend, Table } from '../kit/parts';
import { Mark } from '../kit/mark';
import { Plot } from '../kit/Plot';
import { format, formatScaled, monthName, percent } from '../kit/format';
import { PartBars } from './Train';
import { number, numbers, object, objects, text, texts, type Json } from '../kit/json';

const MWH = 1e6;
const KIND: Record<string, string> = { grid: '--c2', solar: '--c8', wind: '--c1', gas: '--c7', turbine: '--c7', nuclear: '--c6', battery: '--c3' };
const colourOf = (kind: string, i: number) => `var(${KIND[kind] ?? ['--c4', '--c5', '--c3', '--c6'][i % 4] ?? '--c5'})`;
const money = (v: number | undefined) => (v === undefined ? '' : formatScaled(v, 'USD'));
const energy = (v: number | undefined) => (v === undefined ? '' : formatScaled(v * MWH, 'Wh'));

export function SupplyYear({ supply }: { supply: Json }) {
  const s = object(supply);
  const sources = objects(s.sources);
  const usdMwh = number(s.usd_mwh);
  if (sources.length === 0) return null;
  const unserved = number(s.unserved_mwh) ?? 0;
  return (
    <Card
      title="Energy of the year by source"
      says={`${energy(number(s.load_mwh))} for ${money(number(s.usd))}${usdMwh ? `, ${format(usdMwh, 'USD/MWh')}` : ''}; ${percent(number(s.carbon_free_share) ?? 0, 0)} carbon-free${unserved > 1e-6 ? `; ${energy(unserved)} not served` : ''}.`}
      note={[...texts(s.assumptions), ...texts(s.remarks)].join('; ')}
      wide
    >
      {objects(s.by_month).length > 0 ? (
        <Months supply={supply} />
      ) : (
        <PartBars
          rows={sources.map((x) => ({ label: text(x.name) ?? '', value: (number(x.used_mwh) ?? 0) * MWH })).sort((a, b) => b.value - a.value)}
          unit="Wh"
          total={Math.max(1e-12, number(s.load_mwh) ?? 1) * MWH}
          says="Energy used by source"
        />
      )}
      <Table
        caption="Sources"
        rows={sources}
        columns={[
          { head: 'source', cell: (x) => text(x.name) ?? '' },
          { head: 'kind', cell: (x) => text(x.kind) ?? '' },
          { head: 'capacity', number: true, cell: (x) => (number(x.capacity_mw) === undefined ? 'not known' : formatScaled((number(x.capacity_mw) ?? 0) * MWH, 'W')) + (x.sized === true ? ', sized' : '') },
          { head: 'used', number: true, cell: (x) => energy(number(x.used_mwh)) },
          { head: 'share', number: true, cell: (x) => percent((number(x.used_mwh) ?? 0) / Math.max(1e-12, number(s.load_mwh) ?? 1), 0) },
          { head: 'cost', number: true, cell: (x) => money(number(x.usd)) },
          { head: 'carbon', number: true, cell: (x) => formatScaled(number(x.carbon_kg) ?? 0, 'kgCO2e') },
        ]}
      />
      {objects(s.storages).length > 0 && (
        <Table
          caption="Storage"
          shown
          rows={objects(s.storages)}
          columns={[
            { head: 'storage', cell: (x) => text(x.name) ?? '' },
            { head: 'power', number: true, cell: (x) => formatScaled((number(x.power_mw) ?? 0) * MWH, 'W') },
            { head: 'energy', number: true, cell: (x) => energy(number(x.energy_mwh)) },
            { head: 'given back', number: true, cell: (x) => energy(number(x.out_mwh)) },
            { head: 'cost', number: true, cell: (x) => money((number(x.wear_usd) ?? 0) + (number(x.fixed_usd) ?? 0)) },
          ]}
        />
      )}
    </Card>
  );
}

/// By month, where the document holds it: [{month, by: {source: MWh}}].
function Months({ supply }: { supply: Json }) {
  const months = objects(object(supply).by_month);
  if (months.length === 0) return null;
  const sources = objects(object(supply).sources);
  const names = [...new Set(months.flatMap((m) => Object.keys(object(m.by ?? m)).filter((k) => k !== 'month' && number(object(m.by ?? m)[k]) !== undefined)))];
  const kind = (name: string) => text(sources.find((s) => text(s.name) === name)?.kind) ?? '';
  const value = (m: Json, name: string) => Math.max(0, number(object(object(m).by ?? m)[name]) ?? 0);
  const high = Math.max(...months.map((m) => names.reduce((s, n) => s + value(m, n), 0)));
  return (
    <>
      <Plot
        says={`Energy by month and source: ${months.map((m, i) => `${monthName(i)} ${names.map((n) => `${n} ${energy(value(m, n))}`).join(', ')}`).join('; ')}`}
        x={{ label: '', low: -0.6, high: 11.6, at: months.map((_, i) => i), tick: (v) => monthName(v) }}
        y={{ label: 'energy of the month', low: 0, high: high * 1.08, tick: (v) => (v === 0 ? '0' : formatScaled(v * MWH, 'Wh', 3)) }}
      >
        {(f) => {
          const w = (f.x(1) - f.x(0)) * 0.7;
          return months.map((m, i) => {
            let sum = 0;
            return (
              <Mark key={i} says={`${monthName(i)}: ${names.map((n) => `${n} ${energy(value(m, n))}`).join(', ')}`} facts={{ title: monthName(i), rows: names.map((n) => [n, energy(value(m, n))]) }}>
                {names.map((n, k) => {
                  const from = sum;
                  sum += value(m, n);
                  return <rect key={n} class="face" x={f.x(i) - w / 2} y={f.y(sum)} width={w} height={Math.max(0, f.y(from) - f.y(sum))} style={{ fill: colourOf(kind(n), k) }} />;
                })}
              </Mark>
            );
          });
        }}
      </Plot>
      <Legend items={names.map((n, k) => ({ colour: colourOf(kind(n), k), label: n }))} />
    </>
  );
}

/// The price an hour sees, highest first: a duration curve.
export function PriceDuration({ supply }: { supply: Json }) {
  const price = numbers(object(supply).price_usd_mwh).filter(Number.isFinite).sort((a, b) => b - a);
  if (price.length < 100 || price[0] === price[price.length - 1]) return null;
  const step = Math.max(1, Math.floor(price.length / 400));
  const points = price.filter((_, i) => i % step === 0);
  const [high, low] = [price[0] ?? 1, Math.min(0, price[price.length - 1] ?? 0)];
  return (
    <Card title="What an hour's energy costs" says={`From ${format(high, 'USD/MWh')} in the dearest hour to ${format(price[price.length - 1] ?? 0, 'USD/MWh')}.`}>
      <Plot
        says={`Price duration curve, median ${format(price[Math.floor(price.length / 2)] ?? 0, 'USD/MWh')}`}
        x={{ label: 'hours of the year', low: 0, high: price.length }}
        y={{ label: 'USD/MWh', low, high: high * 1.05 }}
      >
        {(f) => <path d={points.map((p, i) => `${i ? 'L' : 'M'}${f.x(i * step).toFixed(1)},${f.y(p).toFixed(1)}`).join('')} style={{ fill: 'none', stroke: 'var(--c2)', strokeWidth: 2 }} />}
      </Plot>
    </Card>
  );
}
