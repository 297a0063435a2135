// Lead times as a Gantt chart, the way that decides the date marked (facility --gantt --json).
import { Card, Drawing, Legend } from '../kit/parts';
import { Mark } from '../kit/mark';
import { formatNumber, formatScaled } from '../kit/format';
import { fitted, linear, textWidth } from '../kit/scale';
import { number, object, objects, text, texts, type Json, type JsonObject } from '../kit/json';

const ROW = 22;
const DAY_MS = 86_400_000;

interface Task {
  name: string;
  start: number;
  finish: number;
  from: string;
  to: string;
  slack: number;
  critical: boolean;
}

/// Orders of one lead time and one slack are one bar: a campus orders dozens of cables.
export function tasks(plan: JsonObject): Task[] {
  const groups = new Map<string, Task & { names: string[] }>();
  for (const t of objects(plan.tasks)) {
    const task = {
      name: text(t.name) ?? '',
      start: number(t.start_day) ?? 0,
      finish: number(t.finish_day) ?? 0,
      from: text(t.start) ?? '',
      to: text(t.finish) ?? '',
      slack: number(t.slack_days) ?? 0,
      critical: t.critical === true,
    };
    const key = `${task.start}|${task.finish}|${task.slack}|${task.critical}`;
    const group = groups.get(key);
    if (group) group.names.push(task.name);
    else groups.set(key, { ...task, names: [task.name] });
  }
  return [...groups.values()]
    .map(({ names, ...t }) => ({ ...t, name: names.length > 1 ? `${names[0]} and ${names.length - 1} more` : t.name }))
    .sort((a, b) => a.start - b.start || a.finish - b.finish);
}

function dateAt(start: string, day: number): string {
  return new Date(Date.parse(`${start}T00:00:00Z`) + day * DAY_MS).toISOString().slice(0, 10);
}

/// First days of the quarters or years between, as many as read.
function dates(start: string, days: number, most: number): { day: number; label: string }[] {
  const begin = new Date(`${start}T00:00:00Z`);
  if (Number.isNaN(begin.getTime())) return [];
  const months = [1, 2, 3, 6, 12, 24].find((m) => days / (30.44 * m) <= most) ?? 60;
  const out = [];
  for (let m = 0; ; ++m) {
    const month = new Date(Date.UTC(begin.getUTCFullYear(), m * months, 1));
    const day = (month.getTime() - begin.getTime()) / DAY_MS;
    if (day > days) return out;
    if (day >= 0) out.push({ day, label: month.toISOString().slice(0, 7) });
  }
}

export function Gantt({ gantt }: { gantt: Json }) {
  return (
    <>
      {objects(object(gantt).plans).map((plan, i) => (
        <PlanCard key={i} plan={plan} />
      ))}
    </>
  );
}

function PlanCard({ plan }: { plan: JsonObject }) {
  const rows = tasks(plan);
  const ready = number(plan.ready_day) ?? 0;
  const high = number(plan.ready_day_high) ?? ready;
  const low = number(plan.ready_day_low) ?? ready;
  const start = text(plan.start) ?? '';
  if (rows.length === 0) return null;
  const missed = objects(plan.missed);
  const lacking = texts(plan.not_priced);
  const capital = number(plan.total_usd) ?? number(plan.capital_usd);
  const late = number(plan.late_days) ?? 0;
  const height = rows.length * ROW + 64;
  const end = Math.max(high, ...rows.map((r) => r.finish));
  const says = `Ready ${text(plan.ready) ?? ''} (${dateAt(start, low)} to ${dateAt(start, high)})${capital ? `, ${formatScaled(capital, 'USD')}` : ''}${late > 0 ? `; ${formatNumber(late / 7, 3)} wk later than wanted` : ''}.`;
  return (
    <Card
      title={`Lead times: ${text(plan.name) ?? ''}`}
      says={says}
      note={[
        ...missed.map((m) => `${text(m.limit)} falls short${text(m.add) ? `: ${text(m.add)}` : ''}.`),
        ...(lacking.length ? [`No price known: ${lacking.join(', ')}.`] : []),
      ].join(' ')}
      wide
    >
      <Drawing height={height} least={620} most={1700} says={`${says} ${rows.filter((r) => r.critical).map((r) => `${r.name} ${r.from} to ${r.to}`).join(', then ')}`}>
        {(width) => {
          const names = Math.min(width * 0.42, Math.max(...rows.map((r) => textWidth(r.name))) + 12);
          const x = linear([0, end], [names, width - 14]);
          return (
            <>
              {dates(start, end, Math.max(2, (width - names) / 74)).map((d) => (
                <g key={d.day}>
                  <path class="grid" d={`M${x(d.day)},10V${height - 40}`} />
                  <text x={Math.min(x(d.day), width - textWidth(d.label) / 2)} y={height - 24} text-anchor="middle" class="soft">
                    {d.label}
                  </text>
                </g>
              ))}
              <rect x={x(low)} y={10} width={Math.max(1, x(high) - x(low))} height={height - 50} style={{ fill: 'var(--c2)', opacity: 0.13 }} />
              {rows.map((r, i) => (
                <Mark
                  key={i}
                  facts={{
                    title: r.name,
                    rows: [
                      ['from', r.from],
                      ['to', r.to],
                      ['takes', `${formatNumber((r.finish - r.start) / 7, 3)} wk`],
                      [r.critical ? 'critical' : 'slack', r.critical ? 'it decides the date' : `${formatNumber(r.slack / 7, 3)} wk`],
                    ],
                  }}
                >
                  <text x={names - 8} y={14 + i * ROW + 12} text-anchor="end">
                    {fitted(r.name, names - 10)}
                  </text>
                  {!r.critical && r.slack > 0 && (
                    <path d={`M${x(r.finish)},${14 + i * ROW + 8}H${x(Math.min(end, r.finish + r.slack))}`} style={{ stroke: 'var(--strong-line)', strokeDasharray: '2 3' }} />
                  )}
                  <rect class="face" x={x(r.start)} y={14 + i * ROW + 1} width={Math.max(2, x(r.finish) - x(r.start))} height={ROW - 7} rx={2} style={{ fill: r.critical ? 'var(--c7)' : 'var(--c1)' }} />
                </Mark>
              ))}
              <path d={`M${x(ready)},6V${height - 40}`} style={{ stroke: 'var(--ink)', strokeWidth: 1.5 }} />
              <text x={Math.min(x(ready), width - textWidth(`ready ${text(plan.ready) ?? ''}`) / 2)} y={height - 6} text-anchor="middle" style={{ fontWeight: 600 }}>
                ready {text(plan.ready)}
              </text>
            </>
          );
        }}
      </Drawing>
      <Legend
        items={[
          { colour: 'var(--c7)', label: 'decides the date' },
          { colour: 'var(--c1)', label: 'has slack (dots)' },
          { colour: 'color-mix(in srgb, var(--c2) 25%, var(--panel))', label: 'ready: all lead times low to all high' },
        ]}
      />
    </Card>
  );
}

