// The report as people open it: from disk, in Chromium, at three widths, light and dark.
//   node test/report.e2e.mjs HEADROOM SCENARIO...
// Exit 0 when all holds, 77 where Chromium or the verb is missing.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = createRequire(import.meta.url).resolve('axe-core');
const [headroom, ...scenarios] = process.argv.slice(2);
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = (why) => {
  console.log(`skipped: ${why}`);
  process.exit(77);
};
if (!existsSync(browserPath)) skip(`${browserPath} is not installed`);
try {
  execFileSync(headroom, ['report', '--help'], { stdio: 'pipe' });
} catch {
  skip('this headroom has no verb report');
}

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const folder = mkdtempSync(join(tmpdir(), 'headroom-report-'));
const wrong = [];
const expect = (holds, what) => holds || wrong.push(what);

/// Labels that leave their drawing, or stand on each other.
function labels() {
  const out = [];
  for (const svg of document.querySelectorAll('svg')) {
    const box = svg.getBoundingClientRect();
    if (!box.width) continue;
    const title = svg.closest('.card')?.querySelector('h2,h3')?.textContent ?? '';
    const all = [...svg.querySelectorAll('text')].filter((t) => t.textContent.trim()).map((t) => [t.textContent, t.getBoundingClientRect()]);
    for (const [text, r] of all)
      if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1)
        out.push(`${title}: "${text}" is cut`);
    all.forEach(([text, a], i) =>
      all.slice(i + 1).forEach(([other, b]) => {
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > 2 && y > 4) out.push(`${title}: "${text}" stands on "${other}"`);
      }),
    );
  }
  return out;
}

async function look(browser, file, name, width, colorScheme) {
  const at = `${name}, ${width} px, ${colorScheme}`;
  const page = await browser.newPage({ viewport: { width, height: width > 3000 ? 2160 : 800 }, colorScheme });
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && wrong.push(`${at}: console: ${m.text()}`));
  page.on('pageerror', (e) => wrong.push(`${at}: ${e.message}`));
  page.on('request', (r) => /^(file|data|blob):/.test(r.url()) || wrong.push(`${at}: asks ${r.url()}`));
  await page.goto(`file://${file}`);
  await page.waitForSelector('.verdict h2');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wide <= 0, `${at}: the page is ${wide} px wider than its window`);
  for (const bad of (await page.evaluate(labels)).slice(0, 8)) wrong.push(`${at}: ${bad}`);
  if (width === 1280) {
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
    for (const v of found.violations) wrong.push(`${at}: axe ${v.impact} ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(' | ')}`);
  }
  return page;
}

/// A number explains itself by hover and by keyboard, walks to an input and gives the focus back.
async function explains(page, name) {
  const number = page.locator('.limit .num').first();
  await number.hover();
  await page.waitForSelector('.explain', { timeout: 2000 }).catch(() => wrong.push(`${name}: hover explains nothing`));
  await page.keyboard.press('Escape');
  await number.focus();
  await page.keyboard.press('Enter');
  const box = page.locator('.explain');
  expect(/formula|source/.test((await box.textContent().catch(() => '')) ?? ''), `${name}: no formula and no source behind the first number`);
  const input = box.locator('li .walk:enabled').first();
  if (await input.count()) {
    const id = (await input.textContent())?.trim();
    await input.click();
    expect((await box.locator('code').first().textContent()) === id, `${name}: the walk to ${id} does not arrive`);
  }
  await page.mouse.move(1, 1);
  await page.keyboard.press('Escape');
  expect((await box.count()) === 0, `${name}: Escape leaves the explanation open`);
  expect(await number.evaluate((e) => e === document.activeElement), `${name}: the focus is lost`);
}

const browser = await chromium.launch({ executablePath: browserPath, args: FLAGS });
try {
  for (const scenario of scenarios) {
    const name = scenario.replace(/^.*\//, '').replace(/\.yaml$/, '');
    const file = join(folder, `${name}.html`);
    try {
      execFileSync(headroom, ['report', scenario, '-o', file], { stdio: 'pipe' });
    } catch (e) {
      if (e.status !== 1) throw e; // 1: a limit falls short, and the report says so
    }
    const first = scenario === scenarios[0];
    for (const [width, scheme] of first ? [[360, 'light'], [1280, 'light'], [1280, 'dark'], [3840, 'light']] : [[1280, 'light']]) {
      const page = await look(browser, file, name, width, scheme);
      if (first && width === 1280 && scheme === 'light') await explains(page, name);
      if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}-${width}-${scheme}.png`), fullPage: true });
      await page.close();
    }
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
console.log(wrong.length ? wrong.join('\n') : `${scenarios.length} reports look as they should`);
process.exit(wrong.length ? 1 : 0);
