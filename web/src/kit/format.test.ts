// The same numbers as src/base/units_test.cpp, so that page and command line never differ.
import { expect, test } from 'vitest';
import { format, formatHeadroom, formatNumber, formatPair, formatScaled, hourOfYear, prettyUnit } from './format';

test('numbers read as the command line writes them', () => {
  expect(formatNumber(16384)).toBe('16,384');
  expect(formatNumber(1234567.8)).toBe('1,234,568');
  expect(formatNumber(0.0012346)).toBe('0.001235');
  expect(formatNumber(9999.7)).toBe('10,000');
  expect(formatNumber(100)).toBe('100');
  expect(formatNumber(3.937e25)).toBe('3.937e25');
  expect(formatNumber(40.8)).toBe('40.8');
  expect(formatNumber(-0.34464)).toBe('-0.3446');
  expect(formatNumber(NaN)).toBe('-');
});

test('a figure moves inside its family and nowhere else', () => {
  expect(formatScaled(250e3, 'kW')).toBe('250\u00a0MW');
  expect(formatScaled(417727.328, 'tCO2e')).toBe('417.7\u00a0ktCO₂e');
  expect(formatScaled(7259.664067, 'MUSD')).toBe('7260\u00a0MUSD');
  expect(formatScaled(3.4041889, 'USD/h')).toBe('3.404\u00a0USD/h');
  expect(formatScaled(0.5155, 'h')).toBe('30.93\u00a0min');
  expect(formatScaled(0, 'W')).toBe('0\u00a0W');
});

test('need and have stand in one unit unless they are far apart', () => {
  expect(formatPair(181327.6, 250000, 'kW')).toEqual(['181.3\u00a0MW', '250\u00a0MW']);
  expect(formatPair(64, 2e6, 'W')).toEqual(['64\u00a0W', '2\u00a0MW']);
  expect(formatPair(0, 1, 'rule')).toEqual(['met', '']);
});

test('headroom, units and hours in words', () => {
  expect(formatHeadroom(-0.34464)).toBe('−34\u00a0%');
  expect(formatHeadroom(0.0947)).toBe('+9.5\u00a0%');
  expect(formatHeadroom(29.281)).toBe('30×');
  expect(formatHeadroom(null)).toBe('holds');
  expect(prettyUnit('m3/d')).toBe('m³/d');
  expect(prettyUnit('degC')).toBe('°C');
  expect(format(12, '1')).toBe('12');
  expect(hourOfYear(5389)).toBe('13 Aug 13:00');
});
