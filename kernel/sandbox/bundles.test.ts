/** What a bundle is, and what becomes of one that is none. */
import { describe, expect, test } from 'vitest';
import { createInlineSandbox, createSandbox } from './index.ts';
import { EVALUATING_BUNDLE } from './testing/bundle.ts';

describe.each([
  ['in the calling thread', createInlineSandbox],
  ['in a worker', createSandbox],
])('%s', (_, create) => {
  test.each([
    ['a syntax error', 'globalThis.lateen = {'],
    ['a throw at the top level', `throw new Error('no')`],
    ['no entry', 'const lateen = { call() {} }'],
    ['an entry that is no object', 'globalThis.lateen = 1'],
    ['an entry without call', 'globalThis.lateen = {}'],
    ['a call that is no function', 'globalThis.lateen = { call: 1 }'],
    ['an entry that throws', `Object.defineProperty(globalThis, 'lateen', { get() { throw new Error('no') } })`],
    ['an import', `import 'node:fs'; globalThis.lateen = { call: () => '1' }`],
  ])('a bundle with %s is refused', async (_, code) => {
    await using sandbox = closing(create());
    sandbox.load('broken', code);
    for (let time = 0; time < 2; time++) {
      await expect(sandbox.call('broken', {})).rejects.toMatchObject({ failure: 'bad-bundle', bundle: 'broken' });
    }
  });

  test('a bundle that loops while it loads is ended', async () => {
    await using sandbox = closing(create());
    sandbox.load('looping', 'for (;;);');
    await expect(sandbox.call('looping', {})).rejects.toMatchObject({ failure: 'deadline' });
  });

  test('a bundle that takes all memory while it loads is ended', async () => {
    await using sandbox = closing(create());
    sandbox.load('hoarding', 'const all = []; for (;;) all.push(new Array(1e4).fill(1));');
    await expect(sandbox.call('hoarding', {})).rejects.toMatchObject({ failure: 'memory' });
  });

  test('bundles see nothing of each other', async () => {
    await using sandbox = closing(create());
    sandbox.load('one', `${EVALUATING_BUNDLE} globalThis.secret = 'one'; Object.prototype.mark = 1;`);
    sandbox.load('two', EVALUATING_BUNDLE);
    expect(await sandbox.call('one', { code: 'secret + ({}).mark' })).toBe('one1');
    expect(await sandbox.call('two', { code: `typeof secret + typeof ({}).mark` })).toBe('undefinedundefined');
  });

  test('what a bundle keeps from its top level is there at every call, as it was', async () => {
    await using sandbox = closing(create());
    sandbox.load('counting', `let count = 0; globalThis.lateen = { call: () => String(++count) };`);
    expect(await sandbox.call('counting', {})).toBe(1);
    expect(await sandbox.call('counting', {})).toBe(1);
  });

  test('loading again under the same id changes nothing', async () => {
    await using sandbox = closing(create());
    sandbox.load('same', `globalThis.lateen = { call: () => '1' };`);
    sandbox.load('same', `globalThis.lateen = { call: () => '2' };`);
    expect(await sandbox.call('same', {})).toBe(1);
  });

  test('an unloaded bundle is gone, and its id is free', async () => {
    await using sandbox = closing(create());
    sandbox.load('gone', `globalThis.lateen = { call: () => '1' };`);
    expect(await sandbox.call('gone', {})).toBe(1);
    expect(sandbox.has('gone')).toBe(true);
    sandbox.unload('gone');
    expect(sandbox.has('gone')).toBe(false);
    await expect(sandbox.call('gone', {})).rejects.toMatchObject({ failure: 'closed' });
    sandbox.load('gone', `globalThis.lateen = { call: () => '2' };`);
    expect(await sandbox.call('gone', {})).toBe(2);
  });

  test('limits are each bundle’s own', async () => {
    await using sandbox = closing(create());
    sandbox.load('small', EVALUATING_BUNDLE, { memoryBytes: 2 * 1024 * 1024 });
    sandbox.load('large', EVALUATING_BUNDLE, { memoryBytes: 64 * 1024 * 1024 });
    const code = `'x'.repeat(5e6).length`;
    await expect(sandbox.call('small', { code })).rejects.toMatchObject({ failure: 'memory' });
    expect(await sandbox.call('large', { code })).toBe(5e6);
  });

  test('the same request gives the same answer, byte for byte, in another sandbox', async () => {
    const code = `JSON.stringify([Object.getOwnPropertyNames(globalThis), new Error('x').stack, new Date(), [3, 1, 2].sort()])`;
    const answers: unknown[] = [];
    for (let time = 0; time < 2; time++) {
      await using sandbox = closing(create());
      sandbox.load('pure', EVALUATING_BUNDLE);
      await sandbox.call('pure', { code: 'Array.from({ length: 1000 }, () => ({})).length' });
      answers.push(await sandbox.call('pure', { code }));
    }
    expect(answers[1]).toBe(answers[0]);
  });

  test('statistics tell of the VMs that run', async () => {
    await using sandbox = closing(create());
    sandbox.load('one', EVALUATING_BUNDLE);
    sandbox.load('idle', EVALUATING_BUNDLE);
    await sandbox.call('one', { code: '1' });
    const stats = await sandbox.stats();
    expect(stats).toMatchObject({ vms: 1, calls: 1, restarts: 0 });
    expect(Object.keys(stats.memory)).toEqual(['one']);
    expect(stats.memory.one).toBeGreaterThan(10_000);
  });

  test('a closed sandbox answers nobody', async () => {
    const sandbox = create();
    sandbox.load('one', EVALUATING_BUNDLE);
    await sandbox.close();
    await sandbox.close();
    await expect(sandbox.call('one', { code: '1' })).rejects.toMatchObject({ failure: 'closed' });
  });
});

/** Closes a sandbox at the end of its test, however that ends. */
function closing<T extends { close(): Promise<void> }>(sandbox: T): T & AsyncDisposable {
  return Object.assign(sandbox, { [Symbol.asyncDispose]: () => sandbox.close() });
}
