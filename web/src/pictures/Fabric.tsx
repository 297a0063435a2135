// The network as tiers with their counts (the report's figures: fabric).
import { Card, Drawing } from '../kit/parts';
import { Mark } from '../kit/mark';
import { formatNumber } from '../kit/format';
import { fitted } from '../kit/scale';
import { number, object, objects, text, type Json, type JsonObject } from '../kit/json';

const ROW = 104;
const H = 52;

export function Fabric({ figures }: { figures?: Json }) {
  return (
    <>
      {objects(object(figures).fabric).map((net, i) => (
        <Net key={i} net={net} />
      ))}
    </>
  );
}

function Net({ net }: { net: JsonObject }) {
  const tiers = objects(net.tiers);
  const links = objects(net.links);
  if (tiers.length === 0) return null;
  const height = tiers.length * ROW - (ROW - H) + 24;
  const name = [text(net.cluster), text(net.network)].filter(Boolean).join(', ');
  const says = `${text(net.topology) ?? 'network'}: ${tiers.map((t) => `${formatNumber(number(t.count) ?? 0)} ${text(t.name)}`).join(', ')}`;
  return (
    <Card title={`Network: ${name}`} says={text(net.says) ?? text(net.topology)} note={text(net.note)} wide>
      <Drawing height={height} least={330} most={1100} says={says}>
        {(width) => {
          const top = 12;
          const center = width / 2;
          const y = (i: number) => top + i * ROW;
          return (
            <>
              {tiers.slice(0, -1).map((tier, i) => (
                <Links key={i} from={tier} to={tiers[i + 1] ?? {}} links={links} y0={y(i) + H} y1={y(i + 1)} center={center} width={width} />
              ))}
              {tiers.map((tier, i) => (
                <Tier key={i} tier={tier} y={y(i)} center={center} width={width} />
              ))}
            </>
          );
        }}
      </Drawing>
    </Card>
  );
}

const spread = (count: number) => Math.max(3, Math.min(9, Math.round(2 + Math.log10(Math.max(1, count)) * 2)));

function Tier({ tier, y, center, width }: { tier: JsonObject; y: number; center: number; width: number }) {
  const count = number(tier.count) ?? 0;
  const ports = number(tier.ports);
  const title = `${formatNumber(count)} × ${text(tier.name) ?? ''}`;
  const device = text(tier.device) ?? '';
  const w = Math.min(width - 8, 430);
  const rows: [string, string][] = [['count', formatNumber(count)]];
  if (device) rows.push(['device', device]);
  if (ports) rows.push(['ports of one', formatNumber(ports)]);
  return (
    <Mark id={text(tier.id)} facts={{ title: text(tier.name) ?? '', rows }}>
      {[2, 1].map((k) => (
        <rect key={k} x={center - w / 2 + k * 4} y={y - k * 3} width={w} height={H} rx={5} style={{ fill: 'var(--panel)', stroke: 'var(--line)' }} />
      ))}
      <rect class="face" x={center - w / 2} y={y} width={w} height={H} rx={5} style={{ fill: 'var(--panel)', stroke: 'var(--strong-line)' }} />
      <text x={center} y={y + 21} text-anchor="middle" style={{ fontWeight: 600 }}>
        {title}
      </text>
      <text x={center} y={y + 39} text-anchor="middle" class="soft">
        {fitted(`${device}${ports ? `, ${formatNumber(ports)} ports` : ''}`, w - 14)}
      </text>
    </Mark>
  );
}

function Links(props: { from: JsonObject; to: JsonObject; links: JsonObject[]; y0: number; y1: number; center: number; width: number }) {
  const [a, b] = [text(props.from.name), text(props.to.name)];
  const between = props.links.filter(
    (l) => (text(l.from) === a && text(l.to) === b) || (text(l.from) === b && text(l.to) === a),
  );
  const count = between.reduce((s, l) => s + (number(l.count) ?? 0), 0);
  const n = spread(count);
  const w = Math.min(props.width - 60, 360);
  const at = (i: number, of: number) => props.center - w / 2 + (w * (i + 0.5)) / of;
  const label = between
    .map((l) => `${formatNumber(number(l.count) ?? 0)} × ${text(l.cable) ?? 'links'}${number(l.length_m) ? `, up to ${formatNumber(number(l.length_m) ?? 0, 3)} m` : ''}`)
    .join('; ');
  let lines = '';
  for (let i = 0; i < n; ++i)
    for (const k of [i, i + 1]) if (k < n) lines += `M${at(i, n).toFixed(1)},${props.y0}L${at(k, n).toFixed(1)},${props.y1}M${at(k, n).toFixed(1)},${props.y0}L${at(i, n).toFixed(1)},${props.y1}`;
  if (count === 0) return null;
  const short = fitted(label, props.width - 20);
  const mid = (props.y0 + props.y1) / 2;
  return (
    <Mark facts={{ title: `${b} to ${a}`, rows: between.map((l) => [formatNumber(number(l.count) ?? 0), text(l.cable) ?? 'links']) }}>
      <path class="face" d={lines} style={{ stroke: 'var(--c1)', opacity: 0.4, fill: 'none' }} />
      <rect x={props.center - short.length * 3.5} y={mid - 10} width={short.length * 7} height={20} rx={3} style={{ fill: 'var(--panel)' }} />
      <text x={props.center} y={mid + 4} text-anchor="middle">
        {short}
      </text>
    </Mark>
  );
}
