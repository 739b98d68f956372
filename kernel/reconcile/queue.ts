/** The work queue: one reconcile at a time for each key, capped in all, retried with jittered backoff. */
import type { Clock } from '../cluster/clock.ts';

export interface QueueOptions {
  clock: Clock;
  /** Reconciles in flight at most. Default 8. */
  concurrency?: number;
  /** First retry after a failure, in milliseconds. Default 250. */
  baseDelayMs?: number;
  /** Longest wait between retries, in milliseconds. Default 60 s. */
  maxDelayMs?: number;
  /** Called with what a pass threw; the key is retried in any case. */
  onError?(key: string, error: unknown, retryInMs: number): void;
}

export interface WorkQueue {
  /** Asks for a pass over `key`, at once or after `delayMs`. Asking again before the pass starts adds nothing. */
  add(key: string, delayMs?: number): void;
  /** Resolves when nothing is running and nothing is due (delayed keys do not count). */
  idle(): Promise<void>;
  /** Takes no more work and resolves when what runs has ended. */
  stop(): Promise<void>;
  readonly depth: number;
}

/**
 * @param pass one reconcile of a key; throwing means "try again later". Its signal is aborted by `stop`.
 */
export function createWorkQueue(
  pass: (key: string, signal: AbortSignal) => Promise<void>,
  options: QueueOptions,
): WorkQueue {
  const { clock, concurrency = 8, baseDelayMs = 250, maxDelayMs = 60_000 } = options;
  const due = new Set<string>();
  const running = new Set<string>();
  const again = new Set<string>();
  const timers = new Map<string, { at: number; cancel: () => void }>();
  const failures = new Map<string, number>();
  const abort = new AbortController();
  let stopped = false;
  let waiters: (() => void)[] = [];

  const settle = () => {
    if (due.size > 0 || running.size > 0) return;
    const resolve = waiters;
    waiters = [];
    for (const done of resolve) done();
  };

  const start = () => {
    for (const key of due) {
      if (running.size >= concurrency || stopped) return;
      due.delete(key);
      running.add(key);
      void run(key);
    }
  };

  const run = async (key: string) => {
    try {
      await pass(key, abort.signal);
      failures.delete(key);
    } catch (error) {
      if (!stopped) {
        const count = (failures.get(key) ?? 0) + 1;
        failures.set(key, count);
        const ceiling = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(count - 1, 20));
        const delay = Math.round(ceiling / 2 + (ceiling / 2) * clock.random());
        options.onError?.(key, error, delay);
        add(key, delay);
      }
    } finally {
      running.delete(key);
      if (again.delete(key)) due.add(key);
      start();
      settle();
    }
  };

  function add(key: string, delayMs = 0): void {
    if (stopped) return;
    if (delayMs > 0) {
      const at = clock.now() + delayMs;
      const waiting = timers.get(key);
      if (waiting && waiting.at <= at) return;
      waiting?.cancel();
      const cancel = clock.after(delayMs, () => {
        timers.delete(key);
        add(key);
      });
      timers.set(key, { at, cancel });
      return;
    }
    if (running.has(key)) again.add(key);
    else due.add(key);
    start();
  }

  return {
    add,
    idle: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        settle();
      }),
    stop: async () => {
      stopped = true;
      abort.abort(new Error('the kernel is stopping'));
      due.clear();
      again.clear();
      for (const { cancel } of timers.values()) cancel();
      timers.clear();
      if (running.size > 0) await new Promise<void>((resolve) => waiters.push(resolve));
    },
    get depth() {
      return due.size + running.size;
    },
  };
}
