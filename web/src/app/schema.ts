// What the JSON Schema of `headroom schema` says about a field, in the words of a form.
//
// The schema uses few shapes (src/spec/json_schema): objects, arrays of objects, texts, choices,
// yes/no, numbers with a unit by `allOf: [{$ref: quantity}]`, ids of the catalogue by `x-catalog`.
// What has no shape of its own here is edited as YAML text.
import { list, object } from '../kit/json';
import type { Json, JsonObject } from '../kit/json';
import type { Path } from './yaml/tree';

export type Kind = 'map' | 'list' | 'quantity' | 'integer' | 'text' | 'date' | 'choice' | 'yes' | 'catalogue' | 'yaml';

export interface Field {
  kind: Kind;
  about: string; // the schema's description
  unit: string; // in which a quantity is usually written; '1' and '' are pure numbers
  dimension: string; // "a power"
  choices: string[];
  catalogue: string; // kind of the catalogue whose ids are legal
  fallback: string; // default, '' where there is none
  minimum: number | null;
  maximum: number | null;
  required: string[];
  fields: Map<string, Field>; // of a map
  item: Field | null; // of a list
}

const text = (json: Json | undefined) => (json === undefined || json === null ? '' : String(json));
const number = (json: Json | undefined) => (typeof json === 'number' ? json : null);

function kindOf(schema: JsonObject): Kind {
  if (schema['x-catalog'] !== undefined) return 'catalogue';
  if (schema.enum !== undefined) return 'choice';
  if (schema.allOf !== undefined) return 'quantity';
  if (schema.properties !== undefined) return 'map';
  if (schema.type === 'array') return object(schema.items).properties ? 'list' : 'yaml';
  if (schema.type === 'integer') return 'integer';
  if (schema.pattern !== undefined) return 'date';
  if (list(schema.anyOf).some((one) => object(one).type === 'boolean')) return 'yes';
  if (schema.type === 'string' || Array.isArray(schema.type)) return 'text';
  return 'yaml';
}

export function field(json: Json | undefined): Field {
  const schema = object(json);
  const kind = kindOf(schema);
  const fields = new Map<string, Field>();
  for (const [key, value] of Object.entries(object(schema.properties))) fields.set(key, field(value));
  const unit = text(schema['x-unit']);
  return {
    kind,
    about: text(schema.description),
    unit: unit === '1' ? '' : unit,
    dimension: text(schema['x-dimension']),
    choices: kind === 'yes' ? ['yes', 'no'] : list(schema.enum).map(text),
    catalogue: text(schema['x-catalog']),
    fallback: schema.default === true ? 'yes' : schema.default === false ? 'no' : text(schema.default),
    minimum: number(schema['x-minimum']) ?? number(schema.minimum),
    maximum: number(schema['x-maximum']) ?? number(schema.maximum),
    required: list(schema.required).map(text),
    fields,
    item: kind === 'list' ? field(schema.items) : null,
  };
}

export function fieldAt(root: Field, path: Path): Field | undefined {
  let found: Field | undefined = root;
  for (const step of path) found = found?.kind === 'list' ? (found.item ?? undefined) : found?.fields.get(String(step));
  return found;
}

/** Every field that is no map: for search by name and by what it is about. Lists stand for themselves. */
export function allFields(root: Field, path: string[] = []): { path: string[]; field: Field }[] {
  const found: { path: string[]; field: Field }[] = [];
  for (const [key, one] of root.fields) {
    const here = [...path, key];
    if (one.kind === 'map') found.push(...allFields(one, here));
    else found.push({ path: here, field: one });
    if (one.item) found.push(...allFields(one.item, here));
  }
  return found;
}

/** What to expect, in one line under a field. */
export function expectation(one: Field): string {
  const range =
    one.minimum !== null && one.maximum !== null
      ? `${one.minimum} to ${one.maximum}`
      : one.maximum !== null
        ? `at most ${one.maximum}`
        : '';
  const example = one.kind === 'quantity' && one.unit ? `${one.dimension}, e.g. in ${one.unit}` : '';
  const fallback = one.fallback !== '' && one.fallback !== '0' ? `${one.fallback} when left out` : '';
  return [example, range, fallback].filter(Boolean).join('; ');
}

/** A value to start a new field with; '' where only the user can say. */
export function startValue(one: Field): string {
  if (one.kind === 'choice' || one.kind === 'yes') return one.fallback || one.choices[0] || '';
  if (one.kind === 'integer') return one.fallback;
  return '';
}

// ---- numbers with units ----

export interface Quantity {
  before: string; // "2 x " of a bank
  value: number;
  after: string; // the unit and what follows it, e.g. " MW @table"
  exponent: boolean; // written as 15.6e12
}

/** A number as written in a scenario; null for ranges, distributions and texts. */
export function quantity(written: string): Quantity | null {
  const found = /^(\s*\d+\s*x\s+)?([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d+)?)(\s*[a-z%°µ@].*|\s*)$/i.exec(written);
  if (!found) return null;
  const value = Number((found[2] ?? '').replaceAll('_', ''));
  if (!Number.isFinite(value)) return null;
  return { before: found[1] ?? '', value, after: (found[4] ?? '').trimEnd(), exponent: found[3] !== undefined };
}

/** The same with another number, at most four digits unless it is a whole one. */
export function withValue(q: Quantity, value: number, whole: boolean): string {
  const rounded = whole ? Math.round(value) : Number(value.toPrecision(4));
  return q.before + numberText(rounded, q.exponent) + q.after;
}

function numberText(value: number, exponent: boolean): string {
  const size = Math.abs(value);
  if (!exponent && size < 1e15 && (size >= 1e-4 || size === 0)) return String(value);
  if (size === 0) return '0';
  const power = Math.floor(Math.log10(size) / 3) * 3;
  return `${Number((value / 10 ** power).toPrecision(6))}e${power}`;
}

export interface Span {
  low: number;
  high: number;
  log: boolean;
}

/** Where a slider goes: a quarter to four times what stood there, within the schema's bounds. */
export function span(q: Quantity, one: Field | undefined): Span {
  // The schema's bounds are in its own unit, so they hold only where the value is written in it.
  const same = (q.after.trim().split(/\s+@/)[0] ?? '') === (one?.unit ?? '') || q.after.trim() === '';
  const minimum = same && one?.minimum != null ? one.minimum : -Infinity;
  const maximum = same && one?.maximum != null ? one.maximum : Infinity;
  if (q.value <= 0) {
    const reach = Math.max(1, 4 * Math.abs(q.value));
    return { low: Math.max(-reach, minimum), high: Math.min(reach, maximum), log: false };
  }
  const [low, high] = [Math.max(q.value / 4, minimum), Math.min(q.value * 4, maximum)];
  return { low, high, log: low > 0 && high / low > 3 };
}

export const steps = 200; // of a slider

export function fromStep(s: Span, step: number): number {
  const share = step / steps;
  return s.log ? s.low * (s.high / s.low) ** share : s.low + share * (s.high - s.low);
}

export function toStep(s: Span, value: number): number {
  const share = s.log ? Math.log(value / s.low) / Math.log(s.high / s.low) : (value - s.low) / (s.high - s.low || 1);
  return Math.min(steps, Math.max(0, Math.round(share * steps)));
}
