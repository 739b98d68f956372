import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FolderInUseError } from './lock.ts';
import { CompactedError, openStore, type Store } from './store.ts';

const folders: string[] = [];
const stores: Store[] = [];
const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'devcluster-store-'));
  folders.push(path);
  return path;
};
const open = (options: Parameters<typeof openStore>[0] = {}): Store => {
  const store = openStore(options);
  stores.push(store);
  return store;
};
const put = (store: Store, key: string, text: string): void => store.put(key, text, store.revision + 1);
const remove = (store: Store, key: string, text: string): void => store.remove(key, text, store.revision + 1);

afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

describe('store', () => {
  it('gives every write the next revision, over all keys', () => {
    const store = open();
    put(store, 'a/1', 'x');
    put(store, 'b/1', 'y');
    put(store, 'a/1', 'z');
    expect(store.revision).toBe(3);
    expect(store.get('a/1')).toEqual({ rv: 3, key: 'a/1', text: 'z' });
    expect(store.get('b/1')?.rv).toBe(2);
    expect(() => store.put('c', 'x', 7)).toThrow('revision 7 does not follow 3');
  });

  it('lists a prefix in the order of keys, from a key on, up to a limit', () => {
    const store = open();
    for (const key of ['p/b', 'p/a', 'q/a', 'p/c', 'o/z']) put(store, key, key);
    remove(store, 'p/c', 'p/c');
    expect(store.list('p/').map((row) => row.key)).toEqual(['p/a', 'p/b']);
    expect(store.list('p/', { limit: 1 }).map((row) => row.key)).toEqual(['p/a']);
    expect(store.list('p/', { after: 'p/a' }).map((row) => row.key)).toEqual(['p/b']);
    expect(store.count('p/')).toBe(2);
  });

  it('lists the past', () => {
    const store = open();
    put(store, 'p/a', '1');
    put(store, 'p/b', '1');
    put(store, 'p/a', '2');
    remove(store, 'p/b', '1');
    put(store, 'p/c', '1');
    expect(store.list('p/', { at: 2 }).map((row) => row.text)).toEqual(['1', '1']);
    expect(store.list('p/', { at: 3 }).map((row) => [row.key, row.text])).toEqual([
      ['p/a', '2'],
      ['p/b', '1'],
    ]);
    expect(store.list('p/').map((row) => row.key)).toEqual(['p/a', 'p/c']);
  });

  it('tells changes after a revision with what was before', () => {
    const store = open();
    put(store, 'p/a', '1');
    put(store, 'q/a', '1');
    put(store, 'p/a', '2');
    remove(store, 'p/a', '2');
    put(store, 'p/a', '3');
    expect(store.changes('p/', 1).map(({ rv, text, deleted, before }) => [rv, text, deleted, before])).toEqual([
      [3, '2', false, '1'],
      [4, '2', true, '2'],
      [5, '3', false, undefined],
    ]);
  });

  it('forgets history at compaction, keeps the present and still tells what was before', () => {
    const store = open();
    put(store, 'p/a', '1');
    put(store, 'p/b', '1');
    put(store, 'p/a', '2');
    remove(store, 'p/b', '1');
    put(store, 'p/a', '3');
    store.compact(4);
    expect(() => store.list('p/', { at: 3 })).toThrow(CompactedError);
    expect(() => store.changes('p/', 3)).toThrow(CompactedError);
    expect(store.changes('p/', 4).map(({ text, before }) => [text, before])).toEqual([['3', '2']]);
    expect(store.list('p/', { at: 4 }).map((row) => row.text)).toEqual(['2']);
    expect(store.list('p/').map((row) => row.text)).toEqual(['3']);
  });

  it('compacts by itself so that history stays bounded', () => {
    const store = open({ history: 100 });
    for (let i = 0; i < 1000; i++) put(store, 'p/a', String(i));
    expect(store.compacted).toBeGreaterThan(800);
    expect(store.get('p/a')?.text).toBe('999');
    expect(store.changes('p/', store.compacted).length).toBeLessThan(200);
  });

  it('does not go back in revisions when the last one was a deletion that was compacted', () => {
    const path = folder();
    const first = open({ folder: path });
    put(first, 'a', '1');
    remove(first, 'a', '1');
    first.compact(2);
    first.close();
    expect(open({ folder: path }).revision).toBe(2);
  });

  it('refuses a folder that is open already, and only as long as it is', () => {
    const path = folder();
    const first = open({ folder: path });
    expect(() => openStore({ folder: path })).toThrow(FolderInUseError);
    expect(() => openStore({ folder: path })).toThrow('LTN804: The data folder is in use by another process');
    first.close();
    expect(open({ folder: path }).revision).toBe(0);
  });

  it('has every write that returned after kill -9, and the folder is free', async () => {
    const path = folder();
    const script = `
      import { openStore } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)};
      const store = openStore({ folder: ${JSON.stringify(path)} });
      for (let i = 1; ; i++) { store.put('k/' + i, 'v' + i, i); if (i % 50 === 0) process.stdout.write(i + '\\n'); if (i === 500) await new Promise((r) => process.stdout.write('', r)); }
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = 0;
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        const lines = chunk.toString().trim().split('\n');
        told = Number(lines.at(-1));
        if (told >= 500) child.kill('SIGKILL');
      });
      child.on('exit', () => resolve());
    });
    const store = open({ folder: path });
    expect(told).toBeGreaterThanOrEqual(500);
    expect(store.revision).toBeGreaterThanOrEqual(told);
    for (let i = 1; i <= told; i += 97) expect(store.get(`k/${i}`)?.text).toBe(`v${i}`);
  });
});
