// Money: cash flow by year, what a unit costs by cause, what moves the answer, ways to own or rent
// (check --json: money, paths, bill, sensitivities; the report's figures).
import { Card, Legend, More, Table } from '../kit/parts';
import { Mark } from '../kit/mark';
import { Amount } from '../kit/trace';
import { Plot } from '../kit/Plot';
import { formatHeadroom, formatNumber, formatScaled, percent } from '../kit/format';
import { fitted, linear, textWidth, ticks } from '../kit/scale';
import { Drawing } from '../kit/parts';
import { figures, number, numbers, object, objects, quantity, text, type Json, type JsonObject } from '../kit/json';
import { PartBars } from './Train';

export interface CashYear {
  year: number;
  date: string;
  paid: number;
  back: number;
  cumulative: number;
}

/// Months summed by year from the first payment. What is paid is positive, as in the document.
export function cashByYear(flow: JsonObject[]): CashYear[] {
  const dated = flow.flatMap((f) => {
    const date = text(f.date);
    const usd = number(f.usd);
    return date && usd !== undefined ? [{ date, usd }] : [];
  });
  const first = dated[0]?.date;
  if (!first) return [];
  const months = (date: string) => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7));
  const out: CashYear[] = [];
  let sum = 0;
  dated.forEach(({ date, usd }, i) => {
    const after = months(date) - months(first);
    const year = i === 0 ? 0 : Math.max(1, Math.ceil(after / 12));
    sum += usd;
    const row = out.find((r) => r.year === year);
    if (row) {
      row.paid += Math.max(0, usd);
      row.back += Math.min(0, usd);
      row.cumulative = sum;
    } else {
      out.push({ year, date, paid: Math.max(0, usd), back: Math.min(0, usd), cumulative: sum });
    }
  });
  return out;
}

export function CashFlow({ check }: { check: Json }) {
  const path = objects(object(check).paths)[0];
  const rows = cashByYear(objects(path?.cash_flow));
  if (rows.length < 2) return null;
  const high = Math.max(...rows.map((r) => Math.max(r.paid, r.cumulative)));
  const low = Math.min(0, ...rows.map((r) => r.back));
  const bar = (f: { x: (v: number) => number }) => Math.min(54, (f.x(1) - f.x(0)) * 0.56);
  const name = (r: CashYear) => (r.year === 0 ? `start, ${r.date.slice(0, 7)}` : `year ${r.year}`);
  return (
    <Card
      title={`Cash flow: ${text(path?.label) ?? ''}`}
      says={`${formatScaled(rows[0]?.paid ?? 0, 'USD')} at the start, ${formatScaled(rows[rows.length - 1]?.cumulative ?? 0, 'USD')} over the horizon, nominal; nothing is earned here.`}
    >
      <Plot
        says={`Cash flow by year: ${rows.map((r) => `${name(r)}: ${formatScaled(r.paid + r.back, 'USD')}`).join('; ')}`}
        x={{ label: 'year from the start', low: -0.6, high: rows.length - 0.4, at: rows.map((r) => r.year), tick: (v) => (v === 0 ? 'start' : String(v)) }}
        y={{ label: 'USD', low: low * 1.08, high: high * 1.08, tick: (v) => (v === 0 ? '0' : formatScaled(v, 'USD', 3)) }}
      >
        {(f) => (
          <>
            {rows.map((r) => (
              <Mark
                key={r.year}
                says={`${name(r)}: paid ${formatScaled(r.paid, 'USD')}`}
                facts={{
                  title: name(r),
                  rows: [
                    ['paid', formatScaled(r.paid, 'USD')],
                    ...(r.back < 0 ? [['comes back', formatScaled(-r.back, 'USD')] as [string, string]] : []),
                    ['in all so far', formatScaled(r.cumulative, 'USD')],
                  ],
                }}
              >
                <rect class="face" x={f.x(r.year) - bar(f) / 2} y={f.y(r.paid)} width={bar(f)} height={Math.max(0.5, f.y(0) - f.y(r.paid))} style={{ fill: 'var(--c1)' }} />
                {r.back < 0 && (
                  <rect x={f.x(r.year) - bar(f) / 2} y={f.y(0)} width={bar(f)} height={f.y(r.back) - f.y(0)} style={{ fill: 'var(--c3)' }} />
                )}
              </Mark>
            ))}
            <path
              d={rows.map((r, i) => `${i ? 'L' : 'M'}${f.x(r.year)},${f.y(r.cumulative)}`).join('')}
              style={{ fill: 'none', stroke: 'var(--c7)', strokeWidth: 2 }}
            />
            {rows.map((r) => (
              <circle key={r.year} cx={f.x(r.year)} cy={f.y(r.cumulative)} r={3} style={{ fill: 'var(--c7)' }} />
            ))}
            {low < 0 && <path class="axis" d={`M${f.left},${f.y(0)}H${f.right}`} />}
          </>
        )}
      </Plot>
      <Legend
        items={[
          { colour: 'var(--c1)', label: 'paid in the year' },
          ...(low < 0 ? [{ colour: 'var(--c3)', label: 'comes back' }] : []),
          { colour: 'var(--c7)', label: 'in all so far' },
        ]}
      />
    </Card>
  );
}

/// What a unit of the first way costs, by cause: shares of its present cost (figures.money).
function splits(more: Json | undefined) {
  const money = object(object(more).money);
  const way = objects(money.ways)[0];
  const share = Object.entries(object(way?.share)).map(([label, v]) => ({ label: label === 'residual' ? 'resale comes back' : label, share: number(v) ?? 0 }));
  if (!way || share.length === 0) return [];
  const by = (total: number) => share.map((s) => ({ label: s.label, value: s.share * total })).sort((a, b) => b.value - a.value);
  const out: { of: string; unit: string; total: number; rows: { label: string; value: number }[]; note?: string }[] = [];
  const hour = number(way.usd_per_used_gpu_hour);
  if (hour) out.push({ of: 'A GPU-hour put to use', unit: 'USD/h', total: hour, rows: by(hour) });
  for (const p of objects(money.products)) {
    const price = objects(p.prices)[0];
    const value = number(price?.value);
    if (value) out.push({ of: `${text(p.name) ?? ''}: ${text(price?.label) ?? ''}`, unit: text(price?.unit) ?? '', total: value, rows: by(value), note: text(p.split) });
  }
  return out;
}

/// Parts of capital and of the running cost; with the report's figures, of the product.
export function CostSplit({ check, figures: more }: { check: Json; figures?: Json }) {
  const one = splits(more);
  const money = figures(object(check).money);
  const under = (prefix: string) => money.filter((f) => f.key.startsWith(`${prefix}_`)).map((f) => ({ label: f.label.replace(/^ *of which /, ''), value: f.value, id: f.id }));
  const whole = (key: string) => money.find((f) => f.key === key);
  return (
    <>
      {one.map((s, i) => (
        <Card key={i} title={`${s.of}, by cause`} says={`${formatScaled(s.total, s.unit)} in all: present cost of the horizon, shared out.`} note={s.note}>
          <PartBars rows={s.rows} unit={s.unit} total={s.total} />
        </Card>
      ))}
      {(['capital', 'operating'] as const).map((key) => {
        const total = whole(key);
        const rows = under(key).sort((a, b) => b.value - a.value);
        if (!total || rows.length === 0) return null;
        return (
          <Card key={key} title={key === 'capital' ? 'Capital by part' : 'Running cost by part, first year'} says={`${formatScaled(total.value, total.unit)} in all.`}>
            <PartBars rows={rows} unit={total.unit} total={total.value} />
          </Card>
        );
      })}
    </>
  );
}

interface Swing {
  input: string;
  low: string;
  likely: string;
  high: string;
  atLow: number;
  atHigh: number;
  note?: string;
  doubt?: string;
}

/// How far each uncertain input moves one answer, widest first.
function TornadoOf(props: { of: string; unit: string; base: number; rows: Swing[]; headroom?: boolean }) {
  const rows = [...props.rows].sort((a, b) => Math.abs(b.atHigh - b.atLow) - Math.abs(a.atHigh - a.atLow)).slice(0, 16);
  if (rows.length === 0) return null;
  const show = (v: number) => (props.headroom ? formatHeadroom(v) : formatScaled(v, props.unit));
  const all = rows.flatMap((r) => [r.atLow, r.atHigh]).concat(props.base);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const line = (width: number) => (width < 560 ? 15 : 0); // narrow: the range has a line of its own
  const tall = (width: number) => rows.length * (46 + line(width)) + 44;
  return (
    <Card title={`What moves ${props.of}`} says={`Each input from its low to its high end, all else as it is; now ${show(props.base)}.`} wide>
      <Drawing height={tall} least={290} most={1200} says={`What moves ${props.of}: ${rows.map((r) => `${r.input} ${show(r.atLow)} to ${show(r.atHigh)}`).join('; ')}`}>
        {(width) => {
          const edge = Math.max(textWidth(show(low)), textWidth(show(high)), 30) + 10;
          const room = Math.max(1, Math.floor((width - 2 * edge) / (Math.max(textWidth(show(low)), textWidth(show(high))) + 24)));
          const all = ticks(low, high, Math.min(7, room));
          const marks = all.filter((_, i) => i % Math.max(1, Math.ceil(all.length / room)) === 0);
          const [row, more, height] = [46 + line(width), line(width), tall(width)];
          const x = linear([low, high === low ? low + 1 : high], [edge, width - edge]);
          return (
            <>
              {marks.map((v) => (
                <g key={v}>
                  <path class="grid" d={`M${x(v)},4V${height - 30}`} />
                  <text x={x(v)} y={height - 12} text-anchor="middle" class="soft">
                    {show(v)}
                  </text>
                </g>
              ))}
              {rows.map((r, i) => {
                const y = i * row + 8;
                const [a, b] = [Math.min(r.atLow, r.atHigh), Math.max(r.atLow, r.atHigh)];
                const lowLeft = r.atLow <= r.atHigh;
                const range = `${r.low} … ${r.high}${r.doubt ? ` (${r.doubt})` : ''}`;
                return (
                  <Mark
                    key={r.input}
                    facts={{
                      title: r.input,
                      rows: [
                        [`at ${r.low}`, show(r.atLow)],
                        [`at ${r.likely}, as it is`, show(props.base)],
                        [`at ${r.high}`, show(r.atHigh)],
                        ...(r.note ? [['source', r.note] as [string, string]] : []),
                      ],
                    }}
                  >
                    <text x={4} y={y + 11} class="halo">
                      {more ? fitted(r.input, width - 8) : `${r.input}: ${range}`}
                    </text>
                    {more > 0 && (
                      <text x={4} y={y + 26} class="halo soft">
                        {fitted(range, width - 8)}
                      </text>
                    )}
                    <rect class="face" x={x(a)} y={y + 17 + more} width={Math.max(1, x(props.base) - x(a))} height={16} style={{ fill: lowLeft ? 'var(--c1)' : 'var(--c7)' }} />
                    <rect class="face" x={x(props.base)} y={y + 17 + more} width={Math.max(1, x(b) - x(props.base))} height={16} style={{ fill: lowLeft ? 'var(--c7)' : 'var(--c1)' }} />
                    <text x={x(a) - 5} y={y + 29 + more} text-anchor="end" class="halo">
                      {show(a)}
                    </text>
                    <text x={x(b) + 5} y={y + 29 + more} class="halo">
                      {show(b)}
                    </text>
                  </Mark>
                );
              })}
              <path d={`M${x(props.base)},4V${height - 30}`} style={{ stroke: 'var(--ink)', strokeWidth: 1.5 }} />
            </>
          );
        }}
      </Drawing>
      <Legend items={[{ colour: 'var(--c1)', label: 'input low' }, { colour: 'var(--c7)', label: 'input high' }]} />
    </Card>
  );
}

/// Inputs that move the k-th target at all.
function swings(tornado: JsonObject, k: number, base: number): Swing[] {
  return objects(tornado.inputs).flatMap((r) => {
    const atLow = numbers(r.at_low)[k];
    const atHigh = numbers(r.at_high)[k];
    if (atLow === undefined || atHigh === undefined || !Number.isFinite(atLow + atHigh)) return [];
    const span = Math.max(Math.abs(atLow - base), Math.abs(atHigh - base));
    if (span <= 1e-9 * Math.max(1e-12, Math.abs(base))) return [];
    const source = text(r.source) ?? '';
    const doubt = r.assumed_range === true ? 'range assumed' : /^(assumed|recalled)/.exec(source)?.[0];
    return [
      {
        input: text(r.path) ?? '',
        low: text(r.low) ?? '',
        likely: text(r.likely) ?? '',
        high: text(r.high) ?? '',
        atLow,
        atHigh,
        note: source,
        doubt,
      },
    ];
  });
}

export function Tornado({ check, figures: more }: { check: Json; figures?: Json }) {
  const given = object(object(more).tornado);
  const targets = objects(given.targets);
  if (targets.length > 0 && objects(given.inputs).length > 0)
    return (
      <>
        {targets.map((t, k) => (
          <TornadoOf key={k} of={`the ${text(t.label) ?? ''}`.replace(/^the (?=[\w-]+:)/, '')} unit={text(t.unit) ?? ''} headroom={/^headroom/.test(text(t.label) ?? '')} base={number(t.likely) ?? 0} rows={swings(given, k, number(t.likely) ?? 0)} />
        ))}
      </>
    );
  const binding = objects(object(check).margins).find((m) => text(m.id) === text(object(check).binding));
  const rows = objects(object(check).sensitivities).flatMap((s) => {
    const atLow = number(s.headroom_low);
    const atHigh = number(s.headroom_high);
    if (atLow === undefined || atHigh === undefined) return [];
    return [{ input: text(s.path) ?? '', low: text(s.low) ?? '', likely: text(s.likely) ?? '', high: text(s.high) ?? '', atLow, atHigh }];
  });
  if (!binding || rows.length === 0) return null;
  return <TornadoOf of={`the headroom of ${text(binding.limit) ?? ''}`} unit="" headroom base={number(binding.headroom) ?? 0} rows={rows} />;
}

/// Ways to get the same work done, owning first.
export function Paths({ check }: { check: Json }) {
  const paths = objects(object(check).paths);
  if (paths.length === 0) return null;
  const cell = (key: string) => (p: JsonObject) => {
    const q = quantity(object(p.figures)[key]);
    return q ? <Amount value={q.value} unit={q.unit} id={text(object(object(p.figures)[key]).id)} /> : '';
  };
  return (
    <Card title="The same work by other ways" wide>
      <Table
        caption="Ways to own or rent"
        rows={paths}
        columns={[
          { head: 'way', cell: (p) => text(p.label) ?? '' },
          { head: 'capital', number: true, cell: cell('capital') },
          { head: 'a year', number: true, cell: cell('operating') },
          { head: 'present cost', number: true, cell: cell('present_cost') },
          { head: 'a used GPU-hour', number: true, cell: cell('per_used_gpu_hour') },
          { head: 'own is cheaper above', number: true, cell: (p) => text(p.break_even) || cell('break_even')(p) },
        ]}
      />
    </Card>
  );
}

/// What is bought.
export function Bill({ check }: { check: Json }) {
  const bill = objects(object(check).bill);
  if (bill.length === 0) return null;
  const total = bill.reduce((s, b) => s + (quantity(b.total)?.value ?? 0), 0);
  const rows = [...bill].sort((a, b) => (quantity(b.total)?.value ?? 0) - (quantity(a.total)?.value ?? 0));
  return (
    <Card title="Bill of materials" says={`${formatScaled(total, 'USD')} of what has a price; ${bill.length} items.`} wide>
      <More title="Every item" paper>
        <Table
          caption="Bill of materials"
          rows={rows}
          columns={[
            { head: 'item', cell: (b) => text(b.item) ?? '' },
            { head: 'category', cell: (b) => text(b.category) ?? '' },
            { head: 'count', number: true, cell: (b) => formatNumber(number(b.count) ?? 0) },
            { head: 'each', number: true, cell: (b) => price(b.unit_price) },
            { head: 'in all', number: true, cell: (b) => price(b.total) },
            { head: 'share', number: true, cell: (b) => (total > 0 ? percent((quantity(b.total)?.value ?? 0) / total) : '') },
            { head: 'lead time', number: true, cell: (b) => (quantity(b.lead_time) ? formatScaled(quantity(b.lead_time)?.value ?? 0, 'wk') : '') },
          ]}
        />
      </More>
    </Card>
  );
}
const price = (v: Json | undefined) => {
  const q = quantity(v);
  return q ? formatScaled(q.value, q.unit) : <span class="soft">no price known</span>;
};
