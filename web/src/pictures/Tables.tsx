// Tables of what the pictures rest on: figures of a section, every figure of the trace with its
// source, remarks, the scenario's text.
import { useState } from 'preact/hooks';
import { Card, More, Table } from '../kit/parts';
import { Amount, Num, traceOf, valueOf } from '../kit/trace';
import { formatNumber } from '../kit/format';
import { figures, object, objects, text, texts, type Json } from '../kit/json';

/// Figures of one section: energy, carbon, water, money, a workload.
export function Section({ title, of }: { title: string; of: Json | undefined }) {
  const rows = figures(of);
  if (rows.length === 0) return null;
  return (
    <Card title={title}>
      <Table
        caption={title}
        rows={rows}
        columns={[
          { head: 'figure', cell: (r) => <span style={/^ /.test(r.label) ? { paddingLeft: '1em' } : {}}>{r.label.trim()}</span> },
          { head: 'value', number: true, cell: (r) => <Amount value={r.value} unit={r.unit} id={r.id} /> },
        ]}
      />
    </Card>
  );
}

/// Choices the layers made, in their words.
export function Plans({ check }: { check: Json }) {
  const plans = objects(object(check).plans);
  if (plans.length === 0) return null;
  return (
    <Card title="Choices made" wide>
      {plans.map((p) => (
        <div key={text(p.id)}>
          <p>
            <strong>{text(p.layer)}</strong> {text(p.summary)}
          </p>
          {Object.keys(object(p.items)).length > 0 && (
            <More title="Parts" paper>
              <Table
                caption={text(p.summary) ?? ''}
                rows={Object.entries(object(p.items))}
                columns={[
                  { head: 'part', cell: ([k]) => k },
                  { head: 'is', cell: ([, v]) => text(v) ?? '' },
                ]}
              />
            </More>
          )}
        </div>
      ))}
    </Card>
  );
}

export function Remarks({ parts }: { parts: Record<string, Json> }) {
  const all = Object.entries(parts).flatMap(([part, doc]) => [
    ...texts(object(doc).remarks),
    ...texts(object(doc).not_asked).map((s) => `Not asked: ${s}`),
    ...objects(object(doc).runs).flatMap((r) => texts(r.remarks).map((s) => (part === 'check' ? s : `${part}: ${s}`))),
  ]);
  const once = [...new Set(all)];
  if (once.length === 0) return null;
  return (
    <Card title="What a reader must know" wide>
      <ul>
        {once.map((r) => (
          <li key={r}>{r}</li>
        ))}
      </ul>
    </Card>
  );
}

const TRUSTS = ['measured', 'published', 'secondary', 'derived', 'user', 'assumed', 'recalled, unverified'];

/// Every figure with how it came about; those that rest on memory or assumption can be shown alone.
export function FiguresTable({ check }: { check: Json }) {
  const [want, setWant] = useState('');
  const nodes = [...traceOf(check).values()];
  if (nodes.length === 0) return null;
  const trustOf = (n: Json) => text(object(object(n).source).trust) ?? '';
  const counts = TRUSTS.map((t) => ({ t, n: nodes.filter((x) => trustOf(x) === t).length })).filter((c) => c.n > 0);
  const needle = want.toLowerCase();
  const rows = nodes.filter((n) => !needle || `${text(n.id)} ${text(n.formula) ?? ''} ${trustOf(n)} ${text(object(n.source).title) ?? ''}`.toLowerCase().includes(needle));
  return (
    <Card
      title="Every figure and its source"
      says={`${formatNumber(nodes.length)} figures. Inputs by trust: ${counts.map((c) => `${c.n} ${c.t}`).join(', ')}.`}
      wide
    >
      <More title="Show the figures">
        <p class="no-print">
          <label>
            Find <input type="search" value={want} onInput={(e) => setWant(e.currentTarget.value)} placeholder="power, assumed, recalled …" />
          </label>{' '}
          <span class="soft small">{formatNumber(rows.length)} shown</span>
        </p>
        <Table
          caption="Figures with formula and source"
          rows={rows}
          columns={[
            { head: 'figure', cell: (n) => <code>{text(n.id)}</code> },
            { head: 'value', number: true, cell: (n) => <Num id={text(n.id)}>{valueOf(n)}</Num> },
            { head: 'formula or source', cell: (n) => text(n.formula) ?? text(object(n.source).title) ?? '' },
            { head: 'trust', cell: (n) => trustOf(n) },
          ]}
        />
      </More>
    </Card>
  );
}

const AGREES: Record<string, string> = { yes: 'good', no: 'bad' };

/// What the trade says and what follows from the models (headroom claims --json).
export function Claims({ claims }: { claims: Json }) {
  const all = objects(object(claims).claims);
  if (all.length === 0) return null;
  const count = (v: string) => all.filter((c) => text(c.verdict) === v).length;
  const kinds = [...new Set(all.map((c) => text(c.verdict) ?? ''))];
  return (
    <Card title="What the trade says, checked" says={`${all.length} claims: ${kinds.map((k) => `${count(k)} ${k}`).join(', ')}.`} wide>
      <More title="The claims">
        <Table
          caption="Claims and what follows from the models"
          rows={all}
          columns={[
            { head: 'claim', cell: (c) => text(c.claim) ?? '' },
            { head: 'layer', cell: (c) => text(c.layer) ?? '' },
            { head: 'holds', cell: (c) => <strong class={AGREES[text(c.verdict) ?? ''] ?? 'warn'}>{text(c.verdict)}</strong> },
            { head: 'claimed, derived', cell: (c) => objects(c.checks).map((k) => `${text(k.claimed) ?? ''}, ${text(k.derived) ?? ''}`).join('; ') },
            { head: 'because', cell: (c) => text(c.because) ?? '' },
          ]}
        />
      </More>
    </Card>
  );
}

export function ScenarioText({ scenario, file }: { scenario: string; file?: string }) {
  return (
    <Card title="The scenario" says={file} wide>
      <More title="Its text" paper>
        <pre class="scenario" tabIndex={0}>{scenario}</pre>
      </More>
    </Card>
  );
}
