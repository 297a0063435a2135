// A flow from left to right, each band as wide as what flows (d3-sankey's layout).
import { sankey, sankeyJustify, sankeyLinkHorizontal, type SankeyLink, type SankeyNode } from 'd3-sankey';
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

/// Longest way from a source, by which the columns are counted; -1 where the links make a ring.
export function depth(nodes: FlowNode[], links: FlowLink[]): number {
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
    if (!moved) return Math.max(0, ...level.values());
  }
  return -1;
}

function labelOf(node: Node, unit: string): string[] {
  return [node.label, formatScaled(node.value ?? 0, unit)];
}

export function Sankey(props: { nodes: FlowNode[]; links: FlowLink[]; unit: string; says: string; total?: number }) {
  const links = props.links.filter((l) => l.value > 0);
  const used = new Set(links.flatMap((l) => [l.from, l.to]));
  const nodes = props.nodes.filter((n) => used.has(n.key));
  const columns = depth(nodes, links) + 1;
  if (links.length === 0 || columns < 2) return null;
  const widest = Math.max(...nodes.map((n) => Math.max(textWidth(n.label), 76)));
  const level = levels(nodes, links);
  const ends = nodes.filter((_, i) => level[i] === columns - 1);
  const edge = Math.max(80, ...ends.map((n) => textWidth(n.label))) + 10;
  const least = edge + (columns - 1) * Math.min(200, widest + NODE + 14);
  const tallest = Math.max(...Array.from({ length: columns }, (_, c) => level.filter((l) => l === c).length));
  const height = Math.max(220, tallest * (LINE + 10) + 60);
  return (
    <Drawing height={height} least={least} most={1500} says={props.says}>
      {(width) => <Flow {...props} nodes={nodes} links={links} edge={edge} width={width} height={height} />}
    </Drawing>
  );
}

/// The column of each node as sankeyJustify places it: ends stand in the last one.
function levels(nodes: FlowNode[], links: FlowLink[]): number[] {
  const last = depth(nodes, links);
  return nodes.map((n) => {
    if (!links.some((l) => l.from === n.key)) return last;
    const before = new Set<string>([n.key]);
    const above = links.filter((l) => l.to === n.key);
    return above.length === 0 ? 0 : 1 + depthTo(n.key, links, before);
  });
}
function depthTo(key: string, links: FlowLink[], seen: Set<string>): number {
  const above = links.filter((l) => l.to === key && !seen.has(l.from));
  return above.length === 0 ? -1 : Math.max(...above.map((l) => 1 + depthTo(l.from, links, new Set([...seen, l.from]))));
}

function Flow(props: {
  nodes: FlowNode[];
  links: FlowLink[];
  unit: string;
  width: number;
  height: number;
  edge: number;
  total?: number;
}) {
  const layout = sankey<FlowNode, FlowLink>()
    .nodeId((n) => n.key)
    .nodeAlign(sankeyJustify)
    .nodeWidth(NODE)
    .nodePadding(LINE)
    .nodeSort(null as never)
    .extent([
      [1, 14],
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
                style={{ stroke: to.colour ?? from.colour ?? 'var(--c1)', strokeOpacity: 0.38 }}
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
        const x = x1 + 6;
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
            <text x={x} y={y - 3} class="halo">
              {name}
            </text>
            <text x={x} y={y + 12} class="soft halo">
              {amount}
            </text>
          </Mark>
        );
      })}
    </>
  );
}
