// Scales and tick marks; the ticks are d3's.
import { ticks as niceTicks } from 'd3-array';

export type Scale = ((v: number) => number) & { domain: [number, number] };

/// A straight line from a domain to a range. An empty domain maps to the start of the range.
export function linear(domain: [number, number], range: [number, number]): Scale {
  const [d0, d1] = domain;
  const k = d1 === d0 ? 0 : (range[1] - range[0]) / (d1 - d0);
  return Object.assign((v: number) => range[0] + (v - d0) * k, { domain });
}

/// The same for figures over decades; both ends above zero.
export function logarithmic(domain: [number, number], range: [number, number]): Scale {
  const inner = linear([Math.log10(domain[0]), Math.log10(domain[1])], range);
  return Object.assign((v: number) => inner(Math.log10(v)), { domain });
}

export const ticks = (low: number, high: number, count: number) => niceTicks(low, high, count);

/// 1, 10, 100 ... between two figures; with few decades also 2 and 5.
export function decades(low: number, high: number): number[] {
  const out: number[] = [];
  const steps = high / low > 1000 ? [1] : [1, 2, 5];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); ++p)
    for (const s of steps) {
      const v = s * 10 ** p;
      if (v >= low * 0.999 && v <= high * 1.001) out.push(v);
    }
  return out;
}

/// Mean advance of a letter of the drawing's 12 px text, for reserving room: wide enough for the
/// system's sans faces.
export const LETTER = 7.2;
export const textWidth = (s: string, size = 12) => (s.length * LETTER * size) / 12;

/// The text, shortened with an ellipsis to what fits; the whole stands in the explanation.
export function fitted(s: string, width: number, size = 12): string {
  const most = Math.floor((width * 12) / (LETTER * size));
  return s.length <= most ? s : most <= 1 ? '' : `${s.slice(0, most - 1).trimEnd()}…`;
}
