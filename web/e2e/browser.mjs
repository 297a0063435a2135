// A headless Chromium and a `headroom ui` of our own, for the tests of this folder.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const SKIP = 77;

export function chromiumPath() {
  const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (path) => path && existsSync(path),
  );
  if (found) return found;
  console.log('skipped: no chromium is installed');
  process.exit(SKIP);
}

export function folder(name) {
  const path = mkdtempSync(join(tmpdir(), `headroom-${name}-`));
  process.on('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Times are held to their bars where the machine has a core to spare; else only told. */
export const idle = () => loadavg()[0] < cpus().length;

/** The server, listening; `stop` ends it as Ctrl-C does and gives its exit status. */
export async function serve(program, ...options) {
  const child = spawn(program, ['ui', '--no-open', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const url = await new Promise((found, failed) => {
    const listen = (data) => {
      said += data;
      const address = /http:\/\/\S+/.exec(said)?.[0];
      if (address) found(address);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('exit', (status) => failed(new Error(`headroom ui ended with ${status}: ${said}`)));
  });
  const ended = new Promise((done) => child.on('exit', (status, signal) => done(status ?? signal)));
  process.on('exit', () => child.kill('SIGKILL'));
  return { url, stop: () => (child.kill('SIGINT'), ended) };
}

/** HEADROOM_PAGE=FILE shows that page in place of the one in the program: while working on it. */
async function replacePage(page, file) {
  await page.route(
    (url) => url.pathname === '/' && !url.search,
    async (route) => {
      const response = await route.fetch();
      if (response.status() !== 200) return route.fulfill({ response });
      const policy = response.headers()['content-security-policy'] ?? '';
      const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
      const body = readFileSync(file, 'utf8').replace(/<script(?=[^<]*?>)/g, `<script nonce="${nonce}"`);
      await route.fulfill({ response, body });
    },
  );
}

/** A browser that notes what must not happen: errors, and requests to anybody but `own`. */
export async function browse(own) {
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const wrong = [];
  const open = async (options = {}) => {
    const context = await browser.newContext({ acceptDownloads: true, ...options });
    context.setDefaultTimeout(30000);
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') wrong.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => wrong.push(`error: ${error.stack ?? error.message}`));
    page.on('request', (request) => {
      const url = new URL(request.url());
      const local = ['data:', 'blob:', 'file:', 'about:'].includes(url.protocol) || url.origin === own;
      if (!local) wrong.push(`request to ${request.url()}`);
    });
    if (process.env.HEADROOM_PAGE) await replacePage(page, process.env.HEADROOM_PAGE);
    return page;
  };
  return { open, wrong, close: () => browser.close() };
}

/**
 * What axe-core finds serious or critical. By evaluate: the page's policy lets no script in.
 * Contrast takes as long as all other rules together, and is the same at every width.
 */
export async function axe(page, contrast) {
  const source = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
  await page.evaluate(source);
  const options = {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    rules: { 'color-contrast': { enabled: contrast } },
    resultTypes: ['violations'],
  };
  const found = await page.evaluate((how) => globalThis.axe.run(document, how), options);
  return found.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map(
      (v) =>
        `${v.id}: ${v.help}\n    ${v.nodes
          .slice(0, 4)
          .map((n) => `${n.html.slice(0, 160)} (${n.failureSummary?.split('\n')[1]?.trim().slice(0, 160)})`)
          .join('\n    ')}`,
    );
}
