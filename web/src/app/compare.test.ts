// Differences of two answers, cut from `check --json`.
import { expect, test } from 'vitest';
import type { JsonObject } from '../kit/json';
import { costChanges, figureChanges, inputs, margins, sentence } from './compare';

const margin = (id: string, headroom: number): JsonObject => ({
  id,
  limit: `limit ${id}`,
  headroom,
  holds: headroom >= 0,
});
const usd = (value: number, unit: string): JsonObject => ({ value, unit, label: 'capital', id: 'money.capital' });
const line = (id: string, count: number, total: number): JsonObject => ({
  id,
  category: 'network',
  item: `item ${id}`,
  count,
  total: { value: total, unit: 'USD' },
});

const a: JsonObject = {
  verdict: 'fits',
  binding: 'x',
  margins: [margin('x', 0.1), margin('y', 0.5), margin('z', 2), margin('w', -0.2)],
  money: { capital: usd(900, 'kUSD') },
  bill: [line('p', 2, 100), line('q', 1, 50), line('same', 1, 7)],
};
const b: JsonObject = {
  verdict: 'does not fit',
  binding: 'y',
  margins: [margin('y', -0.1), margin('x', 0.1), margin('w', 0.2), margin('n', 1)],
  money: { capital: usd(1.8, 'MUSD') },
  bill: [line('p', 4, 200), line('r', 1, 500), line('same', 1, 7)],
};

test('inputs are matched by path and list items by name', () => {
  const before = 'a: 1\nl:\n  - {name: x, n: 1}\n  - {name: y, n: 2}\n';
  const after = 'a: 1\nl:\n  - {name: y, n: 3}\n  - {name: x, n: 1}\nb: 4\n';
  expect(inputs(before, after).map(({ label, before: x, after: y }) => [label, x, y])).toEqual([
    ['l.y.n', '2', '3'],
    ['b', null, '4'],
  ]);
});

test('limits tell what became of them', () => {
  expect(Object.fromEntries(margins(a, b).map((m) => [m.id, m.fate]))).toEqual({
    y: 'broke',
    x: 'same',
    w: 'freed',
    n: 'new',
    z: 'gone',
  });
});

test('figures are compared in one unit', () => {
  expect(figureChanges(a, b, 'money')[0]?.ratio).toBeCloseTo(2, 12);
});

test('cost items that changed, the largest first', () => {
  expect(costChanges(a, b).map((c) => [c.id, c.change])).toEqual([
    ['r', 500],
    ['p', 100],
    ['q', -50],
  ]);
});

test('one sentence', () => {
  expect(sentence(a, b)).toBe('Breaks limit y; frees limit w; the binding limit moves from limit x to limit y.');
  expect(sentence(a, a)).toMatch(/^Every limit that held still holds/);
});
