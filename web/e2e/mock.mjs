// A stand-in for `headroom ui` while the page is worked on: the same calls (docs/ui.md), answered by
// the command line. No token, one user, loopback only; tests run against the program itself.
//   node e2e/mock.mjs HEADROOM SCENARIOS [FILE] [PORT]
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [program, scenarios, file, port = '8123'] = process.argv.slice(2);
const page = process.env.PAGE ?? new URL('../dist/index.html', import.meta.url);
const scratch = mkdtempSync(join(tmpdir(), 'headroom-mock-'));
const jobs = new Map();
let counter = 0;

const templates = () => readdirSync(scenarios).filter((n) => n.endsWith('.yaml')).map((n) => n.slice(0, -5));
const textOf = (name) => readFileSync(join(scenarios, `${name}.yaml`), 'utf8');

function command({ verb, options = [], text }) {
  const path = join(scratch, `scenario-${++counter}.yaml`);
  writeFileSync(path, text);
  return [verb, ...(verb === 'replay' ? [] : [path]), ...options, '--json'];
}

function answer(status, out, err, begun) {
  let document = null;
  try {
    document = JSON.parse(out);
  } catch {
    // text
  }
  const errors = document?.diagnostics ?? [];
  if (errors.length) document = null;
  return { status, document, text: document ? null : out, errors, err, millis: Date.now() - begun };
}

function run(request) {
  const begun = Date.now();
  return new Promise((done) =>
    execFile(program, command(request), { maxBuffer: 1 << 28 }, (error, out, err) =>
      done(answer(error?.code ?? 0, out, err, begun))));
}

function begin(request) {
  const id = String(++counter);
  const begun = Date.now();
  const child = spawn(program, command(request));
  const job = { id, verb: request.verb, state: 'running', stage: 'working', done: 0, total: 100, result: null, child };
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  const timer = setInterval(() => (job.done = Math.min(99, job.done + 1)), 50);
  child.on('close', (status, signal) => {
    clearInterval(timer);
    job.state = signal ? 'stopped' : status === 3 ? 'failed' : 'done';
    job.result = signal ? null : answer(status, out, err, begun);
  });
  jobs.set(id, job);
  return id;
}

const shown = ({ child, ...job }) => job;

function follow(job, response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  const timer = setInterval(() => {
    const { stage, done, total, state } = job;
    if (state === 'running') return response.write(`event: progress\ndata: ${JSON.stringify({ stage, done, total })}\n\n`);
    clearInterval(timer);
    response.end(`event: end\ndata: ${JSON.stringify({ state })}\n\n`);
  }, 50);
  response.on('close', () => clearInterval(timer));
}

const cli = (...options) =>
  new Promise((done) => execFile(program, options, { maxBuffer: 1 << 28 }, (_, out) => done(JSON.parse(out))));

async function answerTo(method, path, body, response) {
  const [, , what, a, b] = path.split('/').map(decodeURIComponent);
  const job = what === 'jobs' ? jobs.get(a) : undefined;
  if (what === 'start')
    return { version: 'mock', name: file ?? '', text: file ? readFileSync(file, 'utf8') : textOf('campus-100k'),
             file: file ?? null, can_save: Boolean(file), templates: templates() };
  if (what === 'run') return run(body);
  if (what === 'jobs' && method === 'POST') return { id: begin(body) };
  if (job && method === 'DELETE') return job.child.kill(), {};
  if (job && b === 'events') return follow(job, response);
  if (what === 'jobs') return a ? shown(job) : [...jobs.values()].map(shown).map(({ result, ...rest }) => rest);
  if (what === 'schema') return cli('schema');
  if (what === 'catalog') return cli('catalog', ...[a, b].filter(Boolean), '--json');
  if (what === 'template') return { name: a, text: textOf(a) };
  if (what === 'save') return writeFileSync(file, body.text), {};
  return undefined;
}

createServer((request, response) => {
  const path = new URL(request.url, 'http://x').pathname;
  if (path === '/') return response.writeHead(200, { 'Content-Type': 'text/html' }).end(readFileSync(page));
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', async () => {
    const body = parts.length ? JSON.parse(Buffer.concat(parts)) : null;
    const said = await answerTo(request.method, path, body, response);
    if (response.headersSent) return;
    response.writeHead(said === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(said ?? { error: 'no such call' }));
  });
}).listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`));
