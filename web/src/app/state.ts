// What the page holds: variants of a scenario (each a text with its history and its last answer) and
// what the server knows. All views read these signals; every change goes through the functions here.
import { batch, computed, effect, signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { JsonObject } from '../kit/json';
import { api, Refused } from './api';
import type { Answer, Diagnostic, Start } from './api';
import { changed, fresh, redone, undone } from './history';
import type { History } from './history';
import { Latest } from './latest';
import { field } from './schema';
import type { Field } from './schema';
import { set } from './yaml/edit';
import { read } from './yaml/tree';
import type { MapNode, Path } from './yaml/tree';

export interface Variant {
  readonly id: number;
  readonly title: Signal<string>;
  readonly text: Signal<string>;
  readonly tree: Signal<MapNode>;
  readonly history: Signal<History>;
  readonly result: Signal<JsonObject | null>; // of the last text that could be read
  readonly baseline: Signal<JsonObject | null>; // which badges compare with
  readonly baseText: Signal<string>; // of the baseline
  readonly kept: Signal<string>; // last opened, saved or downloaded: what may be left without asking
  readonly errors: Signal<Diagnostic[]>;
  readonly stale: Signal<boolean>; // the result is of an older text
  readonly millis: Signal<number>; // from change to answer, as the user felt it
  readonly pins: Signal<Pin[]>; // fields on a slider
  readonly drafts: Signal<string[]>; // paths shown in the form before they hold a value
  readonly runner: Latest<Asked>;
}
export interface Pin {
  path: Path;
  low: number;
  high: number;
  log: boolean;
}
interface Asked {
  text: string;
  since: number;
}

export type View = 'design' | 'report' | 'compare' | 'work' | 'catalogue';

export const start = signal<Start | null>(null);
export const schema = signal<Field | null>(null);
export const catalogue = signal<Record<string, string[]>>({});
export const trouble = signal<Refused | null>(null); // the server refused or is gone
export const notice = signal({ text: '', number: 0 }); // said to screen readers too
export const view = signal<View>('design');
export const variants = signal<Variant[]>([]);
export const currentId = signal(0);
export const savedText = signal('');
let stamp = ''; // of the file's text that is known here

export const current = computed(() => variants.value.find((v) => v.id === currentId.value) ?? variants.value[0]);
export const dirty = computed(() => variants.value.some((v) => v.text.value !== v.kept.value));

export function tell(text: string) {
  notice.value = { text, number: notice.peek().number + 1 };
}

let counter = 0;

function variant(title: string, text: string): Variant {
  const held = signal(text);
  const made: Variant = {
    id: ++counter,
    title: signal(title),
    text: held,
    tree: computed(() => read(held.value)),
    history: signal(fresh),
    result: signal(null),
    baseline: signal(null),
    baseText: signal(text),
    kept: signal(text),
    errors: signal([]),
    stale: signal(false),
    millis: signal(0),
    pins: signal([]),
    drafts: signal([]),
    runner: new Latest((asked, overtaken) => check(made, asked, overtaken)),
  };
  return made;
}

/** What the engine calls the text in sources and errors: its file's name. */
export const scenarioName = () => start.value?.name || 'scenario.yaml';

async function check(v: Variant, asked: Asked, overtaken: () => boolean) {
  try {
    const answer = await api.run({ verb: 'check', options: [], text: asked.text, name: scenarioName() });
    trouble.value = null;
    if (!overtaken() || v.result.value === null) show(v, answer, asked.since);
  } catch (error) {
    const busy = error instanceof Refused && error.status === 503;
    if (!busy) return refused(error);
    // Many ask at once: the newest text is asked for again.
    await new Promise((done) => setTimeout(done, 300));
    if (!overtaken()) v.runner.ask(asked);
  }
}

function show(v: Variant, answer: Answer, since: number) {
  batch(() => {
    v.errors.value = answer.errors.length || answer.document ? answer.errors : [failure(answer)];
    if (answer.document) {
      v.result.value = answer.document;
      v.baseline.value ??= answer.document;
    }
    v.stale.value = !answer.document;
    v.millis.value = performance.now() - since;
  });
}

const failure = (answer: Answer): Diagnostic => ({
  line: 1,
  column: 1,
  path: '',
  hint: '',
  message: answer.err.trim() || answer.text?.trim() || `the engine ended with status ${answer.status}`,
});

export function refused(error: unknown) {
  if (error instanceof Refused) trouble.value = error;
  else if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
}

/** The text of a variant becomes another; `what` names what changed, for undo. */
export function edit(v: Variant, text: string, what = '') {
  if (text === v.text.value) return;
  batch(() => {
    v.history.value = changed(v.history.value, v.text.value, what, Date.now());
    put(v, text);
  });
}

function put(v: Variant, text: string) {
  v.text.value = text;
  v.stale.value = true;
  v.runner.ask({ text, since: performance.now() });
}

export function setField(v: Variant, path: Path, value: string) {
  edit(v, set(v.text.value, path, value), path.join('.'));
}

export function undo(v: Variant) {
  const back = undone(v.history.value, v.text.value);
  if (back)
    batch(() => {
      v.history.value = back.history;
      put(v, back.text);
    });
}
export function redo(v: Variant) {
  const forth = redone(v.history.value, v.text.value);
  if (forth)
    batch(() => {
      v.history.value = forth.history;
      put(v, forth.text);
    });
}

function add(v: Variant) {
  batch(() => {
    variants.value = [...variants.value, v];
    currentId.value = v.id;
  });
  put(v, v.text.value);
  return v;
}

function nextTitle() {
  const titles = new Set(variants.value.map((v) => v.title.value));
  let letter = 'B'.charCodeAt(0);
  while (titles.has(`Variant ${String.fromCharCode(letter)}`)) ++letter;
  return `Variant ${String.fromCharCode(letter)}`;
}

/** A copy to change and to compare; its badges count from where it began. */
export function branch(from: Variant) {
  const copy = variant(nextTitle(), from.text.value);
  copy.kept.value = from.kept.value;
  copy.baseline.value = from.result.value;
  copy.pins.value = from.pins.value;
  return add(copy);
}

/** What was changed becomes a variant of its own, and the first goes back to its baseline. */
export function keepApart(from: Variant) {
  const copy = variant(nextTitle(), from.text.value);
  copy.baseline.value = from.baseline.value;
  copy.baseText.value = from.baseText.value;
  copy.kept.value = from.kept.value;
  copy.pins.value = from.pins.value;
  edit(from, from.baseText.value);
  return add(copy);
}

export function drop(v: Variant) {
  if (variants.value.length < 2) return;
  batch(() => {
    variants.value = variants.value.filter((other) => other !== v);
    if (currentId.value === v.id) currentId.value = variants.value[0]?.id ?? 0;
  });
}

/** A text in place of all variants. */
export function open(text: string) {
  const first = variant('Base', text);
  batch(() => {
    variants.value = [];
    savedText.value = text;
    add(first);
  });
}

/** What the server has now: its file as it is on disk. */
export function opened(begun: Start) {
  start.value = begun;
  stamp = begun.stamp ?? '';
  open(begun.text);
}

/** From here on badges count from the result on screen. */
export function rebase(v: Variant) {
  v.baseline.value = v.result.value;
  v.baseText.value = v.text.value;
}

export async function save(v: Variant) {
  const text = v.text.value;
  try {
    stamp = (await api.save(text, stamp)).stamp ?? '';
    savedText.value = text;
    v.kept.value = text;
    tell(`Saved to ${start.value?.file ?? 'the file'}.`);
  } catch (error) {
    if (error instanceof Refused && error.status === 409)
      tell('Not saved: the file changed on disk since it was read. Download this text, then open the file again.');
    else refused(error);
  }
}

const KEPT = 'headroom-variants';

interface Kept {
  saved: string;
  current: number;
  variants: { title: string; text: string; kept: string }[];
}

/** Texts survive a reload of the page; the tab's own storage, gone with the tab. */
function keep() {
  const list = variants.value.map((v) => ({ title: v.title.value, text: v.text.value, kept: v.kept.value }));
  if (!list.length) return;
  const index = variants.value.findIndex((v) => v.id === currentId.value);
  const kept: Kept = { saved: savedText.value, current: index, variants: list };
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // no storage: a reload starts from the file
  }
}

function restore(begun: Start): boolean {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Kept | null;
    // What lies on disk has changed since, or this is another file: start from it.
    if (!kept?.variants.length || kept.saved !== begun.text) return false;
    savedText.value = kept.saved;
    for (const one of kept.variants) add(variant(one.title, one.text)).kept.value = one.kept;
    currentId.value = variants.value[kept.current]?.id ?? currentId.value;
    return true;
  } catch {
    return false;
  }
}

export async function begin() {
  try {
    // One after the other only where needed: the first answer is what the user waits for.
    const others = Promise.all([api.schema(), api.catalogue()]);
    const begun = await api.start();
    start.value = begun;
    stamp = begun.stamp ?? '';
    if (!restore(begun)) opened(begun);
    effect(keep);
    const [fields, kinds] = await others;
    batch(() => {
      schema.value = field(fields);
      catalogue.value = kinds;
    });
  } catch (error) {
    refused(error);
  }
}

export function download(name: string, type: string, content: string | Blob) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A name of a file from a scenario's name. */
export function fileName(v: Variant, ending: string): string {
  const name = v.tree.value.entries.find((entry) => entry.key === 'name')?.value;
  const stem = (name?.kind === 'scalar' ? name.text : 'scenario').toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `${stem.replace(/^-|-$/g, '') || 'scenario'}${v.title.value === 'Base' ? '' : `-${v.title.value.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`}.${ending}`;
}
