// Two variants held against each other: which inputs differ, what that did to each limit and to each
// item of cost. `a` is the reference; everything is said as the way from `a` to `b`.
import { scaled } from '../kit/format';
import { at, figures, number, object, objects, quantity, text } from '../kit/json';
import type { Figure, JsonObject } from '../kit/json';
import { leaves, read } from './yaml/tree';

export interface InputChange {
  label: string;
  path: readonly (string | number)[];
  before: string | null;
  after: string | null;
}

/** Values that differ, by the engine's paths; list items are matched by name. */
export function inputs(a: string, b: string): InputChange[] {
  const before = new Map(leaves(a, read(a)).map((leaf) => [leaf.label, leaf]));
  const after = new Map(leaves(b, read(b)).map((leaf) => [leaf.label, leaf]));
  const changes: InputChange[] = [];
  for (const [label, leaf] of before) {
    const now = after.get(label);
    if (now?.text !== leaf.text) changes.push({ label, path: leaf.path, before: leaf.text, after: now?.text ?? null });
  }
  for (const [label, leaf] of after)
    if (!before.has(label)) changes.push({ label, path: leaf.path, before: null, after: leaf.text });
  return changes;
}

export type Fate = 'broke' | 'freed' | 'tighter' | 'looser' | 'same' | 'new' | 'gone';

export interface MarginChange {
  id: string;
  limit: string;
  before: number | null;
  after: number | null;
  fate: Fate;
  margin: JsonObject; // of b, or of a where it is gone
}

const headroomOf = (margin: JsonObject | undefined) => number(margin?.headroom) ?? null;

function fateOf(a: JsonObject | undefined, b: JsonObject | undefined): Fate {
  if (!a) return b?.holds === false ? 'broke' : 'new';
  if (!b) return a.holds === false ? 'freed' : 'gone';
  if (a.holds !== b.holds) return b.holds ? 'freed' : 'broke';
  const change = (headroomOf(b) ?? 0) - (headroomOf(a) ?? 0);
  return Math.abs(change) < 5e-4 ? 'same' : change < 0 ? 'tighter' : 'looser';
}

/** Every limit of both, the tightest of `b` first. */
export function margins(a: JsonObject, b: JsonObject): MarginChange[] {
  const byId = (doc: JsonObject) => new Map(objects(doc.margins).map((m) => [text(m.id) ?? '', m]));
  const [before, after] = [byId(a), byId(b)];
  const ids = new Set([...after.keys(), ...before.keys()]);
  return [...ids].map((id) => {
    const [was, is] = [before.get(id), after.get(id)];
    const margin = is ?? was ?? {};
    return {
      id,
      limit: text(margin.limit) ?? id,
      before: headroomOf(was),
      after: headroomOf(is),
      fate: fateOf(was, is),
      margin,
    };
  });
}

/** A quantity in the smallest unit of its family: the engine picks MUSD or kUSD by size. */
function base(q: { value: number; unit: string } | null | undefined): number | null {
  if (!q) return null;
  const tiny = 1e-30; // so small that `scaled` picks the smallest unit
  return q.value * (scaled(tiny, q.unit)[0] / tiny);
}

export const capital = (doc: JsonObject) => quantity(object(doc.money).capital);
export const capitalUsd = (doc: JsonObject): number => base(capital(doc)) ?? 0;

export interface FigureChange {
  label: string;
  id: string;
  before: Figure | null;
  after: Figure | null;
  ratio: number | null; // after / before, in one unit
}

/** Figures of a section of `check`, e.g. money, in the order of `b`. */
export function figureChanges(a: JsonObject, b: JsonObject, section: string): FigureChange[] {
  const list = (doc: JsonObject) => new Map(figures(at(doc, section)).map((f) => [f.key, f]));
  const [before, after] = [list(a), list(b)];
  return [...new Set([...after.keys(), ...before.keys()])].map((key) => {
    const [was, is] = [before.get(key) ?? null, after.get(key) ?? null];
    const [x, y] = [base(was), base(is)];
    return {
      label: (is ?? was)?.label ?? key,
      id: (is ?? was)?.id ?? '',
      before: was,
      after: is,
      ratio: x !== null && y !== null && x !== 0 ? y / x : null,
    };
  });
}

export interface CostChange {
  id: string;
  item: string;
  category: string;
  before: { count: number; usd: number } | null;
  after: { count: number; usd: number } | null;
  change: number; // USD
}

/** Items of the bill of materials that differ, the largest change first. */
export function costChanges(a: JsonObject, b: JsonObject): CostChange[] {
  const list = (doc: JsonObject) =>
    new Map(
      objects(doc.bill).map((line) => [
        text(line.id) ?? '',
        { line, count: number(line.count) ?? 0, usd: number(object(line.total).value) ?? 0 },
      ]),
    );
  const [before, after] = [list(a), list(b)];
  const changes = [...new Set([...after.keys(), ...before.keys()])].map((id) => {
    const [was, is] = [before.get(id) ?? null, after.get(id) ?? null];
    const line = (is ?? was)?.line ?? {};
    return {
      id,
      item: text(line.item) ?? id,
      category: text(line.category) ?? '',
      before: was,
      after: is,
      change: (is?.usd ?? 0) - (was?.usd ?? 0),
    };
  });
  return changes.filter((c) => Math.abs(c.change) >= 1).sort((x, y) => Math.abs(y.change) - Math.abs(x.change));
}

export const binding = (doc: JsonObject | null | undefined): JsonObject | undefined =>
  objects(doc?.margins).find((m) => m.id === doc?.binding);

/** In one sentence what a way from `a` to `b` did to the verdict. */
export function sentence(a: JsonObject, b: JsonObject): string {
  const changes = margins(a, b);
  const name = (list: MarginChange[]) => list.map((m) => m.limit).join('; ');
  const broke = changes.filter((m) => m.fate === 'broke');
  const freed = changes.filter((m) => m.fate === 'freed');
  const parts: string[] = [];
  if (broke.length) parts.push(`breaks ${name(broke)}`);
  if (freed.length) parts.push(`frees ${name(freed)}`);
  if (a.binding !== b.binding)
    parts.push(
      `the binding limit moves from ${text(binding(a)?.limit) ?? 'none'} to ${text(binding(b)?.limit) ?? 'none'}`,
    );
  if (!parts.length) parts.push('every limit that held still holds, and none that fell short does');
  return `${parts.join('; ')}.`.replace(/^./, (c) => c.toUpperCase());
}
