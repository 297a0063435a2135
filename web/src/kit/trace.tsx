// How a number came about. The engine writes every figure with its formula, inputs and source
// (check.trace); the page shows them on hover, on focus and on tap, and walks to the inputs.
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import { format, formatScaled } from './format';
import { number, object, objects, text, texts, type Json, type JsonObject } from './json';

export type Trace = Map<string, JsonObject>;

/// The figures of one or more answers, by id. An id may occur more than once; the last holds
/// (docs/output.md). Runs of `train` and `infer` may hold a trace of their own.
export function traceOf(...answers: (Json | undefined)[]): Trace {
  const nodes = answers.flatMap((answer) => {
    const o = object(answer);
    return [...objects(o.trace), ...objects(o.runs).flatMap((run) => objects(run.trace))];
  });
  return new Map(nodes.map((node) => [text(node.id) ?? '', node]));
}

export const TraceContext = createContext<Trace>(new Map());

/// Kinds of source that a reader should doubt, and so sees without asking.
export function unsure(node: JsonObject | undefined): string | undefined {
  const trust = text(object(node?.source).trust);
  return trust === 'assumed' || trust === 'recalled, unverified' ? trust : undefined;
}

/// What an explanation may also hold, for figures that are not in the trace.
export interface Facts {
  title?: string;
  value?: string;
  rows?: [string, string][];
}

interface Shown {
  anchor: Element;
  trail: string[];
  facts?: Facts;
  pinned: boolean;
  trace: Trace;
}
const shown = signal<Shown | null>(null);
let leaving = 0;
let returning = false;

function open(anchor: Element, trace: Trace, id: string | undefined, facts: Facts | undefined, pinned: boolean) {
  window.clearTimeout(leaving);
  if (!pinned && shown.value?.pinned) return;
  shown.value = { anchor, trail: id ? [id] : [], facts, pinned, trace };
}
function leave() {
  if (shown.value?.pinned) return;
  window.clearTimeout(leaving);
  leaving = window.setTimeout(() => (shown.value = null), 180);
}
function close(focus: boolean) {
  const anchor = shown.value?.anchor;
  if (!focus || !(anchor instanceof HTMLElement || anchor instanceof SVGElement)) return;
  returning = true; // the focus that comes back does not ask again
  anchor.focus();
  returning = false;
  shown.value = null; // after the focus, which shows the explanation of what it reaches
}

/// Handlers that make any element, HTML or SVG, explain a trace id or plain facts.
export function useExplain(id?: string, facts?: Facts): Record<string, unknown> {
  const trace = useContext(TraceContext);
  return explaining(trace, id, facts);
}
export function explaining(trace: Trace, id?: string, facts?: Facts): Record<string, unknown> {
  if (!facts && !(id && trace.has(id))) return {};
  return {
    'data-explains': id ?? '',
    onMouseEnter: (e: Event) => open(e.currentTarget as Element, trace, id, facts, false),
    onMouseLeave: leave,
    onFocus: (e: Event) => {
      const target = e.currentTarget as Element;
      if (!returning && target.matches(':focus-visible')) open(target, trace, id, facts, false);
    },
    onBlur: leave,
    onClick: (e: Event) => open(e.currentTarget as Element, trace, id, facts, true),
    onKeyDown: (e: KeyboardEvent) => {
      if (e.key === 'Escape') close(false);
      if ((e.key === 'Enter' || e.key === ' ') && !(e.currentTarget instanceof HTMLButtonElement)) {
        e.preventDefault();
        open(e.currentTarget as Element, trace, id, facts, true);
      }
    },
  };
}

/// A number that explains itself: underlined with dots where there is something to tell.
export function Num(props: { id?: string; facts?: Facts; children: ComponentChildren; class?: string }) {
  const trace = useContext(TraceContext);
  const node = props.id ? trace.get(props.id) : undefined;
  const doubt = unsure(node);
  const mark = doubt ? <span class="trust unsure">{doubt === 'assumed' ? 'assumed' : 'recalled'}</span> : null;
  if (!node && !props.facts) return <span class={props.class}>{props.children}</span>;
  return (
    <span class={props.class}>
      <button type="button" class="num" aria-haspopup="dialog" {...explaining(trace, props.id, props.facts)}>
        {props.children}
      </button>
      {mark && <> {mark}</>}
    </span>
  );
}

/// A quantity in the unit that reads best, with its explanation.
export function Amount(props: { value: number; unit?: string; id?: string; plain?: boolean }) {
  const shownText = props.plain ? format(props.value, props.unit) : formatScaled(props.value, props.unit);
  return <Num id={props.id}>{shownText}</Num>;
}

export function valueOf(node: JsonObject): string {
  const value = number(node.value);
  if (value === undefined) return text(node.text) ?? '';
  return formatScaled(value, text(node.unit) ?? '');
}

function Source({ source }: { source: JsonObject }) {
  const trust = text(source.trust) ?? '';
  const doubt = trust === 'assumed' || trust === 'recalled, unverified';
  const url = text(source.url);
  const title = text(source.title) || (doubt ? '' : 'no title given');
  return (
    <>
      <span class={`trust${doubt ? ' unsure' : ''}`}>{trust || 'source'}</span>{' '}
      {url && /^https?:/.test(url) ? (
        <a href={url} target="_blank" rel="noreferrer noopener">
          {title || url}
        </a>
      ) : (
        title
      )}
      {text(source.date) && ` (${text(source.date)})`}
      {text(source.place) && (
        <>
          {' '}
          <code>{text(source.place)}</code>
        </>
      )}
    </>
  );
}

function NodeBody({ node, trace, walk }: { node: JsonObject; trace: Trace; walk: (id: string) => void }) {
  const low = number(node.low);
  const high = number(node.high);
  const unit = text(node.unit) ?? '';
  const inputs = texts(node.inputs);
  return (
    <dl>
      {text(node.formula) && (
        <>
          <dt>formula</dt>
          <dd>{text(node.formula)}</dd>
        </>
      )}
      {low !== undefined && high !== undefined && (
        <>
          <dt>range</dt>
          <dd>
            {formatScaled(low, unit)} to {formatScaled(high, unit)}
          </dd>
        </>
      )}
      {inputs.length > 0 && (
        <>
          <dt>from</dt>
          <dd>
            <ul>
              {inputs.map((id) => {
                const input = trace.get(id);
                return (
                  <li key={id}>
                    <button type="button" class="walk" disabled={!input} onClick={() => walk(id)}>
                      {id}
                    </button>
                    {input && ` = ${valueOf(input)}`}
                    {unsure(input) && <> <span class="trust unsure">{unsure(input)}</span></>}
                  </li>
                );
              })}
            </ul>
          </dd>
        </>
      )}
      {node.source !== undefined && (
        <>
          <dt>source</dt>
          <dd>
            <Source source={object(node.source)} />
          </dd>
        </>
      )}
    </dl>
  );
}

/// The one explanation of the page; stands once, near its end.
export function ExplainLayer() {
  const now = shown.value;
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (!now || !element) return;
    const zoom = Number(getComputedStyle(document.documentElement).zoom) || 1;
    const at = now.anchor.getBoundingClientRect();
    const size = element.getBoundingClientRect();
    const width = window.innerWidth;
    const height = window.innerHeight;
    const below = at.bottom + 6;
    const top = below + size.height < height ? below : Math.max(6, at.top - size.height - 6);
    const left = Math.max(6, Math.min(at.left, width - size.width - 8));
    element.style.top = `${top / zoom}px`;
    element.style.left = `${left / zoom}px`;
  }, [now]);
  useEffect(() => {
    if (!now?.pinned) return;
    box.current?.focus();
    const outside = (e: Event) => {
      if (!box.current?.contains(e.target as Node) && !now.anchor.contains(e.target as Node)) close(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [now?.pinned, now?.anchor]);
  useEffect(() => {
    if (!now) return;
    const escape = (e: KeyboardEvent) => e.key === 'Escape' && close(now.pinned);
    const scrolled = (e: Event) => !now.pinned && !(e.target as Node).contains?.(box.current) && (shown.value = null);
    document.addEventListener('keydown', escape);
    window.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      document.removeEventListener('keydown', escape);
      window.removeEventListener('scroll', scrolled);
    };
  }, [now]);
  if (!now) return null;
  const id = now.trail[now.trail.length - 1];
  const node = id ? now.trace.get(id) : undefined;
  const first = now.trail.length <= 1;
  const walk = (next: string) => (shown.value = { ...now, pinned: true, trail: [...now.trail, next] });
  return (
    <div
      ref={box}
      class="explain"
      role="dialog"
      aria-label={`How this number came about${id ? `: ${id}` : ''}`}
      tabIndex={-1}
      onMouseEnter={() => window.clearTimeout(leaving)}
      onMouseLeave={leave}
    >
      {now.pinned && (
        <div class="bar">
          {first ? (
            <span />
          ) : (
            <button type="button" class="walk" onClick={() => (shown.value = { ...now, trail: now.trail.slice(0, -1) })}>
              back
            </button>
          )}
          <button type="button" class="walk" onClick={() => close(true)}>
            close
          </button>
        </div>
      )}
      {now.facts && first && (
        <>
          <h4>
            {now.facts.title} {now.facts.value && <>= {now.facts.value}</>}
          </h4>
          <dl>
            {now.facts.rows?.flatMap(([name, value]) => [<dt>{name}</dt>, <dd>{value}</dd>])}
          </dl>
        </>
      )}
      {node && id && (
        <>
          {!(now.facts && first) && <h4>{valueOf(node)}</h4>}
          <code>{id}</code>
          <NodeBody node={node} trace={now.trace} walk={walk} />
        </>
      )}
      {!now.pinned && <p class="note">Enter or click keeps this open and walks to its inputs.</p>}
    </div>
  );
}
