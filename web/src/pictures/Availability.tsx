// How often halls stand still, why, and what would help (facility --availability --json); swings of
// the load within seconds (facility --transient --json).
import { Card, Legend, More, Table } from '../kit/parts';
import { Num } from '../kit/trace';
import { Plot, path } from '../kit/Plot';
import { formatHeadroom, formatNumber, formatPair, formatScaled } from '../kit/format';
import { at, number, numbers, object, objects, text, texts, type Json } from '../kit/json';
import { PartBars } from './Train';

export function Availability({ availability }: { availability: Json }) {
  const a = object(availability);
  const share = number(a.availability);
  if (share === undefined) return null;
  const mean = (key: string) => number(at(a, `${key}.mean`)) ?? 0;
  const half = (key: string) => number(at(a, `${key}.half_width_95`)) ?? 0;
  const causes = objects(a.causes)
    .map((c) => ({ label: texts(c.out).join(' and '), value: number(c.hours) ?? 0 }))
    .filter((c) => c.value > 0)
    .sort((x, y) => y.value - x.value)
    .slice(0, 8);
  const total = causes.reduce((s, c) => s + c.value, 0);
  const remedies = objects(a.remedies);
  const gaps = texts(at(a, 'tier.gaps'));
  return (
    <Card
      title="Availability"
      says={`${(100 * share).toFixed(share > 0.9999 ? 4 : 3)} %: ${formatNumber(mean('outages'), 3)} outages and ${formatNumber(mean('hours'), 3)} ± ${formatNumber(half('hours'), 2)} h a year; ${formatNumber(mean('lost_gpu_h'), 4)} GPU-h and ${formatScaled(number(a.usd_lost) ?? 0, 'USD')} lost a year.`}
      note={`${formatNumber(number(a.histories) ?? 0)} histories of ${formatNumber(number(a.years) ?? 0)} years. Like tier ${formatNumber(number(at(a, 'tier.level')) ?? 0)} ${text(at(a, 'tier.means')) ?? ''}.${gaps.length ? ` ${gaps.join(' ')}` : ''}`}
      wide
    >
      {causes.length > 0 && (
        <>
          <h4 class="soft small">Hours a year by what is out</h4>
          <PartBars rows={causes} unit="h" total={total} says="Hours a year by cause" />
        </>
      )}
      {remedies.length > 0 && (
        <Table
          caption="What would help"
          shown
          rows={remedies}
          columns={[
            { head: 'change', cell: (r) => text(r.what) ?? '' },
            { head: 'hours saved a year', number: true, cell: (r) => `${formatNumber(number(at(r, 'hours_saved.mean')) ?? 0, 3)} ± ${formatNumber(number(at(r, 'hours_saved.half_width_95')) ?? 0, 2)} h` },
            { head: 'GPU-hours saved', number: true, cell: (r) => `${formatNumber(number(at(r, 'gpu_h_saved.mean')) ?? 0, 3)} GPU-h` },
            { head: 'worth a year', number: true, cell: (r) => formatScaled(number(r.usd_saved) ?? 0, 'USD') },
            { head: '', cell: (r) => (r.clear === true ? '' : <span class="trust unsure">not clear of chance</span>) },
          ]}
        />
      )}
      <More title="Rates of failure and repair, with their sources">
      <Table
        caption="Rates of failure and repair, with their sources"
        rows={objects(a.figures)}
        columns={[
          { head: 'part', cell: (f) => text(f.part) ?? '' },
          { head: 'figure', cell: (f) => text(f.what) ?? '' },
          { head: 'value', number: true, cell: (f) => text(f.value) ?? '' },
          {
            head: 'source',
            cell: (f) => (
              <>
                <span class={`trust${/assumed|recalled/.test(text(f.trust) ?? '') ? ' unsure' : ''}`}>{text(f.trust)}</span>{' '}
                {(text(f.source) ?? '').replace(/^[^:]*: /, '')}
              </>
            ),
          },
        ]}
      />
      </More>
    </Card>
  );
}

export function Transient({ transient }: { transient: Json }) {
  const t = object(transient);
  const limits = objects(t.margins);
  const window = object(at(t, 'events_window.grid')).mean_w ? object(t.events_window) : object(t.steady_window);
  const grid = numbers(at(window, 'grid.mean_w'));
  const load = numbers(at(window, 'load.mean_w'));
  const step = number(at(window, 'grid.step_s')) ?? 1;
  if (limits.length === 0 && grid.length === 0) return null;
  const all = [...grid, ...load].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = (high - low) * 0.08 || 1;
  return (
    <Card
      title="Swings of the load within seconds"
      says={t.holds === true ? 'Every limit of the grid holds.' : 'A limit of the grid is broken.'}
      note={texts(t.remarks).join('; ')}
      wide
    >
      {grid.length > 1 && (
        <>
          <Plot
            says={`Power over ${formatNumber(grid.length * step)} s, ${formatScaled(low, 'W')} to ${formatScaled(high, 'W')}`}
            x={{ label: 'seconds', low: 0, high: grid.length * step }}
            y={{ label: 'power', low: low - pad, high: high + pad, tick: (v) => formatScaled(v, 'W', 3) }}
          >
            {(f) => (
              <>
                <path d={path(load.map((v, i) => [f.x(i * step), f.y(v)]))} style={{ fill: 'none', stroke: 'var(--c5)', strokeWidth: 1 }} />
                <path d={path(grid.map((v, i) => [f.x(i * step), f.y(v)]))} style={{ fill: 'none', stroke: 'var(--c1)', strokeWidth: 1.5 }} />
              </>
            )}
          </Plot>
          <Legend items={[{ colour: 'var(--c1)', label: 'at the grid' }, { colour: 'var(--c5)', label: 'the load before storage' }]} />
        </>
      )}
      <Table
        caption="Limits of swings"
        rows={limits}
        columns={[
          { head: 'limit', cell: (m) => <Num facts={{ title: text(m.limit) ?? '', rows: [['why', text(m.why) ?? '']] }}>{text(m.limit)}</Num> },
          { head: 'need', number: true, cell: (m) => formatPair(number(m.need) ?? NaN, number(m.have) ?? NaN, text(m.unit) ?? '')[0] },
          { head: 'have', number: true, cell: (m) => formatPair(number(m.need) ?? NaN, number(m.have) ?? NaN, text(m.unit) ?? '')[1] },
          { head: 'headroom', number: true, cell: (m) => <span class={m.holds === true ? '' : 'bad'}>{formatHeadroom(number(m.headroom))}</span> },
          { head: 'what lifts it', cell: (m) => objects(m.remedies).map((r) => text(r.action)).join('; ') },
        ]}
      />
      {objects(t.plans).length > 0 && (
        <Table
          caption="Ways to calm the load"
          shown
          rows={objects(t.plans)}
          columns={[
            { head: 'way', cell: (p) => text(p.what) ?? text(p.plan) ?? '' },
            { head: 'limits', cell: (p) => (p.met === true ? 'kept' : `missed: ${text(p.misses) ?? ''}`) },
            { head: 'capital', number: true, cell: (p) => formatScaled(number(p.capital_usd) ?? 0, 'USD') },
            { head: 'a year', number: true, cell: (p) => formatScaled(number(p.usd_year) ?? 0, 'USD') },
            { head: 'range', number: true, cell: (p) => formatScaled(number(p.range_w) ?? 0, 'W') },
          ]}
        />
      )}
    </Card>
  );
}
