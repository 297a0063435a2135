// Undo, latest-wins and event streams: what the page's answers hang on.
import { expect, test } from 'vitest';
import { parseEvent } from './api';
import { changed, fresh, redone, undone } from './history';
import { Latest } from './latest';

test('undo goes back a step at a time and redo returns', () => {
  let history = changed(fresh, 'a', 'x', 0);
  history = changed(history, 'b', 'y', 10);
  const one = undone(history, 'c')!;
  expect(one.text).toBe('b');
  const two = undone(one.history, one.text)!;
  expect(two.text).toBe('a');
  expect(undone(two.history, two.text)).toBeNull();
  expect(redone(two.history, two.text)!.text).toBe('b');
});

test('a slider that moves is one step, and after a pause another', () => {
  let history = changed(fresh, 'a', 'slider', 0);
  history = changed(history, 'b', 'slider', 100);
  history = changed(history, 'c', 'slider', 200);
  expect(history.past).toEqual(['a']);
  expect(changed(history, 'd', 'slider', 2000).past).toEqual(['a', 'd']);
  expect(changed(history, 'd', 'other', 210).past).toEqual(['a', 'd']);
});

test('a change after undo forgets what was undone', () => {
  const back = undone(changed(fresh, 'a', '', 0), 'b')!;
  expect(redone(changed(back.history, 'a', '', 5).valueOf() as never, 'c')).toBeNull();
});

test('the newest value is run, those overtaken are not', async () => {
  const ran: number[] = [];
  const overtaken: boolean[] = [];
  const latest = new Latest<number>(async (value, superseded) => {
    ran.push(value);
    await new Promise((done) => setTimeout(done, 5));
    overtaken.push(superseded());
  });
  for (const value of [1, 2, 3, 4]) latest.ask(value);
  await new Promise((done) => setTimeout(done, 40));
  expect(ran).toEqual([1, 4]);
  expect(overtaken).toEqual([true, false]);
});

test('blocks of an event stream', () => {
  expect(parseEvent('event: progress\ndata: {"done":1}')).toEqual({ event: 'progress', data: '{"done":1}' });
  expect(parseEvent(': heartbeat')).toBeNull();
  expect(parseEvent('data: a\ndata: b')).toEqual({ event: 'message', data: 'a\nb' });
});
