// The schema as the engine gives it (a cut of `headroom schema`) and numbers as users write them.
import { expect, test } from 'vitest';
import { allFields, expectation, field, fieldAt, fromStep, quantity, span, steps, toStep, withValue } from './schema';

const root = field({
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: ['string', 'number'], description: 'What it is about' },
    as_of: { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$' },
    site: {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-catalog': 'region' },
        existing: { anyOf: [{ type: 'boolean' }, { enum: ['yes', 'no'] }], default: false },
        capacity: {
          allOf: [{ $ref: '#/definitions/quantity' }],
          'x-unit': 'MW',
          'x-dimension': 'a power',
          'x-minimum': 0,
        },
        within: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      },
    },
    clusters: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          count: { allOf: [{ $ref: '#/definitions/number' }], 'x-unit': '1', 'x-minimum': 0, 'x-maximum': 1000 },
          kind: { enum: ['auto', 'rail'], default: 'auto' },
          planes: { type: 'integer', default: 1, minimum: 1, maximum: 8 },
        },
      },
    },
  },
});

test('every shape of the schema is a kind of field', () => {
  const kind = (...path: (string | number)[]) => fieldAt(root, path)?.kind;
  expect(kind('name')).toBe('text');
  expect(kind('as_of')).toBe('date');
  expect(kind('site')).toBe('map');
  expect(kind('site', 'region')).toBe('catalogue');
  expect(kind('site', 'existing')).toBe('yes');
  expect(kind('site', 'capacity')).toBe('quantity');
  expect(kind('site', 'within')).toBe('yaml');
  expect(kind('clusters')).toBe('list');
  expect(kind('clusters', 0, 'count')).toBe('quantity');
  expect(kind('clusters', 'gpu', 'kind')).toBe('choice');
  expect(kind('clusters', 0, 'planes')).toBe('integer');
  expect(kind('clusters', 0, 'none')).toBeUndefined();
  expect(allFields(root).map((f) => f.path.join('.'))).toContain('clusters.count');
});

test('what to expect is said with its unit and bounds', () => {
  expect(expectation(fieldAt(root, ['site', 'capacity'])!)).toBe('a power, e.g. in MW');
  expect(expectation(fieldAt(root, ['clusters', 0, 'planes'])!)).toBe('1 to 8; 1 when left out');
  expect(expectation(fieldAt(root, ['site', 'existing'])!)).toBe('no when left out');
});

test('numbers keep their spelling when they change', () => {
  const to = (written: string, value: number, whole = false) => withValue(quantity(written)!, value, whole);
  expect(to('250 MW', 123.456)).toBe('123.5 MW');
  expect(to('12500', 15000.4, true)).toBe('15000');
  expect(to('15.6e12 token', 2e13)).toBe('20e12 token');
  expect(to('1.75e6 m3/yr', 1.2e6)).toBe('1.2e6 m3/yr');
  expect(to('2 x 45 kW', 60)).toBe('2 x 60 kW');
  expect(to('30 s @table', 15)).toBe('15 s @table');
  expect(to('85%', 90)).toBe('90%');
  expect(quantity('llama-3.1-405b')).toBeNull();
  expect(quantity('{low: 1 MW, likely: 2 MW, high: 3 MW}')).toBeNull();
  expect(quantity('2026-11-20')).toBeNull();
  expect(quantity('')).toBeNull();
});

test('a slider reaches a quarter to four times the value, within the bounds, and is its own inverse', () => {
  const power = span(quantity('250 MW')!, fieldAt(root, ['site', 'capacity']));
  expect([power.low, power.high, power.log]).toEqual([62.5, 1000, true]);
  const count = span(quantity('800')!, fieldAt(root, ['clusters', 0, 'count']));
  expect(count.high).toBe(1000);
  // bounds are in the schema's unit: they say nothing about a value in another
  expect(span(quantity('300 kW')!, { ...fieldAt(root, ['site', 'capacity'])!, maximum: 100 }).high).toBe(1200);
  for (let step = 0; step <= steps; step += 20) {
    expect(toStep(power, fromStep(power, step))).toBe(step);
    expect(toStep(count, fromStep(count, step))).toBe(step);
  }
  expect(span(quantity('0 K')!, undefined)).toEqual({ low: -1, high: 1, log: false });
});
