// The few pieces that every picture is set in.
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

/// A picture: title, one sentence that says what to see, the drawing, and what stands below it.
export function Card(props: {
  title: string;
  says?: ComponentChildren;
  tools?: ComponentChildren;
  children: ComponentChildren;
  note?: ComponentChildren;
  id?: string;
  wide?: boolean;
  level?: 2 | 3;
}) {
  const head = useId();
  const H = props.level === 2 ? 'h2' : 'h3';
  return (
    <section class={`card${props.wide ? ' wide' : ''}`} aria-labelledby={head} id={props.id}>
      <header>
        <H id={head}>{props.title}</H>
        {props.tools}
        {props.says && <p>{props.says}</p>}
      </header>
      {props.children}
      {props.note && <div class="note">{props.note}</div>}
    </section>
  );
}

/// Points between the margins of A4, near enough for drawings that are scaled to fit.
const PAPER = 680;

/// The width a drawing has, in points; drawn again when it changes and before printing.
export function useWidth(start = 640): [{ current: HTMLDivElement | null }, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(start);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => element.clientWidth > 0 && setWidth(element.clientWidth);
    measure();
    if (typeof ResizeObserver === 'undefined') return;
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const paper = () => setWidth(PAPER);
    const back = () => box.current && setWidth(box.current.clientWidth);
    window.addEventListener('beforeprint', paper);
    window.addEventListener('afterprint', back);
    return () => {
      window.removeEventListener('beforeprint', paper);
      window.removeEventListener('afterprint', back);
    };
  }, []);
  return [box, width];
}

/// A drawing as wide as its place; at least `least` wide, scrolled below that. `says` is what the
/// picture says to those who do not see it.
export function Drawing(props: {
  height: number | ((width: number) => number);
  least?: number;
  most?: number;
  says: string;
  children: (width: number) => ComponentChildren;
}) {
  const [box, have] = useWidth();
  const width = Math.min(props.most ?? 2000, Math.max(have, props.least ?? 0));
  const height = typeof props.height === 'number' ? props.height : props.height(width);
  const scrolls = width > have;
  const region: Record<string, unknown> = scrolls
    ? { tabIndex: 0, role: 'region', 'aria-label': `${props.says.split(/[.:]/)[0]}, scrolls sideways` }
    : {};
  return (
    <>
      <div ref={box} class="scroll" {...region}>
        <svg
          role="group"
          aria-label={props.says}
          viewBox={`0 0 ${width} ${height}`}
          style={{ width: scrolls ? `${width}px` : '100%', maxWidth: scrolls ? 'none' : `${width}px` }}
        >
          {props.children(width)}
        </svg>
      </div>
      {scrolls && (
        <p class="note no-print" aria-hidden="true">
          ↔ scrolls sideways
        </p>
      )}
    </>
  );
}

/// Choices of which one holds; arrow keys move.
export function Tabs<T extends string>(props: {
  label: string;
  options: { key: T; label: string }[];
  value: T;
  onChange: (key: T) => void;
}) {
  const move = (e: KeyboardEvent) => {
    const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    e.preventDefault();
    const here = props.options.findIndex((o) => o.key === props.value);
    const next = props.options[(here + step + props.options.length) % props.options.length];
    if (!next) return;
    props.onChange(next.key);
    const buttons = (e.currentTarget as HTMLElement).querySelectorAll('button');
    buttons[props.options.indexOf(next)]?.focus();
  };
  return (
    <div class="tabs no-print" role="tablist" aria-label={props.label} onKeyDown={move}>
      {props.options.map((o) => (
        <button
          type="button"
          role="tab"
          key={o.key}
          aria-selected={o.key === props.value}
          tabIndex={o.key === props.value ? 0 : -1}
          onClick={() => props.onChange(o.key)}
        >
          {o.label}
        </button>
      ))}
    </div>
  );
}

export function Legend({ items }: { items: { colour: string; label: ComponentChildren; border?: string }[] }) {
  return (
    <ul class="legend">
      {items.map((item, i) => (
        <li key={i}>
          <span class="swatch" style={{ background: item.colour, borderColor: item.border ?? 'transparent' }} />
          {item.label}
        </li>
      ))}
    </ul>
  );
}

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  number?: boolean;
}

/// A table that scrolls inside itself rather than pushing the page wider.
export function Table<Row>(props: { rows: Row[]; columns: Column<Row>[]; caption: string; shown?: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useLayoutEffect(() => {
    const element = box.current;
    if (element) setScrolls(element.scrollWidth > element.clientWidth + 1);
  });
  const region: Record<string, unknown> = scrolls
    ? { tabIndex: 0, role: 'region', 'aria-label': `${props.caption}, scrolls sideways` }
    : {};
  return (
    <div class="scroll" ref={box} {...region}>
      <table>
        <caption class={props.shown ? '' : 'visually-hidden'}>{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((c) => (
              <th key={c.head} scope="col" class={c.number ? 'n' : ''}>
                {c.head || <span class="visually-hidden">picture</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, i) => (
            <tr key={i}>
              {props.columns.map((c, k) =>
                k === 0 ? (
                  <th key={c.head} scope="row" class={c.number ? 'n' : ''} style={{ color: 'inherit' }}>
                    {c.cell(row)}
                  </th>
                ) : (
                  <td key={c.head} class={c.number ? 'n' : ''}>
                    {c.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/// More for those who want it, folded. `paper`: unfolded in print.
export function More({ title, children, paper }: { title: string; children: ComponentChildren; paper?: boolean }) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (!paper) return;
    let was = false;
    const before = () => {
      if (box.current) [was, box.current.open] = [box.current.open, true];
    };
    const after = () => box.current && (box.current.open = was);
    window.addEventListener('beforeprint', before);
    window.addEventListener('afterprint', after);
    return () => {
      window.removeEventListener('beforeprint', before);
      window.removeEventListener('afterprint', after);
    };
  }, [paper]);
  return (
    <details class="more" ref={box}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}
