// JSON as it comes from the engine: read field by field, never trusted to hold one. A field that is
// missing or of another kind reads as nothing, so that a picture of an older document still draws.
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export const object = (v: Json | undefined): JsonObject =>
  v !== null && typeof v === 'object' && !Array.isArray(v) ? v : {};
export const list = (v: Json | undefined): Json[] => (Array.isArray(v) ? v : []);
export const objects = (v: Json | undefined): JsonObject[] =>
  list(v).filter((x): x is JsonObject => x !== null && typeof x === 'object' && !Array.isArray(x));
export const number = (v: Json | undefined): number | undefined =>
  typeof v === 'number' && Number.isFinite(v) ? v : undefined;
export const text = (v: Json | undefined): string | undefined => (typeof v === 'string' ? v : undefined);
export const texts = (v: Json | undefined): string[] =>
  list(v).filter((x): x is string => typeof x === 'string');
export const numbers = (v: Json | undefined): number[] =>
  list(v).map((x) => (typeof x === 'number' ? x : NaN));

/// The field at a dotted path: `at(document, 'year.energy_in_j')`.
export function at(v: Json | undefined, path: string): Json | undefined {
  let here: Json | undefined = v;
  for (const key of path.split('.')) here = object(here)[key];
  return here;
}

/// A quantity as the engine writes it (docs/output.md): the unit belongs to the field.
export interface Quantity {
  value: number;
  unit: string;
}
export function quantity(v: Json | undefined): Quantity | undefined {
  const value = number(object(v).value);
  return value === undefined ? undefined : { value, unit: text(object(v).unit) ?? '' };
}

/// A quantity with its name and the id of its trace.
export interface Figure extends Quantity {
  key: string;
  label: string;
  id?: string;
}
export function figures(v: Json | undefined): Figure[] {
  return Object.entries(object(v)).flatMap(([key, entry]) => {
    const q = quantity(entry);
    if (!q) return [];
    return [{ key, ...q, label: text(object(entry).label) ?? key, id: text(object(entry).id) }];
  });
}
