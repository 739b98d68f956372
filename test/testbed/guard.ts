/** Sees to it that nothing of a testbed outlives the process that started it, however that process ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Guard {
  /** Temporary folder that goes away with the guard. */
  readonly folder: string;
  /** Puts a child process into the guard's care. Call it in the same turn as the spawn. */
  watch(child: ChildProcess): void;
  /** Ends what still runs and removes the folder. */
  release(): Promise<void>;
}

/** Starts a guard: a small shell process in a process group of its own, so that Ctrl-C does not reach it. */
export function startGuard(): Guard {
  const folder = mkdtempSync(join(tmpdir(), 'lateen-testbed-'));
  const guard = spawn('sh', [join(import.meta.dirname, 'guard.sh'), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => guard.once('close', () => resolve()));
  guard.unref();
  guard.stdin.on('error', () => undefined);
  (guard.stdin as typeof guard.stdin & { unref?(): void }).unref?.();
  return {
    folder,
    watch(child) {
      const { pid } = child;
      if (pid === undefined) return;
      guard.stdin.write(`pid ${pid}\n`);
      child.once('exit', () => guard.stdin.writable && guard.stdin.write(`gone ${pid}\n`));
    },
    async release() {
      guard.stdin.end();
      guard.ref();
      await ended;
    },
  };
}
