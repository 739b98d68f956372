/** A lock between processes of one machine, kept as a file that holds the owner's process id. */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function tryTake(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`${process.pid}`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes the lock file away when the process that made it is gone. */
async function breakIfAbandoned(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  // Empty: its owner is between creating and writing it.
  if (!text || alive(Number(text))) return;
  // Renaming first lets only one of several waiters break it.
  const broken = `${path}.${process.pid}.broken`;
  await rename(path, broken).catch(() => undefined);
  await rm(broken, { force: true });
}

/**
 * Runs `action` while holding the lock `path`. Waits for as long as a living process holds it; a lock whose owner died
 * is broken. `onWait` is called once if there is waiting to do.
 */
export async function withLock<T>(path: string, action: () => Promise<T>, onWait?: () => void): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let waited = false;
  while (!(await tryTake(path))) {
    if (!waited) onWait?.();
    waited = true;
    await breakIfAbandoned(path);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    return await action();
  } finally {
    await rm(path, { force: true });
  }
}
