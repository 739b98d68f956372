import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createStopwatch } from './stopwatch.ts';

let now = 0;
let cpuMs = 0;
beforeEach(() => {
  now = 1000;
  cpuMs = 50;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.spyOn(process, 'threadCpuUsage').mockImplementation(() => ({ user: cpuMs * 600, system: cpuMs * 400 }));
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Lets time go by, of which the thread had the processor for `ran`. */
function pass(ms: number, ran: number): void {
  now += ms;
  cpuMs += ran;
}

function started(deadlineMs: number) {
  const stopwatch = createStopwatch();
  stopwatch.start(deadlineMs);
  pass(1, 1);
  expect(stopwatch.check()).toBe(false);
  return stopwatch;
}

describe('a call', () => {
  test('that ran past its deadline is over', () => {
    const stopwatch = started(200);
    pass(198, 198);
    expect(stopwatch.check()).toBe(false);
    expect(stopwatch.fired).toBe(false);
    pass(2, 2);
    expect(stopwatch.check()).toBe(true);
    expect(stopwatch.fired).toBe(true);
  });

  test('that was not given the processor gets more time, but no more than three times its own', () => {
    const stopwatch = started(200);
    pass(300, 20);
    expect(stopwatch.check()).toBe(false);
    pass(290, 20);
    expect(stopwatch.check()).toBe(false);
    pass(20, 1);
    expect(stopwatch.check()).toBe(true);
  });

  test('that was starved at first is over once it has run for long enough', () => {
    const stopwatch = started(200);
    pass(250, 10);
    expect(stopwatch.check()).toBe(false);
    pass(140, 140);
    expect(stopwatch.check()).toBe(true);
  });

  test('starts anew', () => {
    const stopwatch = started(200);
    pass(500, 500);
    expect(stopwatch.check()).toBe(true);
    stopwatch.start(100);
    expect(stopwatch.fired).toBe(false);
    expect(stopwatch.check()).toBe(false);
  });

  test('is over by the clock alone where the platform tells no processor time', () => {
    vi.spyOn(process, 'threadCpuUsage').mockImplementation(() => undefined as never);
    const stopwatch = started(200);
    pass(200, 0);
    expect(stopwatch.check()).toBe(true);
  });
});
