// Numbers as the command line writes them (src/base/units.cpp): four significant digits, the unit of
// the family in which the number reads best.

const FAMILIES: [string, number][][] = [
  [['W', 1], ['kW', 1e3], ['MW', 1e6], ['GW', 1e9]],
  [['Wh', 1], ['kWh', 1e3], ['MWh', 1e6], ['GWh', 1e9], ['TWh', 1e12]],
  [['Wh/yr', 1], ['kWh/yr', 1e3], ['MWh/yr', 1e6], ['GWh/yr', 1e9], ['TWh/yr', 1e12]],
  [['B', 1], ['kB', 1e3], ['MB', 1e6], ['GB', 1e9], ['TB', 1e12], ['PB', 1e15], ['EB', 1e18]],
  [['MB/s', 1], ['GB/s', 1e3], ['TB/s', 1e6], ['PB/s', 1e9]],
  [['GFLOP/s', 1], ['TFLOP/s', 1e3], ['PFLOP/s', 1e6], ['EFLOP/s', 1e9]],
  [['gCO2e', 1], ['kgCO2e', 1e3], ['tCO2e', 1e6], ['ktCO2e', 1e9]],
  [['us', 1e-6], ['ms', 1e-3], ['s', 1], ['min', 60], ['h', 3600], ['d', 86400], ['yr', 31536000]],
  [['L', 1], ['m3', 1e3]],
  [['USD', 1], ['kUSD', 1e3], ['MUSD', 1e6]],
  [['USD/yr', 1], ['kUSD/yr', 1e3], ['MUSD/yr', 1e6]],
  [['token', 1], ['ktoken', 1e3], ['Mtoken', 1e6], ['Gtoken', 1e9], ['Ttoken', 1e12]],
  [['token/s', 1], ['ktoken/s', 1e3], ['Mtoken/s', 1e6]],
];

/// About `digits` significant digits, thousands separated from 10,000 on.
export function formatNumber(value: number, digits = 4): string {
  if (value === 0) return '0';
  if (Number.isNaN(value)) return '-';
  if (!Number.isFinite(value)) return value > 0 ? 'unlimited' : '-unlimited';
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-4) {
    const [mantissa = '', power = ''] = value.toExponential(digits - 1).split('e');
    return `${trimZeros(mantissa)}e${power.replace('+', '')}`;
  }
  const before = Math.floor(Math.log10(size)) + 1;
  const after = Math.max(0, digits - Math.max(before, size < 1 ? before : 1));
  const out = trimZeros(value.toFixed(after));
  if (size < 9999.5) return out;
  const [whole = '', part] = out.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return part ? `${grouped}.${part}` : grouped;
}

function trimZeros(out: string): string {
  return out.includes('.') ? out.replace(/\.?0+$/, '') : out;
}

/// The value in the largest unit of its family that keeps it at or above one.
export function scaled(value: number, unit: string): [number, string] {
  const family = FAMILIES.find((f) => f.some(([name]) => name === unit));
  if (!family || value === 0 || !Number.isFinite(value)) return [value, unit];
  const base = value * (family.find(([name]) => name === unit)?.[1] ?? 1);
  let best = family[0]!;
  for (const step of family) if (Math.abs(base) >= 0.9995 * step[1]) best = step;
  return [base / best[1], best[0]];
}

const PRETTY: Record<string, string> = { '': '', '1': '', degC: '°C' };

/// A unit as print has it: m², °C, CO₂, µs.
export function prettyUnit(unit: string): string {
  const known = PRETTY[unit];
  if (known !== undefined) return known;
  return unit
    .replace(/\b(m|mm|cm|ft)([23])\b/g, (_, m: string, p: string) => m + (p === '2' ? '²' : '³'))
    .replace(/CO2/g, 'CO₂')
    .replace(/degC/g, '°C')
    .replace(/^us\b/, 'µs');
}

/// A number with its unit in that unit: "40.8 kW" (the space does not break).
export function format(value: number, unit = '', digits = 4): string {
  const shown = prettyUnit(unit);
  return shown ? `${formatNumber(value, digits)}\u00a0${shown}` : formatNumber(value, digits);
}

/// The same in the unit of the family that reads best: 250,000 kW is "250 MW".
export function formatScaled(value: number, unit = '', digits = 4): string {
  const [v, u] = scaled(value, unit);
  return format(v, u, digits);
}

/// Need and have in one unit, in which the smaller still reads well; each in its own when they are
/// far apart. A condition ("rule") is met or not.
export function formatPair(a: number, b: number, unit: string): [string, string] {
  const low = Math.min(a, b);
  if (unit === 'rule') return [a > 0 ? `${formatNumber(a)} missing` : 'met', ''];
  if (low <= 0 || Math.max(a, b) > 1000 * low) return [formatScaled(a, unit), formatScaled(b, unit)];
  const one = scaled(low, unit)[1];
  const factor = scaled(low, unit)[0] / low;
  return [format(a * factor, one), format(b * factor, one)];
}

/// have / need - 1 in words a table holds: "+10 %", "-34 %", "12x".
export function formatHeadroom(headroom: number | null | undefined): string {
  if (headroom === null || headroom === undefined || !Number.isFinite(headroom)) return 'holds';
  if (headroom >= 9) return `${(headroom + 1).toFixed(0)}×`;
  const percent = headroom * 100;
  const digits = Math.abs(percent) < 9.95 ? 1 : 0;
  const out = Math.abs(percent).toFixed(digits);
  return `${percent < 0 ? '−' : '+'}${out}\u00a0%`;
}

export const percent = (share: number, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;

const DAY_MS = 86_400_000;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
export const monthName = (month: number) => MONTHS[month] ?? '';

/// Hour of a year of 365 days as people say it: "14 Jul 15:00".
export function hourOfYear(hour: number): string {
  const day = new Date(Date.UTC(2001, 0, 1) + Math.floor(hour / 24) * DAY_MS);
  const clock = String(hour % 24).padStart(2, '0');
  return `${day.getUTCDate()} ${monthName(day.getUTCMonth())} ${clock}:00`;
}
export { MONTHS };
