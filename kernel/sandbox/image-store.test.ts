/** Images of VMs that outlive the process. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createInlineSandbox, createSandbox, folderImageStore, type ImageStore } from './index.ts';
import { EVALUATING_BUNDLE } from './testing/bundle.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lateen-images-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A store in memory that tells what it was asked. */
function spyStore(): ImageStore & { images: Map<string, Uint8Array>; puts: number } {
  const images = new Map<string, Uint8Array>();
  const store = {
    images,
    puts: 0,
    get: (key: string) => images.get(key),
    put(key: string, image: Uint8Array) {
      store.puts++;
      images.set(key, Uint8Array.from(image));
    },
  };
  return store;
}

describe.each([
  ['in the calling thread', createInlineSandbox],
  ['in a worker', createSandbox],
])('%s', (_, create) => {
  async function answer(images: ImageStore, code: string, expression: string, limits = {}): Promise<unknown> {
    const sandbox = create({ images });
    try {
      sandbox.load('it', code, limits);
      return await sandbox.call('it', { code: expression });
    } finally {
      await sandbox.close();
    }
  }
  const COUNTING = `${EVALUATING_BUNDLE} globalThis.kept = [1, 2, 3].map((x) => x * 2);`;

  test('a second sandbox takes the image instead of the code, and answers alike', async () => {
    const store = spyStore();
    const expression = '[kept, Object.keys(globalThis), new Error("x").stack]';
    const first = await answer(store, COUNTING, expression);
    expect(store.puts).toBe(1);
    const second = await answer(store, COUNTING, expression);
    expect(second).toEqual(first);
    expect(store.puts).toBe(1);
  });

  test('other code or other limits have other images', async () => {
    const store = spyStore();
    await answer(store, COUNTING, '1');
    await answer(store, `${COUNTING} 1;`, '1');
    await answer(store, COUNTING, '1', { memoryBytes: 8 * 1024 * 1024 });
    expect(store.images.size).toBe(3);
    const huge = `'x'.repeat(10e6).length`;
    await expect(answer(store, COUNTING, huge, { memoryBytes: 8 * 1024 * 1024 })).rejects.toMatchObject({
      failure: 'memory',
    });
    expect(await answer(store, COUNTING, huge)).toBe(10e6);
  });

  test.each([
    ['empty', () => new Uint8Array()],
    ['cut', (image: Uint8Array) => image.subarray(0, image.length - 1)],
    ['of another format', () => new TextEncoder().encode('{"format":0}\n')],
    ['no image', () => new TextEncoder().encode('hello\nworld')],
  ])('an image that is %s is not used', async (_, spoil) => {
    const store = spyStore();
    await answer(store, COUNTING, '1');
    for (const [key, image] of store.images) store.images.set(key, spoil(image));
    expect(await answer(store, COUNTING, 'kept')).toEqual([2, 4, 6]);
    expect(store.puts).toBe(2);
  });
});

describe('a folder of images', () => {
  test('gives back what was put, and nothing for what was not', async () => {
    const store = folderImageStore(join(dir, 'new'));
    store.put('a', new Uint8Array([1, 2]));
    expect([...(store.get('a') ?? [])]).toEqual([1, 2]);
    expect(store.get('b')).toBeUndefined();
    expect((await stat(join(dir, 'new'))).mode & 0o077).toBe(0);
    expect((await stat(join(dir, 'new/a.vm'))).mode & 0o077).toBe(0);
  });

  test('keeps a limited number and no remains', async () => {
    const store = folderImageStore(dir);
    for (let index = 0; index < 70; index++) store.put(`image${index}`, new Uint8Array([index]));
    const files = await readdir(dir);
    expect(files).toHaveLength(64);
    expect(files.every((name) => name.endsWith('.vm'))).toBe(true);
  });

  test('that cannot be written does no harm', async () => {
    await writeFile(join(dir, 'file'), '');
    const store = folderImageStore(join(dir, 'file'));
    store.put('a', new Uint8Array([1]));
    expect(store.get('a')).toBeUndefined();
    expect(await readFile(join(dir, 'file'), 'utf8')).toBe('');
  });
});
