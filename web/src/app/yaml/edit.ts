// Changes of a scenario's text by path: one value, one entry, one item of a list. Each is a splice,
// so all that is not named stays byte for byte.
import { at, read, written } from './tree';
import type { MapNode, Node, Path, SeqNode } from './tree';

function splice(text: string, start: number, end: number, by: string) {
  return text.slice(0, start) + by + text.slice(end);
}

/** A value as YAML: quoted where it would be read as something else. */
export function quoted(value: string): string {
  if (/^[[{].*[\]}]$/s.test(value)) return value; // already a flow map or list
  const plain =
    value !== '' && value === value.trim() && !/[\n\r\t]|: |:$| #|^[-?:] |^[-?:]$|^[,[\]{}#&*!|>'"%@`]/.test(value);
  return plain ? value : JSON.stringify(value);
}

/** Inside of {} and [] commas and brackets end a plain value. */
function inFlow(value: string): string {
  const yaml = quoted(value);
  return yaml === value && !/^[[{"]/.test(value) && /[,[\]{}]/.test(value) ? JSON.stringify(value) : yaml;
}

const pad = (columns: number) => ' '.repeat(columns);

function keyOf(step: string | number) {
  return quoted(String(step));
}

/** `rest` and its value, as what stands behind `key:` in a flow or a block map. */
function nest(rest: Path, yaml: string, indent: number, flow: boolean): string {
  const [step, ...more] = rest;
  if (step === undefined) return ` ${yaml}`;
  if (typeof step === 'number') {
    const item = nest(more, yaml, indent + 4, true).trim();
    return flow ? ` [${item}]` : `\n${pad(indent)}- ${item}`;
  }
  const inner = nest(more, yaml, indent + 2, flow);
  return flow ? ` {${keyOf(step)}:${inner}}` : `\n${pad(indent)}${keyOf(step)}:${inner}`;
}

function endOfLine(text: string, place: number) {
  const end = text.indexOf('\n', place);
  return end < 0 ? text.length : end;
}

/** The end of the line on which a node's last character stands, and with it its trailing comment. */
function lineEndBehind(text: string, node: { start: number; end: number }) {
  const last = Math.max(node.start, node.end - 1);
  return endOfLine(text, text[last] === '\n' ? last : node.end);
}

function insertLine(text: string, place: number, line: string) {
  if (place === 0) return `${line}\n${text}`;
  if (text[place - 1] === '\n') return splice(text, place, place, `${line}\n`); // at the end of the text
  return splice(text, place, place, `\n${line}`);
}

/** Behind the last thing in a flow collection, before its bracket. */
function insertFlow(text: string, node: MapNode | SeqNode, piece: string) {
  const close = node.end - 1;
  const last = node.kind === 'map' ? node.entries.at(-1) : node.items.at(-1);
  if (!last) return splice(text, node.start + 1, close, piece);
  const behind = Math.max(last.value.end, 'colon' in last ? Number(last.colon) : 0);
  return splice(text, behind, behind, `, ${piece}`);
}

function insertEntry(text: string, map: MapNode, path: Path, value: string) {
  const [step, ...rest] = path;
  if (step === undefined) return text;
  if (map.flow) return insertFlow(text, map, `${keyOf(step)}:${nest(rest, inFlow(value), 0, true)}`);
  const line = `${pad(map.indent)}${keyOf(step)}:${nest(rest, quoted(value), map.indent + 2, false)}`;
  const last = map.entries.at(-1);
  if (!last) return insertLine(text, text.length, line);
  return insertLine(text, lineEndBehind(text, { start: last.at, end: Math.max(last.value.end, last.colon) }), line);
}

function insertItem(text: string, seq: SeqNode, rest: Path, value: string) {
  if (seq.flow) return insertFlow(text, seq, nest(rest, inFlow(value), 0, true).trim());
  const last = seq.items.at(-1);
  const line = `${pad(seq.indent)}- ${nest(rest, rest.length ? inFlow(value) : quoted(value), 0, true).trim()}`;
  return insertLine(text, lineEndBehind(text, last ? { start: last.at, end: last.value.end } : seq), line);
}

/** Puts a value where `path` says; what is missing on the way is made. */
export function set(text: string, path: Path, value: string): string {
  const root = read(text);
  let node: Node = root;
  let flow = false;
  for (let i = 0; i < path.length; ++i) {
    const next = at(node, path.slice(i, i + 1));
    if (!next) {
      const rest = path.slice(i);
      if (node.kind === 'map') return insertEntry(text, node, rest, value);
      if (node.kind === 'seq') return insertItem(text, node, rest.slice(1), value);
      return put(text, root, path.slice(0, i), node, rest, value, flow);
    }
    flow ||= (node.kind === 'map' || node.kind === 'seq') && node.flow;
    node = next;
  }
  return put(text, root, path, node, [], value, flow);
}

/** Replaces a whole node by `rest` and its value. */
function put(text: string, root: Node, path: Path, node: Node, rest: Path, value: string, flow: boolean) {
  const yaml = flow || rest.length ? inFlow(value) : quoted(value);
  const piece = nest(rest, yaml, 0, true);
  if (node.kind === 'absent') return splice(text, node.start, node.end, piece);
  const block = (node.kind === 'map' || node.kind === 'seq') && !node.flow;
  if (!block) return splice(text, node.start, node.end, piece.trim());
  const parent = at(root, path.slice(0, -1));
  const entry = parent?.kind === 'map' ? parent.entries.find((e) => e.value.start === node.start) : undefined;
  return splice(text, entry ? entry.colon : node.start, node.end, entry ? piece : piece.trim());
}

/** Takes lines out: from the start of the one at `from` to the end of the one at `to`. */
function cutLines(text: string, from: number, to: number) {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const end = endOfLine(text, to);
  return splice(text, start, Math.min(end + 1, text.length), '');
}

function cutFlow(text: string, pieces: { start: number; end: number }[], index: number) {
  const one = pieces[index];
  if (!one) return text;
  const next = pieces[index + 1];
  const previous = pieces[index - 1];
  if (next) return splice(text, one.start, next.start, '');
  if (previous) return splice(text, previous.end, one.end, '');
  return splice(text, one.start, one.end, '');
}

/** Takes an entry or an item out; a map or a list that holds nothing afterwards goes with it. */
export function remove(text: string, path: Path): string {
  const root = read(text);
  const step = path.at(-1);
  const parent = at(root, path.slice(0, -1));
  if (step === undefined || !parent) return text;
  if (parent.kind === 'map') {
    const index = parent.entries.findIndex((entry) => entry.key === String(step));
    const entry = parent.entries[index];
    if (!entry) return text;
    if (parent.entries.length === 1 && path.length > 1) return remove(text, path.slice(0, -1));
    const places = parent.entries.map((e) => ({ start: e.at, end: Math.max(e.value.end, e.colon) }));
    if (parent.flow) return cutFlow(text, places, index);
    return cutEntry(text, parent, index, lineEndBehind(text, places[index] ?? entry.value));
  }
  if (parent.kind !== 'seq' || typeof step !== 'number') return text;
  const item = parent.items[step];
  if (!item) return text;
  if (parent.items.length === 1) return remove(text, path.slice(0, -1));
  if (parent.flow)
    return cutFlow(
      text,
      parent.items.map((i) => i.value),
      step,
    );
  return cutLines(text, item.at, lineEndBehind(text, { start: item.at, end: item.value.end }));
}

/** The first key of a list's item stands behind its dash, which must stay. */
function cutEntry(text: string, map: MapNode, index: number, end: number) {
  const entry = map.entries[index];
  const next = map.entries[index + 1];
  if (!entry) return text;
  const line = text.lastIndexOf('\n', entry.at - 1) + 1;
  if (/^\s*$/.test(text.slice(line, entry.at)) || !next) return cutLines(text, entry.at, end);
  return splice(text, entry.at, next.at, '');
}

/** A copy of the last item of a list under a new name, or the first item of a new list. */
export function append(text: string, path: Path, first: string): string {
  const root = read(text);
  const list = at(root, path);
  if (list?.kind !== 'seq' || list.items.length === 0) return set(text, [...path, 0], first);
  const last = list.items.at(-1)!;
  if (last.value.kind !== 'map') return insertItem(text, list, [], first);
  const copy = renamed(text, last.value, list);
  if (list.flow) return insertFlow(text, list, copy);
  const body = copy.startsWith('{') ? copy : copy.replace(/\n+$/, '');
  return insertLine(text, lineEndBehind(text, { start: last.at, end: last.value.end }), `${pad(list.indent)}- ${body}`);
}

function renamed(text: string, item: MapNode, list: SeqNode): string {
  const body = written(text, item);
  const name = item.entries.find((entry) => entry.key === 'name');
  if (name?.value.kind !== 'scalar') return body;
  const taken = new Set(list.items.map((i) => (i.value.kind === 'map' ? nameIn(i.value) : '')));
  const stem = name.value.text.replace(/-\d+$/, '');
  let number = 2;
  while (taken.has(`${stem}-${number}`)) ++number;
  return splice(body, name.value.start - item.start, name.value.end - item.start, inFlow(`${stem}-${number}`));
}

function nameIn(map: MapNode) {
  const value = map.entries.find((entry) => entry.key === 'name')?.value;
  return value?.kind === 'scalar' ? value.text : '';
}
