// Axes with a frame of plain SVG: lines, dots and bars of our own stand inside. Drawn as SVG rather
// than on a canvas, so that it prints sharply and follows light and dark by itself.
import type { ComponentChildren } from 'preact';
import { Drawing } from './parts';
import { decades, linear, logarithmic, textWidth, ticks, type Scale } from './scale';
import { formatNumber } from './format';

export interface Axis {
  label: string;
  low: number;
  high: number;
  log?: boolean;
  tick?: (v: number) => string;
  at?: number[];
}
export interface Frame {
  x: Scale;
  y: Scale;
  left: number;
  right: number;
  top: number;
  bottom: number;
  width: number;
}

export function Plot(props: {
  x: Axis;
  y: Axis;
  height?: number;
  says: string;
  least?: number;
  children: (frame: Frame) => ComponentChildren;
}) {
  const height = props.height ?? 280;
  return (
    <Drawing height={height} least={props.least ?? 260} most={1500} says={props.says}>
      {(width) => {
        const yTick = props.y.tick ?? formatNumber;
        const yAt = props.y.at ?? (props.y.log ? decades(props.y.low, props.y.high) : ticks(props.y.low, props.y.high, 5));
        const left = Math.max(30, ...yAt.map((v) => textWidth(yTick(v)))) + 12;
        const frame = { left, right: width - 14, top: 26, bottom: height - 40, width };
        const make = (a: Axis, range: [number, number]) => (a.log ? logarithmic : linear)([a.low, a.high], range);
        const x = make(props.x, [frame.left, frame.right]);
        const y = make(props.y, [frame.bottom, frame.top]);
        const xTick = props.x.tick ?? formatNumber;
        const room = Math.max(40, ...[props.x.low, props.x.high].map((v) => textWidth(xTick(v)) + 18));
        const most = Math.max(2, Math.floor((frame.right - frame.left) / room));
        let xAt = props.x.at ?? (props.x.log ? decades(props.x.low, props.x.high) : ticks(props.x.low, props.x.high, Math.min(8, most)));
        if (xAt.length > most) xAt = xAt.filter((_, i) => i % Math.ceil(xAt.length / most) === 0);
        return (
          <>
            <text x={2} y={12} class="soft">
              {props.y.label}
            </text>
            <text x={frame.right} y={height - 4} text-anchor="end" class="soft">
              {props.x.label}
            </text>
            {yAt.map((v) => (
              <g key={v}>
                <path class="grid" d={`M${frame.left},${y(v)}H${frame.right}`} />
                <text x={frame.left - 6} y={y(v) + 4} text-anchor="end">
                  {yTick(v)}
                </text>
              </g>
            ))}
            {xAt.map((v) => (
              <g key={v}>
                <path class="axis" d={`M${x(v)},${frame.bottom}v5`} />
                <text x={Math.min(x(v), width - textWidth(xTick(v)) / 2)} y={frame.bottom + 18} text-anchor="middle">
                  {xTick(v)}
                </text>
              </g>
            ))}
            <path class="axis" d={`M${frame.left},${frame.bottom}H${frame.right}`} />
            {props.children({ ...frame, x, y })}
          </>
        );
      }}
    </Drawing>
  );
}

/// A line through points; a point that is not finite breaks it.
export function path(points: [number, number][]): string {
  let pen = 'M';
  let out = '';
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = 'M';
      continue;
    }
    out += `${pen}${x.toFixed(1)},${y.toFixed(1)}`;
    pen = 'L';
  }
  return out;
}
