// A serving fleet: latency against load with its knee, where a step's time goes, finalists
// (infer --json; the curve is infer --rate A,B,C --json).
import { Card, Legend, Table } from '../kit/parts';
import { Mark } from '../kit/mark';
import { Num } from '../kit/trace';
import { Plot, path } from '../kit/Plot';
import { formatHeadroom, formatNumber, formatScaled, percent } from '../kit/format';
import { at, number, object, objects, text, texts, type Json, type JsonObject } from '../kit/json';
import { MemoryByItem, PartBars, RunFigures, undominated } from './Train';

export const inferRuns = (infer: Json | undefined): JsonObject[] => objects(object(infer).runs);

interface LoadPoint {
  load: number;
  ttft: number;
  tpot: number;
  holds: boolean;
  point: JsonObject;
}

function loadPoint(p: JsonObject, closed: boolean): LoadPoint {
  const seconds = (key: string) => number(at(p, `${key}.at_percentile_s`)) ?? number(p[`${key}_s`]) ?? NaN;
  return {
    load: number(closed ? p.concurrency : p.requests_per_s_asked) ?? number(p.requests_per_s) ?? number(p.concurrency) ?? number(p.rate) ?? NaN,
    ttft: seconds('ttft'),
    tpot: seconds('tpot'),
    holds: p.holds !== false,
    point: p,
  };
}

const LINES = [
  { key: 'ttft' as const, label: 'time to first token (TTFT)', colour: 'var(--c1)' },
  { key: 'tpot' as const, label: 'time per output token (TPOT)', colour: 'var(--c7)' },
];

/// One fleet under rising load: both times, their promises and the knee.
export function LoadCurve({ run }: { run: JsonObject }) {
  const curve = objects(run.curves)[0] ?? run;
  const closed = text(run.loop) === 'closed';
  const points = objects(curve.points)
    .map((p) => loadPoint(p, closed))
    .filter((p) => Number.isFinite(p.load) && p.load > 0 && p.ttft > 0 && p.tpot > 0)
    .sort((a, b) => a.load - b.load);
  if (points.length < 2) return null;
  const knee = curve.knee ? loadPoint(object(curve.knee), closed) : undefined;
  const slos = object(run.slos_s);
  const promise = { ttft: number(slos.TTFT), tpot: number(slos.TPOT) };
  const unit = closed ? 'requests in flight' : 'requests a second';
  const times = points.flatMap((p) => [p.ttft, p.tpot]);
  for (const s of Object.values(promise)) if (s) times.push(s);
  const low = Math.min(...times) * 0.8;
  const high = Math.max(...times) * 1.3;
  const most = Math.max(...points.map((p) => p.load), knee?.load ?? 0) * 1.03;
  const percentile = number(run.percentile);
  const says = knee
    ? `The knee is at ${formatNumber(knee.load)} ${unit}: beyond it the time to answer grows faster than throughput.`
    : `${points.length} loads of one fleet.`;
  return (
    <Card
      title="Times against load"
      says={says}
      note={`${text(curve.summary) ?? ''}${percentile ? `; times of ${percent(percentile, 0)} of requests` : ''}. A ring breaks a promise.`}
      wide
    >
      <Plot
        says={`Times against load. ${says} ${points.map((p) => `${formatNumber(p.load)} ${unit}: TTFT ${formatScaled(p.ttft, 's')}, TPOT ${formatScaled(p.tpot, 's')}`).join('; ')}`}
        height={330}
        x={{ label: unit, low: 0, high: most }}
        y={{ label: 'time (logarithmic)', log: true, low, high, tick: (v) => formatScaled(v, 's', 2) }}
      >
        {(f) => (
          <>
            {knee && (
              <>
                <path d={`M${f.x(knee.load)},${f.top}V${f.bottom}`} style={{ stroke: 'var(--ink)', strokeDasharray: '4 3' }} />
                <text x={f.x(knee.load) - 5} y={f.top + 10} text-anchor="end" class="halo" style={{ fontWeight: 600 }}>
                  knee {formatNumber(knee.load)}
                </text>
              </>
            )}
            {LINES.map((line) => {
              const promised = promise[line.key];
              return (
                <g key={line.key}>
                  {promised && (
                    <>
                      <path d={`M${f.left},${f.y(promised)}H${f.right}`} style={{ stroke: line.colour, strokeDasharray: '2 4', strokeWidth: 1.5 }} />
                      <text x={f.left + 6} y={f.y(promised) - 4} class="halo soft">
                        {line.key.toUpperCase()} promise {formatScaled(promised, 's')}
                      </text>
                    </>
                  )}
                  <path d={path(points.map((p) => [f.x(p.load), f.y(p[line.key])]))} style={{ fill: 'none', stroke: line.colour, strokeWidth: 2 }} />
                  {points.map((p, i) => (
                    <Mark
                      key={i}
                      says={`${formatNumber(p.load)} ${unit}: ${line.label} ${formatScaled(p[line.key], 's')}`}
                      facts={{
                        title: `${formatNumber(p.load)} ${unit}`,
                        rows: [
                          [line.label, formatScaled(p[line.key], 's')],
                          ['promises', p.holds ? 'kept' : `broken: ${text(p.point.breaks) || 'not stable'}`],
                          ...(number(p.point.output_tokens_per_s) ? [['output', formatScaled(number(p.point.output_tokens_per_s) ?? 0, 'token/s')] as [string, string]] : []),
                        ],
                      }}
                    >
                      <circle cx={f.x(p.load)} cy={f.y(p[line.key])} r={10} style={{ fill: 'transparent' }} />
                      <circle
                        class="face"
                        cx={f.x(p.load)}
                        cy={f.y(p[line.key])}
                        r={4}
                        style={{ fill: p.holds ? line.colour : 'var(--panel)', stroke: line.colour, strokeWidth: 2 }}
                      />
                    </Mark>
                  ))}
                </g>
              );
            })}
          </>
        )}
      </Plot>
      <Legend items={LINES.map((l) => ({ colour: l.colour, label: l.label }))} />
    </Card>
  );
}

/// How each promise stands.
export function Promises({ run }: { run: JsonObject }) {
  const slos = objects(run.slos);
  if (slos.length === 0) return null;
  return (
    <Card title={`Promises of ${text(run.workload) ?? 'the service'}`} says={text(run.verdict)}>
      <Table
        caption="Service promises"
        rows={slos}
        columns={[
          { head: 'promise', cell: (s) => (text(s.slo) ?? '').toUpperCase() },
          { head: 'asked', number: true, cell: (s) => formatScaled(number(s.asked_s) ?? NaN, 's') },
          { head: 'reached', number: true, cell: (s) => formatScaled(number(s.reached_s) ?? NaN, 's') },
          { head: 'headroom', number: true, cell: (s) => formatHeadroom(number(s.headroom)) },
          { head: 'bound by', cell: (s) => text(s.resource) ?? '' },
        ]}
      />
    </Card>
  );
}

export function ServeStep({ run }: { run: JsonObject }) {
  const total = number(at(run, 'step.total_s')) ?? 0;
  const rows = Object.entries(object(at(run, 'step.parts_s')))
    .map(([label, v]) => ({ label, value: number(v) ?? 0 }))
    .filter((r) => r.value > 0)
    .sort((a, b) => b.value - a.value);
  if (rows.length === 0 || total <= 0) return null;
  return (
    <Card title="Where an engine's step goes" says={`${formatScaled(total, 's')} a step at the peak.`}>
      <PartBars rows={rows} unit="s" total={total} />
    </Card>
  );
}

/// Configurations that meet the promises, by cost and speed to a user.
export function Finalists({ run }: { run: JsonObject }) {
  const chosen = object(run.chosen);
  const all = [chosen, ...objects(run.front), ...objects(run.others)].filter((c) => number(c.usd_per_million_output_tokens) !== undefined);
  const seen = new Set<string>();
  const points = all.flatMap((c) => {
    const summary = text(c.summary) ?? '';
    const cost = number(c.usd_per_million_output_tokens) ?? NaN;
    const speed = number(c.tokens_per_s_per_user) ?? NaN;
    if (seen.has(summary) || !Number.isFinite(cost + speed)) return [];
    seen.add(summary);
    return [{ x: cost, y: speed, summary, fits: c.fits !== false, chosen: c === chosen }];
  });
  if (points.length < 2) return null;
  const best = undominated(points);
  return (
    <Card title="Configurations: cost against speed" says="Up and left is better; the chosen one is ringed.">
      <Plot
        says={`Configurations: ${points.map((p) => `${p.summary}: ${formatNumber(p.x)} USD/Mtoken, ${formatNumber(p.y)} token/s a user`).join('; ')}`}
        x={{ label: 'USD a million output tokens', low: 0, high: Math.max(...points.map((p) => p.x)) * 1.08 }}
        y={{ label: 'tokens a second a user', low: 0, high: Math.max(...points.map((p) => p.y)) * 1.12 }}
      >
        {(f) => (
          <>
            <path d={path(best.map((p) => [f.x(p.x), f.y(p.y)]))} style={{ fill: 'none', stroke: 'var(--c1)', strokeDasharray: '2 3', strokeWidth: 1.5 }} />
            {points.map((p, i) => (
              <Mark
                key={i}
                says={`${p.summary}: ${formatNumber(p.x)} USD/Mtoken`}
                facts={{ title: p.summary, rows: [['output tokens', `${formatNumber(p.x)} USD/Mtoken`], ['to a user', `${formatNumber(p.y)} token/s`], ['promises', p.fits ? 'kept' : 'broken']] }}
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

/// All of one serving run; its curve stands before.
export function ServeRun({ run }: { run: JsonObject }) {
  const stages = Object.entries(object(run.stages));
  return (
    <>
      <Promises run={run} />
      <ServeStep run={run} />
      {number(at(run, 'memory.have')) ? <MemoryByItem memory={object(run.memory)} /> : null}
      <Finalists run={run} />
      <RunFigures
        run={run}
        sections={[
          ['rates', 'Rates'],
          ['use', 'Use'],
          ['energy', 'Energy'],
          ['money', 'Money'],
        ]}
      />
      {stages.map(([name, stage]) => (
        <RunFigures key={name} run={{ workload: `${name}, by stage`, stage }} sections={[['stage', 'Stage']]} />
      ))}
      <Changes run={run} />
    </>
  );
}

/// What would make the run better, best first.
export function Changes({ run }: { run: JsonObject }) {
  const changes = objects(at(run, 'changes.worthwhile'));
  if (changes.length === 0) return null;
  return (
    <Card title="What would help" says={`${formatNumber(number(at(run, 'changes.tried')) ?? 0)} changes were tried.`}>
      <Table
        caption="Changes worth making"
        rows={changes}
        columns={[
          { head: 'change', cell: (c) => <Num facts={{ title: text(c.key) ?? '', rows: [['then', text(c.plan) ?? text(c.configuration) ?? '']] }}>{text(c.action)}</Num> },
          { head: 'needs', cell: (c) => text(c.needs) ?? '' },
          { head: 'gain', number: true, cell: (c) => percent(number(c.gain) ?? 0, 0) },
        ]}
      />
      {texts(run.remarks).length > 0 && <p class="note">{texts(run.remarks).join('; ')}</p>}
    </Card>
  );
}
