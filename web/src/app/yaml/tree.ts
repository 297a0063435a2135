// The scenario's text as a tree of places. Nothing is lost and nothing is rewritten: a node knows
// where it stands, so a change of one value is a change of those characters (edit.ts), and the
// comments, the order and the spelling of everything else stay as the user wrote them.
//
// Only what forms need is understood: maps, lists, plain and quoted values. What uses anchors, tags,
// merges or block scalars is `opaque`: shown, changed in the text alone. Broken text gives the tree
// of what could be read; the engine says what is wrong with it.
import type { CST } from 'yaml';
import { Parser } from '../../../node_modules/yaml/browser/dist/parse/parser.js';

export type Path = readonly (string | number)[];

interface Place {
  start: number; // of the value, at its first character
  end: number; // behind its last character
}
export interface Scalar extends Place {
  kind: 'scalar' | 'opaque';
  text: string; // unquoted for scalars, as written for opaque nodes
}
export interface Absent extends Place {
  kind: 'absent'; // `key:` with nothing behind it; start is behind the colon
}
export interface Entry {
  key: string;
  at: number; // of the key
  colon: number; // behind the colon
  value: Node;
}
export interface MapNode extends Place {
  kind: 'map';
  flow: boolean;
  indent: number; // column of its keys
  entries: Entry[];
}
export interface Item {
  at: number; // of the dash in a block list, of the value in a flow list
  value: Node;
}
export interface SeqNode extends Place {
  kind: 'seq';
  flow: boolean;
  indent: number; // column of its dashes
  items: Item[];
}
export type Node = Scalar | Absent | MapNode | SeqNode;

const ignored = new Set([
  'space',
  'newline',
  'comment',
  'comma',
  'map-value-ind',
  'seq-item-ind',
  'explicit-key-ind',
  'byte-order-mark',
]);

function unquote(token: CST.FlowScalar): string {
  const { source } = token;
  if (token.type === 'single-quoted-scalar') return source.slice(1, -1).replaceAll("''", "'");
  if (token.type !== 'double-quoted-scalar') return source;
  try {
    return String(JSON.parse(source));
  } catch {
    return source.slice(1, -1);
  }
}

class Reader {
  constructor(private readonly text: string) {}

  /** Column of a place, in characters from the line's start. */
  private column(at: number) {
    return at - (this.text.lastIndexOf('\n', at - 1) + 1);
  }

  node(token: CST.Token | null | undefined, before: CST.SourceToken[], behind: number): Node {
    const prop = before.find((part) => !ignored.has(part.type)); // an anchor or a tag
    if (!token) {
      if (prop) return this.opaque(prop.offset, prop.offset + prop.source.length);
      return { kind: 'absent', start: behind, end: behind };
    }
    const plain = this.bare(token);
    return prop ? this.opaque(prop.offset, plain.end) : plain;
  }

  private bare(token: CST.Token): Node {
    switch (token.type) {
      case 'scalar':
      case 'single-quoted-scalar':
      case 'double-quoted-scalar': {
        const end = token.offset + token.source.length;
        return { kind: 'scalar', start: token.offset, end, text: unquote(token) };
      }
      case 'block-map':
        return this.map(token.items, token.offset, false);
      case 'block-seq':
        return this.seq(token.items, token.offset, false);
      case 'flow-collection': {
        const close = token.end[0];
        const map = token.start.source === '{';
        const node = map ? this.map(token.items, token.offset, true) : this.seq(token.items, token.offset, true);
        const last = close && /[\]}]/.test(close.source) ? close.offset + 1 : node.end;
        return { ...node, start: token.offset, end: last };
      }
      case 'block-scalar': {
        const end = this.text.indexOf(token.source, token.offset) + token.source.length;
        return this.opaque(token.offset, end);
      }
      default: {
        const source = 'source' in token && typeof token.source === 'string' ? token.source : '';
        return this.opaque(token.offset, token.offset + source.length);
      }
    }
  }

  private opaque(start: number, end: number): Scalar {
    return { kind: 'opaque', start, end, text: this.text.slice(start, end).trimEnd() };
  }

  private map(items: CST.CollectionItem[], start: number, flow: boolean): MapNode {
    const entries: Entry[] = [];
    let end = flow ? start + 1 : start;
    for (const item of items) {
      if (!item.key || !('source' in item.key)) continue;
      const key = item.key as CST.FlowScalar;
      const sign = item.sep?.find((part) => part.type === 'map-value-ind');
      const colon = sign ? sign.offset + 1 : key.offset + key.source.length;
      const value = this.node(item.value, item.sep ?? [], colon);
      entries.push({ key: unquote(key), at: key.offset, colon, value });
      end = Math.max(value.end, colon);
    }
    const first = entries[0]?.at ?? start;
    return { kind: 'map', flow, start: flow ? start : first, end, indent: this.column(first), entries };
  }

  private seq(items: CST.CollectionItem[], start: number, flow: boolean): SeqNode {
    const list: Item[] = [];
    let end = flow ? start + 1 : start;
    for (const item of items) {
      const dash = item.start.find((part) => part.type === 'seq-item-ind');
      if (item.key) {
        // `[a: 1]`, a map of one entry without braces: nothing a scenario has
        const key = item.key as CST.FlowScalar;
        const value = this.node(item.value, item.sep ?? [], key.offset + key.source.length);
        list.push({ at: key.offset, value: this.opaque(key.offset, value.end) });
        end = value.end;
        continue;
      }
      if (!dash && !item.value) continue;
      const behind = dash ? dash.offset + 1 : 0;
      const value = this.node(item.value, item.start, behind);
      list.push({ at: dash ? dash.offset : value.start, value });
      end = value.end;
    }
    const first = list[0]?.at ?? start;
    return { kind: 'seq', flow, start: flow ? start : first, end, indent: this.column(first), items: list };
  }
}

/** The tree of a text; an empty map where it holds none. O(text). */
export function read(text: string): MapNode {
  const none: MapNode = { kind: 'map', flow: false, start: text.length, end: text.length, indent: 0, entries: [] };
  try {
    for (const token of new Parser().parse(text)) {
      if (token.type !== 'document' || !token.value) continue;
      const node = new Reader(text).node(token.value, token.start, token.offset);
      return node.kind === 'map' ? node : none;
    }
  } catch {
    // a text no parser reads: the engine's message stands beside the editor
  }
  return none;
}

/** A step down; a list's item also by its name, as in the engine's paths. */
export function child(node: Node | undefined, step: string | number): Node | undefined {
  if (node?.kind === 'map') return node.entries.find((entry) => entry.key === String(step))?.value;
  if (node?.kind !== 'seq') return undefined;
  if (typeof step === 'number') return node.items[step]?.value;
  return node.items.find((item) => nameOf(item.value) === step)?.value;
}

export function at(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const step of path) node = child(node, step);
  return node;
}

export function nameOf(node: Node | undefined): string | undefined {
  const name = child(node?.kind === 'map' ? node : undefined, 'name');
  return name?.kind === 'scalar' ? name.text : undefined;
}

/** The text of a value, as the user wrote it. */
export function written(text: string, node: Node): string {
  return text.slice(node.start, node.end);
}

/** Line and column of a place, both from 1. */
export function lineOf(text: string, place: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < place; i = text.indexOf('\n', i + 1)) ++line;
  return line;
}

export interface Leaf {
  path: Path;
  label: string; // the engine's path: list items by their names
  text: string;
}

/** Every value of the tree, in the order of the text. */
export function leaves(text: string, node: Node, path: Path = [], label = ''): Leaf[] {
  const dot = label ? `${label}.` : '';
  if (node.kind === 'map') return node.entries.flatMap((e) => leaves(text, e.value, [...path, e.key], dot + e.key));
  if (node.kind === 'seq')
    return node.items.flatMap((item, i) =>
      leaves(text, item.value, [...path, i], dot + (nameOf(item.value) ?? String(i + 1))),
    );
  if (node.kind === 'absent') return [];
  return [{ path, label, text: node.kind === 'scalar' ? node.text : written(text, node) }];
}
