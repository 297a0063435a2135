// Every limit by its headroom, least first (check --json: margins).
import { Card, More } from '../kit/parts';
import { Num } from '../kit/trace';
import { formatHeadroom, formatPair } from '../kit/format';
import { number, object, objects, quantity, text, type Json, type JsonObject } from '../kit/json';

export interface Margin {
  id: string;
  layer: string;
  limit: string;
  need: number;
  have: number;
  unit: string;
  headroom: number | null;
  holds: boolean;
  why: string;
  needId?: string;
  haveId?: string;
  remedies: Remedy[];
}
export interface Remedy {
  action: string;
  costUsd?: number;
  leadWeeks?: number;
  source?: string;
}

function remedy(r: JsonObject): Remedy {
  return {
    action: text(r.action) ?? '',
    costUsd: quantity(r.cost)?.value,
    leadWeeks: quantity(r.lead_time)?.value,
    source: text(r.source),
  };
}

export function margins(check: Json | undefined): Margin[] {
  return objects(object(check).margins).map((m) => ({
    id: text(m.id) ?? '',
    layer: text(m.layer) ?? '',
    limit: text(m.limit) ?? '',
    need: quantity(m.need)?.value ?? 0,
    have: quantity(m.have)?.value ?? 0,
    unit: quantity(m.need)?.unit ?? quantity(m.have)?.unit ?? '',
    headroom: number(m.headroom) ?? null,
    holds: m.holds === true,
    why: text(m.why) ?? '',
    needId: text(m.need_id),
    haveId: text(m.have_id),
    remedies: objects(m.remedies).map(remedy),
  }));
}

/// "bad" falls short, "warn" is within a tenth, "good" the rest; the words of the command line.
export function standing(m: { holds: boolean; headroom: number | null }): 'bad' | 'warn' | 'good' {
  if (!m.holds) return 'bad';
  return m.headroom !== null && m.headroom < 0.1 ? 'warn' : 'good';
}

const LOW = -0.5;
const HIGH = 1;
const place = (v: number) => (100 * (Math.min(HIGH, Math.max(LOW, v)) - LOW)) / (HIGH - LOW);

function Bar({ margin }: { margin: Margin }) {
  const value = margin.headroom ?? HIGH;
  const zero = place(0);
  const end = place(value);
  const beyond = value > HIGH || value < LOW;
  return (
    <div class="hr-track" aria-hidden="true">
      <div
        class={`hr-fill ${standing(margin)}`}
        style={{ left: `${Math.min(zero, end)}%`, width: `${Math.max(0.4, Math.abs(end - zero))}%` }}
      />
      <div class="hr-zero" style={{ left: `${zero}%` }} />
      {beyond && <span class="hr-more" style={value > 0 ? { right: '2px' } : { left: '2px' }}>{value > 0 ? '»' : '«'}</span>}
    </div>
  );
}

function Row({ margin }: { margin: Margin }) {
  const [need, have] = formatPair(margin.need, margin.have, margin.unit);
  return (
    <li>
      <div class="hr-name">
        <Num facts={{ title: margin.limit, rows: [['why', margin.why], ['limit', margin.id]] }}>{margin.limit}</Num>
        <span class="soft small">{margin.layer}</span>
      </div>
      <Bar margin={margin} />
      <div class="hr-pair small">
        <span class="soft">need</span> <Num id={margin.needId}>{need}</Num>
        {have && (
          <>
            {' '}
            <span class="soft">of</span> <Num id={margin.haveId}>{have}</Num>
          </>
        )}
      </div>
      <div class={`hr-percent ${standing(margin)}`}>
        {formatHeadroom(margin.headroom)}
        {!margin.holds && <span class="visually-hidden"> falls short</span>}
      </div>
    </li>
  );
}

function Axis() {
  return (
    <div class="hr-axis" aria-hidden="true">
      <div />
      <div class="hr-ticks">
        {[-0.5, 0, 0.5, 1].map((v) => (
          <span key={v} style={{ left: `${place(v)}%` }}>
            {v === 0 ? '0' : `${v > 0 ? '+' : '−'}${Math.abs(v * 100)} %`}
          </span>
        ))}
      </div>
    </div>
  );
}

/// The bars alone, for use inside other pieces; at most `most` of them unfolded.
export function HeadroomList({ list, most = Infinity }: { list: Margin[]; most?: number }) {
  const close = list.filter((m) => !m.holds || (m.headroom ?? 9) < 1);
  const shown = close.length > 0 ? close.slice(0, most) : list.slice(0, 8);
  const far = list.filter((m) => !shown.includes(m));
  return (
    <div class="hr">
      <Axis />
      <ol>{shown.map((m) => <Row key={m.id} margin={m} />)}</ol>
      {far.length > 0 && (
        <More title={close.length > shown.length ? `${far.length} more with more headroom` : `${far.length} more with at least twice what they need`}>
          <ol>{far.map((m) => <Row key={m.id} margin={m} />)}</ol>
        </More>
      )}
    </div>
  );
}

export function HeadroomBars({ check, level }: { check: Json; level?: 2 | 3 }) {
  const list = margins(check);
  if (list.length === 0) return null;
  const short = list.filter((m) => !m.holds).length;
  return (
    <Card
      title="Headroom of every limit"
      level={level}
      says={
        short > 0
          ? `${short} of ${list.length} limits fall short; least headroom first.`
          : `All ${list.length} limits hold; the first one binds.`
      }
      note="Headroom is what there is over what is needed, less one. Red falls short, amber is within 10 %."
      wide
    >
      <HeadroomList list={list} />
    </Card>
  );
}
