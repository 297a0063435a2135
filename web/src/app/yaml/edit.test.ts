// Texts as users write them: what is changed changes, and everything else stays byte for byte.
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { append, quoted, remove, set } from './edit';
import { at, leaves, lineOf, read, written } from './tree';

const scenarios = new URL('../../../../scenarios/', `file://${__dirname}/`);
const campus = readFileSync(new URL('campus-100k.yaml', scenarios), 'utf8');

const value = (text: string, ...path: (string | number)[]) => {
  const node = at(read(text), path);
  return node && written(text, node);
};
/** Lines of `after` that `before` has not, and the other way round. */
const changed = (before: string, after: string) => {
  const [a, b] = [before.split('\n'), after.split('\n')];
  return [a.filter((line) => !b.includes(line)), b.filter((line) => !a.includes(line))];
};

test('a number between its key and its comment', () => {
  const after = set(campus, ['money', 'accelerator_price'], '30000 USD');
  expect(changed(campus, after)).toEqual([
    ['  accelerator_price: 45000 USD             # 30,000 for the GPU and 15,000 for its chassis: table'],
    ['  accelerator_price: 30000 USD             # 30,000 for the GPU and 15,000 for its chassis: table'],
  ]);
});

test('a value in a flow map in a list of block maps, by name as in the engine', () => {
  const after = set(campus, ['clusters', 'gpu', 'fabric', 'oversubscription'], '2');
  expect(value(after, 'clusters', 0, 'fabric')).toBe(
    '{kind: rail, switch: qm9700, oversubscription: 2, max_oversubscription: 2}',
  );
});

test('a new entry goes behind the last one of its map', () => {
  const after = set(campus, ['clusters', 0, 'load'], '80 %');
  expect(changed(campus, after)).toEqual([[], ['    load: 80 %']]);
  expect(value(after, 'clusters', 0, 'load')).toBe('80 %');
  expect(value(set(campus, ['power', 'grid', 'feeds'], '2 x 125 MW'), 'power', 'grid')).toBe(
    '{capacity: 250 MW, feeds: 2 x 125 MW}',
  );
});

test('what is missing on the way is made', () => {
  const after = set(campus, ['power', 'ups', 'units'], '6 x 500 kW');
  expect(changed(campus, after)).toEqual([[], ['  ups:', '    units: 6 x 500 kW']]);
  const flow = set('a: {}\n', ['a', 'b', 'c'], '1');
  expect(flow).toBe('a: {b: {c: 1}}\n');
  expect(set('name: x', ['site', 'region'], 'us-iowa')).toBe('name: x\nsite:\n  region: us-iowa');
  expect(set('', ['name'], 'x')).toBe('name: x\n');
  expect(value(set('a:\n\nb: 1\n', ['a', 'c'], '2'), 'a', 'c')).toBe('2');
  expect(value(set('a: 1\nb: 1\n', ['l', 0, 'name'], 'x'), 'l', 0, 'name')).toBe('x');
});

test('a map gives way to a value and a value to a map', () => {
  expect(set('a:\n  b: 1\n  c: 2\nd: 3\n', ['a'], '5')).toBe('a: 5\nd: 3\n');
  expect(set('a: 5\nd: 3\n', ['a', 'low'], '4')).toBe('a: {low: 4}\nd: 3\n');
});

test('entries and items go with their comment, empty parents too', () => {
  const text = 'a:\n  b: 1   # one\n  c: 2\nl:\n  - {n: 1}\n  - n: 2\n    m: 3\n';
  expect(remove(text, ['a', 'b'])).toBe('a:\n  c: 2\nl:\n  - {n: 1}\n  - n: 2\n    m: 3\n');
  expect(remove(text, ['l', 1, 'n'])).toBe('a:\n  b: 1   # one\n  c: 2\nl:\n  - {n: 1}\n  - m: 3\n');
  expect(remove(text, ['l', 0, 'n'])).toBe('a:\n  b: 1   # one\n  c: 2\nl:\n  - n: 2\n    m: 3\n');
  expect(remove(remove(text, ['a', 'b']), ['a', 'c'])).toBe('l:\n  - {n: 1}\n  - n: 2\n    m: 3\n');
  expect(remove('a: {b: 1, c: 2, d: 3}\n', ['a', 'c'])).toBe('a: {b: 1, d: 3}\n');
  expect(remove('a: {b: 1, c: 2}\n', ['a', 'c'])).toBe('a: {b: 1}\n');
  expect(remove('a: {b: 1, c: 2}\n', ['a', 'b'])).toBe('a: {c: 2}\n');
});

test('one more item is the last one under a free name', () => {
  const text = 'l:\n  - name: x\n    m: 1\nz: 1\n';
  const two = append(text, ['l'], '{name: x}');
  expect(two).toBe('l:\n  - name: x\n    m: 1\n  - name: x-2\n    m: 1\nz: 1\n');
  expect(value(append(two, ['l'], ''), 'l', 2, 'name')).toBe('x-3');
  expect(append('l: [{name: a}]\n', ['l'], '')).toBe('l: [{name: a}, {name: a-2}]\n');
  expect(append('z: 1\n', ['l'], '{name: new}')).toBe('z: 1\nl:\n  - {name: new}\n');
});

test('values that YAML would read as something else are quoted', () => {
  expect(quoted('45 kW')).toBe('45 kW');
  expect(quoted('{low: 1 MW, likely: 2 MW, high: 3 MW}')).toBe('{low: 1 MW, likely: 2 MW, high: 3 MW}');
  expect(quoted('a: b')).toBe('"a: b"');
  expect(quoted('')).toBe('""');
  expect(set('a: {b: 1}\n', ['a', 'b'], 'x, y')).toBe('a: {b: "x, y"}\n');
});

test('text that is no YAML gives what can be read, and never throws', () => {
  for (const text of ['a: [1, 2', 'a: {b: 1', '\t- x', 'a: "unclosed', '- - -', ': :', 'a: b: c', '%', '&a'])
    expect(() => leaves(text, read(text))).not.toThrow();
  expect(value('a: 1\nb: [1, 2', 'a')).toBe('1');
});

test('anchors, merges and block scalars are left to the text', () => {
  const text = 'a: &x 1\nb: *x\nc: |\n  two\n  lines\nd: 4\n';
  expect(read(text).entries.map((e) => e.value.kind)).toEqual(['opaque', 'opaque', 'opaque', 'scalar']);
  expect(set(text, ['d'], '5')).toBe(text.replace('d: 4', 'd: 5'));
});

test('every value of every scenario can be set to itself and to another and back', () => {
  for (const file of readdirSync(scenarios).filter((name) => name.endsWith('.yaml'))) {
    const text = readFileSync(new URL(file, scenarios), 'utf8');
    const list = leaves(text, read(text));
    expect(list.length).toBeGreaterThan(10);
    for (const leaf of list) {
      const node = at(read(text), leaf.path)!;
      expect(set(text, leaf.path, written(text, node))).toBe(text);
      const other = set(text, leaf.path, '12.5 kW');
      expect(value(other, ...leaf.path)).toBe('12.5 kW');
      expect(set(other, leaf.path, written(text, node))).toBe(text);
      expect(
        at(read(remove(text, leaf.path)), leaf.path)?.kind === 'scalar' && typeof leaf.path.at(-1) === 'string',
      ).toBe(false);
      expect(lineOf(text, node.start)).toBeGreaterThan(0);
    }
  }
});
