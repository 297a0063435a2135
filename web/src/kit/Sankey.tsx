// A flow from left to right, each band as wide as what flows (d3-sankey's layout).
import { sankey, sankeyLeft, sankeyLinkHorizontal, type SankeyLink, type SankeyNode } from 'd3-sankey';
import { Drawing } from './parts';
import { Mark } from './mark';
import { formatScaled, percent } from './format';
import { textWidth } from './scale';

export interface FlowNode {
  key: string;
  label: string;
  id?: string;
  colour?: string;
}
export interface FlowLink {
  from: string;
  to: string;
  value: number;
  id?: string;
  note?: string;
}
type Node = SankeyNode<FlowNode, FlowLink>;
type Link = SankeyLink<FlowNode, FlowLink>;

const NODE = 12;
const LINE = 32; // two lines of text a node

/// The column of each node: its longest way from a source. Empty where the links make a ring.
export function levels(nodes: { key: string }[], links: FlowLink[]): Map<string, number> {
  const level = new Map(nodes.map((n) => [n.key, 0]));
  for (let round = 0; round <= nodes.length; ++round) {
    let moved = false;
    for (const l of links) {
      const next = (level.get(l.from) ?? 0) + 1;
      if (next > (level.get(l.to) ?? 0)) {
        level.set(l.to, next);
        moved = true;
      }
    }
    if (!moved) return level;
  }
  return new Map();
}

/// A band takes the colour of its cause where it is one of several that meet, else of its end.
function colourOf(from: Node, to: Node): string {
  const meets = (to.targetLinks?.length ?? 0) > 1 && (from.sourceLinks?.length ?? 0) === 1;
  return (meets ? from.colour : to.colour) ?? from.colour ?? 'var(--c1)';
}

function labelOf(node: Node, unit: string): string[] {
  return [node.label, formatScaled(node.value ?? 0, unit)];
}

export function Sankey(props: { nodes: FlowNode[]; links: FlowLink[]; unit: string; says: string; total?: number }) {
  const links = props.links.filter((l) => l.value > 0);
  const used = new Set(links.flatMap((l) => [l.from, l.to]));
  const nodes = props.nodes.filter((n) => used.has(n.key));
  const level = levels(nodes, links);
  const columns = Math.max(0, ...level.values()) + 1;
  if (links.length === 0 || columns < 2) return null;
  const column = (c: number) => nodes.filter((n) => level.get(n.key) === c);
  const widest = (list: FlowNode[]) => Math.max(96, ...list.map((n) => textWidth(n.label))) + 10;
  // Names of the first column stand before it where it has several, those of the last behind it.
  const start = column(0).length > 1 ? widest(column(0)) : 0;
  const edge = widest(column(columns - 1));
  const between = nodes.filter((n) => ![start > 0 ? 0 : -1, columns - 1].includes(level.get(n.key) ?? 0));
  const least = start + edge + (columns - 1) * Math.min(210, widest(between) + NODE + 4);
  const tallest = Math.max(...Array.from({ length: columns }, (_, c) => column(c).length));
  const height = Math.max(220, tallest * (LINE + 10) + 60);
  return (
    <Drawing height={height} least={least} most={1500} says={props.says}>
      {(width) => <Flow {...props} nodes={nodes} links={links} start={start} edge={edge} width={width} height={height} />}
    </Drawing>
  );
}


function Flow(props: {
  nodes: FlowNode[];
  links: FlowLink[];
  unit: string;
  width: number;
  height: number;
  start: number;
  edge: number;
  total?: number;
}) {
  const layout = sankey<FlowNode, FlowLink>()
    .nodeId((n) => n.key)
    .nodeAlign(sankeyLeft)
    .nodeWidth(NODE)
    .nodePadding(LINE)
    .extent([
      [1 + props.start, 14],
      [props.width - props.edge, props.height - 14],
    ]);
  const graph = layout({
    nodes: props.nodes.map((n) => ({ ...n })),
    links: props.links.map((l) => ({ ...l, source: l.from, target: l.to })),
  });
  const ribbon = sankeyLinkHorizontal<FlowNode, FlowLink>();
  const total = props.total ?? Math.max(...graph.nodes.map((n) => n.value ?? 0));
  return (
    <>
      <g fill="none">
        {graph.links.map((l: Link, i) => {
          const from = l.source as Node;
          const to = l.target as Node;
          const amount = formatScaled(l.value, props.unit);
          return (
            <Mark
              key={i}
              id={l.id}
              says={`${from.label} to ${to.label}: ${amount}`}
              facts={{
                title: `${from.label} → ${to.label}`,
                value: amount,
                rows: [
                  ['share', `${percent(l.value / total)} of ${formatScaled(total, props.unit)}`],
                  ...(l.note ? [['that is', l.note] as [string, string]] : []),
                ],
              }}
            >
              <path
                d={ribbon(l) ?? ''}
                style={{ stroke: colourOf(from, to), strokeOpacity: 0.38 }}
                stroke-width={Math.max(1, l.width ?? 1)}
              />
            </Mark>
          );
        })}
      </g>
      {graph.nodes.map((n) => {
        const [name = '', amount = ''] = labelOf(n, props.unit);
        const x0 = n.x0 ?? 0;
        const x1 = n.x1 ?? 0;
        const y = ((n.y0 ?? 0) + (n.y1 ?? 0)) / 2;
        const before = props.start > 0 && n.depth === 0;
        const x = before ? x0 - 6 : x1 + 6;
        const anchor = before ? 'end' : 'start';
        return (
          <Mark
            key={n.key}
            id={n.id}
            facts={{ title: name, value: amount, rows: [['share', `${percent((n.value ?? 0) / total)} of ${formatScaled(total, props.unit)}`]] }}
          >
            <rect
              class="face"
              x={x0}
              y={n.y0}
              width={x1 - x0}
              height={Math.max(1.5, (n.y1 ?? 0) - (n.y0 ?? 0))}
              style={{ fill: n.colour ?? 'var(--c1)' }}
            />
            <text x={x} y={y - 3} text-anchor={anchor} class="halo">
              {name}
            </text>
            <text x={x} y={y + 12} text-anchor={anchor} class="soft halo">
              {amount}
            </text>
          </Mark>
        );
      })}
    </>
  );
}
