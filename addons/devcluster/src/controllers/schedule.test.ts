import { describe, expect, it } from 'vitest';
import { parseSchedule, ScheduleError } from './schedule.ts';

const next = (text: string, after: string, zone?: string): string | undefined => {
  const at = parseSchedule(text, zone).next(Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString();
};

describe('schedules', () => {
  it.each([
    ['*/5 * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:05:00.000Z'],
    ['0 0 * * *', '2026-01-31T00:00:00Z', '2026-02-01T00:00:00.000Z'],
    ['@hourly', '2026-01-01T10:59:59Z', '2026-01-01T11:00:00.000Z'],
    ['30 8 * * mon-fri', '2026-01-02T09:00:00Z', '2026-01-05T08:30:00.000Z'],
    ['0 12 29 feb *', '2026-01-01T00:00:00Z', '2028-02-29T12:00:00.000Z'],
    ['0 0 13 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z'],
    ['15,45 1-3/2 * * *', '2026-01-01T01:46:00Z', '2026-01-01T03:15:00.000Z'],
    ['@every 90s', '2026-01-01T00:00:00Z', '2026-01-01T00:01:30.000Z'],
  ])('%s after %s is %s', (text, after, expected) => {
    expect(next(text, after)).toBe(expected);
  });

  it('follow the clock of their time zone through its changes', () => {
    expect(next('0 9 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T07:00:00.000Z');
    expect(next('0 9 * * *', '2026-03-27T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-28T08:00:00.000Z');
    expect(next('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-30T00:30:00.000Z');
    expect(next('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin')).toBeDefined();
  });

  it('that never come have no next time', () => {
    expect(next('0 0 31 2 *', '2026-01-01T00:00:00Z')).toBeUndefined();
  });

  it('that are none are refused with the reason', () => {
    expect(() => parseSchedule('whenever')).toThrow(
      new ScheduleError('expected exactly 5 fields, found 1: [whenever]'),
    );
    for (const text of [
      '60 * * * *',
      '* * 0 * *',
      '* * * * 8',
      '*/0 * * * *',
      'a * * * *',
      '5-1 * * * *',
      '@sometimes',
    ]) {
      expect(() => parseSchedule(text), text).toThrow(ScheduleError);
    }
  });
});
