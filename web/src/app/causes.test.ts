// Each change of a variant, made alone in the reference.
import { expect, test } from 'vitest';
import { alone } from './causes';
import { inputs } from './compare';

const a = 'name: x\nclusters:\n  - name: gpu\n    count: 4\n    load: 80 %\npower: {grid: {capacity: 2 MW}}\n';

/** The reference with the change of `label` that `b` brings. */
const only = (b: string, label: string) =>
  alone(
    a,
    inputs(a, b).find((change) => change.label === label)!,
  );

test('a value that changed', () => {
  const b = a.replace('count: 4', 'count: 8').replace('2 MW', '3 MW');
  expect(only(b, 'clusters.gpu.count')).toBe(a.replace('count: 4', 'count: 8'));
  expect(only(b, 'power.grid.capacity')).toBe(a.replace('2 MW', '3 MW'));
});

test('a value that is new or gone', () => {
  const b = a.replace('    load: 80 %\n', '').replace('capacity: 2 MW', 'capacity: 2 MW, feeds: 2 x 1 MW');
  expect(only(b, 'clusters.gpu.load')).toBe(a.replace('    load: 80 %\n', ''));
  expect(only(b, 'power.grid.feeds')).toBe(a.replace('2 MW', '2 MW, feeds: 2 x 1 MW'));
  expect(only(`${a}site: {region: us-iowa}\n`, 'site.region')).toBe(`${a}site:\n  region: us-iowa\n`);
});

test('what comes as an item of a list does not stand alone by its fields', () => {
  expect(only(a.replace('power:', '  - {name: two, count: 1}\npower:'), 'clusters.two.count')).toBeNull();
});

test('the item of a list that stands elsewhere in the other text is found by name', () => {
  const b = a.replace('  - name: gpu\n    count: 4', '  - name: first\n    count: 1\n  - name: gpu\n    count: 9');
  expect(only(b, 'clusters.gpu.count')).toBe(a.replace('count: 4', 'count: 9'));
});
