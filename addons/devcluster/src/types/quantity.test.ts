import { describe, expect, it } from 'vitest';
import { canonicalQuantity, compareQuantities, isQuantity, quantityValue } from './quantity.ts';

describe('quantities', () => {
  it.each([
    ['1.5', '1500m'],
    ['1.5Gi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['1024Mi', '1Gi'],
    ['1000m', '1'],
    ['1000', '1k'],
    ['1000k', '1M'],
    ['0.1Mi', '104857600m'],
    ['512', '512'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['1E', '1E'],
    ['12e2', '1200'],
    ['0.5', '500m'],
    ['100Ki', '100Ki'],
    ['0.5Ki', '512'],
    ['0', '0'],
    ['0Gi', '0'],
    ['-1', '-1'],
    ['.5', '500m'],
    ['1.', '1'],
    ['0.0000000001', '1n'],
    ['1024', '1024'],
    ['+5', '5'],
  ])('%s is stored as %s', (written, stored) => {
    expect(canonicalQuantity(written)).toBe(stored);
  });

  it('may be written as numbers', () => {
    expect(canonicalQuantity(1)).toBe('1');
    expect(canonicalQuantity(0.25)).toBe('250m');
  });

  it('are told from other text', () => {
    for (const text of ['', 'x', '1GB', '1 Gi', '--1', '1.2.3', 'Gi']) expect(isQuantity(text), text).toBe(false);
  });

  it('compare by value and round up to whole units', () => {
    expect(compareQuantities('1Gi', '1024Mi')).toBe(0);
    expect(compareQuantities('100m', '0.2')).toBeLessThan(0);
    expect(quantityValue('1500m')).toBe(2);
  });
});
