// The rules that the page as a file keeps, on the committed build.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync(new URL('../dist/index.html', `file://${__dirname}/`), 'utf8');

test('holds one element for its data, before the script that reads it', () => {
  const open = '<script id="headroom-data" type="application/json">null</script>';
  expect(page.split(open).length).toBe(2);
  expect(page.indexOf(open)).toBeLessThan(page.indexOf('<script type="module">'));
});

test('asks nobody else', () => {
  expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  expect(page).not.toMatch(/url\(["']?https?:|@import/);
});
