// What the current variant comes to: verdict, binding limit and what lifts it, figures with what
// changed since the baseline, every limit.
import { computed, signal } from '@preact/signals';
import { format, formatHeadroom, formatNumber, formatPair, formatScaled } from '../kit/format';
import { at, figures, number, object, objects, quantity, text, texts } from '../kit/json';
import type { Figure, JsonObject } from '../kit/json';
import { Card, More, Table, Tabs } from '../kit/parts';
import { Amount, Num, traceOf } from '../kit/trace';
import { HeadroomBars } from '../pictures/Headroom';
import { Bill, CashFlow, CostSplit, Paths } from '../pictures/Money';
import { binding, figureChanges, margins, sentence } from './compare';
import type { FigureChange, MarginChange } from './compare';
import { Slider } from './fields';
import { fieldAt } from './schema';
import { current, keepApart, rebase, schema } from './state';
import type { Variant } from './state';

export const trace = computed(() => traceOf(current.value?.result.value ?? null));

/** "+20 %" beside a figure; nothing where it has not moved. */
export function Moved({ change, from }: { change: FigureChange | undefined; from: string }) {
  if (!change?.before || change.ratio === null || Math.abs(change.ratio - 1) < 5e-5) return null;
  const percent = (change.ratio - 1) * 100;
  const size =
    Math.abs(percent) < 1000 ? `${formatNumber(Math.abs(percent), 3)} %` : `${formatNumber(change.ratio, 3)}×`;
  const was = formatScaled(change.before.value, change.before.unit);
  return (
    <span class="moved" title={`${was} at ${from}`}>
      <span aria-hidden="true">{percent > 0 ? '▲' : '▼'}</span>
      <span class="visually-hidden">{percent > 0 ? 'up' : 'down'}</span> {size}
      <span class="visually-hidden">
        , {was} at {from}
      </span>
    </span>
  );
}

const section = (doc: JsonObject, name: string) => figures(at(doc, name));

interface Tile extends Figure {
  section: string;
}

/** The dozen figures people ask for first; the rest stands in the tables below. */
function tiles(doc: JsonObject): Tile[] {
  const pick = (name: string, keys: RegExp) =>
    section(doc, name)
      .filter((f) => keys.test(f.key))
      .map((f) => ({ ...f, section: name }));
  const work = Object.keys(object(doc.workloads)).flatMap((name) =>
    section(doc, `workloads.${name}`)
      .filter((f) => /^(duration|goodput|step_time|ttft|tpot|token_rate|gpus)$/.test(f.key))
      .map((f) => ({ ...f, label: `${name}: ${f.label}`, section: `workloads.${name}` })),
  );
  return [
    ...pick('money', /^capital$|^operating$|per_used_gpu_hour|_per_token$|_per_run$|per_answer|per_request/),
    ...pick('energy', /^(it_max|meter_max|pue|year)$/),
    ...pick('carbon', /^market$/),
    ...pick('water', /^year$/),
    ...work,
  ].slice(0, 16);
}

function Tiles({ v, doc }: { v: Variant; doc: JsonObject }) {
  const base = v.baseline.value;
  const changes = new Map<string, FigureChange>();
  const list = tiles(doc);
  if (base && base !== doc)
    for (const name of new Set(list.map((t) => t.section)))
      for (const c of figureChanges(base, doc, name)) changes.set(c.id, c);
  return (
    <dl class="tiles">
      {list.map((t) => (
        <div key={t.section + t.key}>
          <dt>{t.label.trim()}</dt>
          <dd>
            <Amount value={t.value} unit={t.unit} id={t.id ?? ''} />{' '}
            <Moved change={changes.get(t.id ?? '')} from="the baseline" />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Remedies({ margin }: { margin: JsonObject }) {
  const list = objects(margin.remedies);
  if (!list.length) return null;
  return (
    <>
      <h4>What lifts it</h4>
      <ul class="remedies">
        {list.map((r, i) => {
          const cost = quantity(r.cost);
          const lead = quantity(r.lead_time);
          return (
            <li key={i}>
              {text(r.action)}
              {cost && (
                <>
                  {' '}
                  · <strong>{formatScaled(cost.value, cost.unit)}</strong>
                </>
              )}
              {lead && <> · {format(lead.value, lead.unit)} lead time</>}
              {text(r.source) && <span class="soft"> ({text(r.source)})</span>}
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** The verdict in one line, for a screen on which the form hides it. */
export function Strip({ v, onShow }: { v: Variant; onShow: () => void }) {
  const doc = v.result.value;
  const tight = binding(doc);
  if (!doc) return null;
  return (
    <button type="button" class="strip" onClick={onShow}>
      <strong class={doc.verdict === 'fits' ? 'good' : 'bad'}>{text(doc.verdict)}</strong>
      {tight && (
        <>
          {' '}
          · {text(tight.limit)} {formatHeadroom(number(tight.headroom))}
        </>
      )}
      {v.errors.value.length > 0 && <span class="warn"> · {v.errors.value.length} wrong</span>}
    </button>
  );
}

export function Verdict({ v }: { v: Variant }) {
  const doc = v.result.value;
  if (!doc) return <p class="soft">Reckoning …</p>;
  const tight = binding(doc);
  const fits = doc.verdict === 'fits';
  const [need, have] = [quantity(tight?.need), quantity(tight?.have)];
  const pair = need && have ? formatPair(need.value, have.value, need.unit || have.unit) : null;
  return (
    <section class={`verdict ${fits ? 'fits' : 'short'}`} aria-label="Verdict" data-stale={v.stale.value}>
      <p class="word">
        <span class={`sign ${fits ? 'good' : 'bad'}`} aria-hidden="true">
          {fits ? '✓' : '✗'}
        </span>
        <strong>{text(doc.verdict)}</strong>
        {v.stale.value && v.errors.value.length > 0 && (
          <span class="warn small"> as of the last text without errors</span>
        )}
      </p>
      {tight && (
        <>
          <p class="binding">
            Binding limit: <strong data-binding={text(tight.id)}>{text(tight.limit)}</strong>{' '}
            <span class={tight.holds ? 'good' : 'bad'} data-headroom={number(tight.headroom)}>
              {formatHeadroom(number(tight.headroom))}
            </span>
          </p>
          {pair && (
            <p>
              need <Num id={text(tight.need_id) ?? ''}>{pair[0]}</Num>
              {pair[1] && (
                <>
                  {' '}
                  of <Num id={text(tight.have_id) ?? ''}>{pair[1]}</Num>
                </>
              )}
              . {text(tight.why)}
            </p>
          )}
          <Remedies margin={tight} />
        </>
      )}
    </section>
  );
}

const words: Record<string, string> = {
  broke: 'now falls short',
  freed: 'now holds',
  tighter: 'tighter',
  looser: 'looser',
  new: 'new',
  gone: 'no longer asked',
};

export function Fates({ list }: { list: MarginChange[] }) {
  return (
    <ul class="fates">
      {list.map((m) => (
        <li key={m.id} class={m.fate}>
          <span class={`badge ${m.fate === 'broke' ? 'bad' : m.fate === 'freed' ? 'good' : 'soft'}`}>
            {words[m.fate]}
          </span>{' '}
          {m.limit}{' '}
          <span class="soft nowrap">
            {m.fate === 'new' || m.before === null ? '' : formatHeadroom(m.before)}
            {m.before !== null && m.after !== null && ' → '}
            {m.after !== null && m.fate !== 'gone' && formatHeadroom(m.after)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Changes({ v, doc }: { v: Variant; doc: JsonObject }) {
  const base = v.baseline.value;
  if (!base || base === doc) return null;
  const moved = margins(base, doc).filter((m) => m.fate !== 'same');
  if (!moved.length) return null;
  const weight = (m: MarginChange) => (m.fate === 'broke' ? 0 : m.fate === 'freed' ? 1 : 2);
  const list = [...moved].sort((x, y) => weight(x) - weight(y) || (x.after ?? 0) - (y.after ?? 0));
  return (
    <Card
      title="Changed since the baseline"
      says={sentence(base, doc)}
      tools={
        <span class="tools">
          <button type="button" onClick={() => rebase(v)}>
            Make this the baseline
          </button>{' '}
          <button
            type="button"
            disabled={v.errors.value.length > 0}
            onClick={() => keepApart(v)}
            title="The change becomes a variant, this one goes back to its baseline"
          >
            Keep as a variant
          </button>
        </span>
      }
    >
      <Fates list={list.slice(0, 8)} />
      {list.length > 8 && (
        <More title={`${list.length - 8} more`}>
          <Fates list={list.slice(8)} />
        </More>
      )}
    </Card>
  );
}

/** What a slider of machines means in accelerators, from the trace. */
function also(v: Variant, path: readonly (string | number)[]): string {
  if (path[0] !== 'clusters' || path.at(-1) !== 'count') return '';
  const items = at(v.result.value ?? {}, 'trace');
  const cluster = v.tree.value.entries.find((e) => e.key === 'clusters')?.value;
  const item = cluster?.kind === 'seq' ? cluster.items[Number(path[1])]?.value : undefined;
  const name = item?.kind === 'map' ? item.entries.find((e) => e.key === 'name')?.value : undefined;
  const id = `clusters.${name?.kind === 'scalar' ? name.text : ''}.gpus`;
  const node = objects(items).find((n) => n.id === id);
  const value = number(node?.value);
  return value === undefined ? '' : `= ${formatNumber(value, 7)} ${text(node?.unit) ?? ''}s`;
}

export function Sliders({ v }: { v: Variant }) {
  const root = schema.value;
  if (!v.pins.value.length || !root) return null;
  return (
    <section class="sliders" aria-label="Sliders">
      {v.pins.value.map((p) => (
        <Slider key={p.path.join('.')} v={v} pin={p} field={fieldAt(root, p.path)} also={also(v, p.path)} />
      ))}
    </section>
  );
}

type Part = 'limits' | 'money' | 'figures';
const part = signal<Part>('limits');

/** Every figure of a section, each explaining itself. */
function AllFigures({ doc }: { doc: JsonObject }) {
  const names = [
    'money',
    'energy',
    'carbon',
    'water',
    ...Object.keys(object(doc.workloads)).map((w) => `workloads.${w}`),
  ];
  return (
    <>
      {names.map((name) => {
        const rows = section(doc, name);
        if (!rows.length) return null;
        return (
          <Card key={name} title={name.replace('workloads.', 'Workload ').replace(/^./, (c) => c.toUpperCase())}>
            <Table
              caption={`Figures of ${name}`}
              rows={rows}
              columns={[
                { head: 'figure', cell: (f) => f.label.trim() },
                { head: 'value', number: true, cell: (f) => <Amount value={f.value} unit={f.unit} id={f.id ?? ''} /> },
              ]}
            />
          </Card>
        );
      })}
    </>
  );
}

function Parts({ doc }: { doc: JsonObject }) {
  const remarks = texts(doc.remarks);
  return (
    <>
      <Tabs
        label="Show"
        value={part.value}
        onChange={(key: Part) => (part.value = key)}
        options={[
          { key: 'limits', label: 'Limits' },
          { key: 'money', label: 'Money' },
          { key: 'figures', label: 'All figures' },
        ]}
      />
      {part.value === 'limits' && (
        <>
          <HeadroomBars check={doc} />
          {remarks.length > 0 && (
            <Card title="Remarks">
              <ul>
                {remarks.map((r) => (
                  <li key={r}>{r}</li>
                ))}
              </ul>
            </Card>
          )}
        </>
      )}
      {part.value === 'money' && (
        <>
          <CostSplit check={doc} />
          <CashFlow check={doc} />
          <Paths check={doc} />
          <Bill check={doc} />
        </>
      )}
      {part.value === 'figures' && <AllFigures doc={doc} />}
    </>
  );
}

export function Results({ v }: { v: Variant }) {
  const doc = v.result.value;
  return (
    <div class="results" aria-label="Results" role="region">
      <div class="panel">
        <Sliders v={v} />
        <Verdict v={v} />
      </div>
      {doc && (
        <>
          <Changes v={v} doc={doc} />
          <Card
            title="At a glance"
            note={`Answered in ${Math.round(v.millis.value)} ms. A dotted number says how it came about.`}
          >
            <Tiles v={v} doc={doc} />
          </Card>
          <Parts doc={doc} />
        </>
      )}
    </div>
  );
}
