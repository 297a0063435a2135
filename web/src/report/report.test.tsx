// The report as it stands in the page: what the document says is what is read, and what it lacks is
// left out without a trace.
import { render } from 'preact';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Report } from './Report';
import type { ReportDocument } from './document';

const q = (value: number, unit: string) => ({ value, unit });
const margin = (id: string, headroom: number, more = {}) => ({
  id, layer: 'power', limit: `limit ${id}`, need: q(100, 'kW'), have: q(100 * (1 + headroom), 'kW'), headroom, holds: headroom >= 0,
  why: `why ${id}`, remedies: [], need_id: 'n', have_id: null, ...more,
});
const document_ = (check: object, parts: object = {}): ReportDocument =>
  ({ kind: 'headroom-report', version: '9.9', name: 'A study', file: 'a.yaml', date: '2026-11-20', scenario: 'name: A study\n', parts: { check, ...parts } }) as never;
const trace = [
  { id: 'n', value: 100, unit: 'kW', formula: 'a x b', inputs: ['i'] },
  { id: 'i', value: 2, unit: '', source: { trust: 'assumed', title: 'a guess' } },
];

let root: HTMLElement;
beforeEach(() => {
  root = document.createElement('div');
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
});
const show = async (d: ReportDocument) => {
  render(<Report document={d} />, root);
  await new Promise((r) => setTimeout(r, 30));
  return root.textContent ?? '';
};

test('page one: verdict, first limit, what lifts it with cost and lead time', async () => {
  const remedy = { action: 'a larger feed', cost: q(1234567, 'USD'), lead_time: q(26, 'wk'), source: 'catalogue' };
  const said = await show(document_({ binding: 'x', trace, margins: [margin('x', -0.34, { remedies: [remedy] }), margin('y', 0.05), margin('z', 3)] }));
  expect(said).toContain('It does not fit. 1 of 3 limits falls short; the first is limit x.');
  expect(said).toContain('a larger feed');
  expect(said).toContain('1.235\u00a0MUSD');
  expect(said).toContain('26\u00a0wk');
  expect(said).toContain('−34\u00a0%');
  expect(said).toContain('1 more with at least twice what they need');
});

test('a scenario that fits says so and names what binds', async () => {
  expect(await show(document_({ binding: 'y', trace, margins: [margin('y', 0.05)] }))).toContain('It fits. Of 1 limits, limit y binds first, with +5.0\u00a0% left.');
});

test('a number explains itself and walks to its inputs; doubt is marked without asking', async () => {
  await show(document_({ binding: 'x', trace, margins: [margin('x', -0.1)], money: { horizon: { ...q(4, 'yr'), label: 'horizon', id: 'i' } } }));
  expect(root.querySelector('.trust.unsure')?.textContent).toBe('assumed');
  root.querySelector<HTMLButtonElement>('.limit .num')?.click();
  await new Promise((r) => setTimeout(r, 30));
  const box = document.querySelector('.explain');
  expect(box?.textContent).toContain('a x b');
  box?.querySelector<HTMLButtonElement>('li .walk')?.click();
  await new Promise((r) => setTimeout(r, 30));
  expect(document.querySelector('.explain')?.textContent).toContain('a guess');
});

test('a document with nothing but a name still opens, and tells what failed', async () => {
  const d = { ...document_({}), parts: {}, failed: { year: 'no weather' } };
  const said = await show(d);
  expect(said).toContain('A study');
  expect(said).toContain('year: no weather');
});

test('another scenario stands beside', async () => {
  const a = { verdict: 'does not fit', binding: 'x', margins: [margin('x', -0.1)] };
  const b = { verdict: 'fits', binding: 'x', margins: [margin('x', 0.2)] };
  const d = { ...document_(a), also: [{ name: 'B', file: 'b.yaml', scenario: 'name: B\n', parts: { check: b } }] } as ReportDocument;
  const said = await show(d);
  expect(said).toContain('Beside B');
  expect(said).toContain('freed');
});

test('text of a scenario is text', async () => {
  const d = { ...document_({}), name: '<img src=x onerror=alert(1)>' };
  await show(d);
  expect(root.querySelector('img')).toBeNull();
});
