/** Says when guest code has run for too long. */

/**
 * Processor time of this thread, where the platform tells: on a machine that is short of processors a call may pass
 * its deadline without having run. Microseconds.
 */
function threadCpuMicros(): number | undefined {
  const process = (globalThis as { process?: { threadCpuUsage?(): { user: number; system: number } } }).process;
  const usage = process?.threadCpuUsage?.();
  return usage && usage.user + usage.system;
}

/** One per engine: calls run one after the other. */
export interface Stopwatch {
  start(deadlineMs: number): void;
  extend(ms: number): void;
  /** @returns true when the call must end. Remembers it in {@link Stopwatch.fired}. */
  check(): boolean;
  fired: boolean;
}

/** A starved thread gets at most this many times its deadline. */
const STARVED_FACTOR = 3;

export function createStopwatch(): Stopwatch {
  let startedAt = 0;
  let cpuAtStart: number | undefined;
  let allowed = 0;
  const stopwatch: Stopwatch = {
    fired: false,
    start(deadlineMs) {
      startedAt = performance.now();
      cpuAtStart = undefined;
      allowed = deadlineMs;
      stopwatch.fired = false;
    },
    extend(ms) {
      allowed = performance.now() - startedAt + ms;
    },
    check() {
      const elapsed = performance.now() - startedAt;
      // The first look comes about a millisecond after the start; most calls have ended by then and never pay for it.
      cpuAtStart ??= threadCpuMicros();
      if (elapsed <= allowed) return false;
      if (elapsed <= allowed * STARVED_FACTOR && cpuAtStart !== undefined) {
        const cpu = threadCpuMicros();
        if (cpu !== undefined && (cpu - cpuAtStart) / 1000 < allowed * 0.7) return false;
      }
      stopwatch.fired = true;
      return true;
    },
  };
  return stopwatch;
}
