/** Keeps images of VMs between processes: a one-shot command then need not compile a bundle again. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxLimits } from './api.ts';
import { ENGINE_SETUP } from './machine.ts';

/**
 * Images by key. An image is trusted as the engine itself is: it must come from where nobody else can write.
 * Neither function throws: without an image the bundle is compiled.
 */
export interface ImageStore {
  get(key: string): Uint8Array | undefined;
  put(key: string, image: Uint8Array): void;
}

/** The key of an image: everything that it depends on. */
export function imageKey(wasmDigest: string, code: string, limits: SandboxLimits): string {
  const { memoryBytes, stackBytes } = limits;
  const parts = [wasmDigest, ENGINE_SETUP, memoryBytes, stackBytes, code];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

export function digestOfWasm(wasm: Uint8Array): string {
  return createHash('sha256').update(wasm).digest('hex');
}

const KEPT = 64;

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Where a file cannot be, none is left.
  }
}

/** A store in a folder, which is made for its owner alone. It keeps the newest images and drops older ones. */
export function folderImageStore(dir: string): ImageStore {
  const pathOf = (key: string) => join(dir, `${key}.vm`);
  const dropOld = () => {
    const files = readdirSync(dir).filter((name) => name.endsWith('.vm'));
    if (files.length <= KEPT) return;
    const byAge = files.map((name) => ({ path: join(dir, name), at: statSync(join(dir, name)).mtimeMs }));
    byAge.sort((a, b) => b.at - a.at);
    for (const { path } of byAge.slice(KEPT)) rmSync(path, { force: true });
  };
  return {
    get(key) {
      try {
        return readFileSync(pathOf(key));
      } catch {
        return undefined;
      }
    },
    put(key, image) {
      const temporary = `${pathOf(key)}.${randomBytes(6).toString('hex')}`;
      try {
        mkdirSync(dir, { recursive: true, mode: 0o700 });
        writeFileSync(temporary, image, { mode: 0o600, flag: 'wx' });
        renameSync(temporary, pathOf(key));
        dropOld();
      } catch {
        removeIfThere(temporary);
      }
    },
  };
}
