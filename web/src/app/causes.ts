// Which input did what: each change of `b` alone, made in `a`, and what the engine says to it. What
// the changes do only together is the rest.
import type { JsonObject } from '../kit/json';
import { api } from './api';
import type { Diagnostic } from './api';
import { inputs } from './compare';
import type { InputChange } from './compare';
import { scenarioName } from './state';
import { at, read } from './yaml/tree';
import { remove, set } from './yaml/edit';

export interface Cause {
  change: InputChange;
  document: JsonObject | null;
  errors: Diagnostic[];
}

const MOST = 16; // inputs asked one by one

/** `a` with one change of an existing or a new value; null where a list's item came or went. */
export function alone(a: string, change: InputChange): string | null {
  const path = change.label.split('.');
  if (change.after === null) {
    const parent = at(read(a), change.path.slice(0, -1));
    return parent?.kind === 'map' ? remove(a, change.path) : null;
  }
  if (change.before !== null) return set(a, change.path, change.after);
  // New in `b`: its lists must be there in `a`, by the same names.
  let node = at(read(a), []);
  for (const step of path.slice(0, -1)) {
    const next = at(node!, [step]);
    if (!next && node?.kind === 'seq') return null;
    if (!next) break;
    node = next;
  }
  return set(a, path, change.after);
}

export async function causes(a: string, b: string): Promise<{ causes: Cause[]; left: InputChange[] }> {
  const changes = inputs(a, b);
  const found: Cause[] = [];
  const left: InputChange[] = [];
  for (const change of changes) {
    const text = found.length < MOST ? alone(a, change) : null;
    if (text === null) {
      left.push(change);
      continue;
    }
    const answer = await api.run({ verb: 'check', options: [], text, name: scenarioName() });
    found.push({ change, document: answer.document, errors: answer.errors });
  }
  return { causes: found, left };
}
