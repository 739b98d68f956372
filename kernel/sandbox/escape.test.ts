/** Things that hostile addon code tries, each contained and reported as what it is. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInlineSandbox, createSandbox, type Sandbox, SandboxError, type SandboxFailure } from './index.ts';
import { EVALUATING_BUNDLE } from './testing/bundle.ts';

describe.each([
  ['in the calling thread', createInlineSandbox],
  ['in a worker', createSandbox],
])('%s', (_, create) => {
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = create();
    sandbox.load('hostile', EVALUATING_BUNDLE, { memoryBytes: 16 * 1024 * 1024, messageChars: 1024 * 1024 });
  });
  afterAll(() => sandbox.close());

  const run = (code: string, input?: unknown) => sandbox.call('hostile', { code, input });

  async function failureOf(code: string, input?: unknown): Promise<SandboxError> {
    const error = await run(code, input).then(
      (value) => expect.fail(`answered ${JSON.stringify(value)}`),
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(SandboxError);
    return error as SandboxError;
  }

  describe('nothing of the host is reachable', () => {
    test.each([
      'process',
      'require',
      'fetch',
      'WebAssembly',
      'SharedArrayBuffer',
      'Atomics',
      'performance',
      'setTimeout',
      'setImmediate',
      'queueMicrotask',
      'console',
      'Intl',
      'WeakRef',
      'FinalizationRegistry',
      'navigator',
      'std',
      'os',
      'print',
      'structuredClone',
    ])('%s is not there', async (name) => {
      expect(await run(`typeof globalThis[${JSON.stringify(name)}]`)).toBe('undefined');
    });

    test.each([
      `(() => {}).constructor('return this')()`,
      `(async () => {}).constructor('return this')`,
      `(function* () {}).constructor.constructor('return this')()`,
      `[].at.constructor.constructor('return this')()`,
      `new Error().constructor.constructor('return this')()`,
      `globalThis.lateen.call.constructor('return this')()`,
      `(() => { try { null.x } catch (e) { return e.constructor.constructor('return this')() } })()`,
      `(() => { try { (function f() { f() })() } catch (e) { return e.constructor.constructor('return this')() } })()`,
      `Reflect.construct(Function, ['return this'])()`,
    ])('the walk %s ends in the VM', async (walk) => {
      const code = `(() => { const found = ${walk}; const it = typeof found === 'function' ? found() : found;
        const globals = it instanceof Promise || !('Object' in Object(it)) ? globalThis : it;
        return [typeof globals.process, typeof globals.require, globals === globalThis]; })()`;
      expect(await run(code)).toEqual(['undefined', 'undefined', true]);
    });

    test('import() loads nothing', async () => {
      expect(
        await run(`(() => { globalThis.got = 'nothing'; import('node:fs').then(() => { got = 'fs' }); return got })()`),
      ).toBe('nothing');
      expect((await failureOf(`import fs from 'node:fs'`)).failure).toBe('threw');
    });

    test('the clock stands still', async () => {
      const code = '[Date.now(), new Date().toISOString(), new Date().getTimezoneOffset(), String(new Date(0))]';
      const answer = await run(code);
      expect(answer).toEqual([0, '1970-01-01T00:00:00.000Z', 0, 'Thu Jan 01 1970 00:00:00 GMT+0000']);
      expect(
        await run(`(() => { const from = Date.now(); for (let i = 0; i < 1e5; i++); return Date.now() - from })()`),
      ).toBe(0);
    });

    test('randomness is refused by name', async () => {
      const error = await failureOf('Math.random()');
      expect(error.failure).toBe('threw');
      expect(error.message).toContain('Math.random is not available');
    });

    test('numbers and dates are written alike on every machine', async () => {
      expect(
        await run(`[(1234.5).toLocaleString('de'), new Date(0).toLocaleString('de', { timeZone: 'Asia/Tokyo' })]`),
      ).toEqual(['1234.5', '01/01/1970, 12:00:00 AM']);
    });
  });

  describe('one call leaves nothing to the next', () => {
    test.each([
      [`Object.prototype.polluted = 1`, `({}).polluted ?? 'clean'`],
      [`Array.prototype.map = () => 'gone'; 1`, `[1].map((x) => x + 1)[0] === 2 ? 'clean' : 'polluted'`],
      [`JSON.stringify = () => '"gone"'; 1`, `'clean'`],
      [`JSON.parse = () => ({ code: '"gone"' }); 1`, `'clean'`],
      [`globalThis.kept = 1`, `typeof kept === 'undefined' ? 'clean' : 'polluted'`],
      [`globalThis.lateen = { call: () => '"gone"' }; 1`, `'clean'`],
      [`lateen.call = () => '"gone"'; 1`, `'clean'`],
      [
        `Object.freeze(Object.prototype); 1`,
        `(() => { const o = {}; o.toString = 1; return o.toString === 1 ? 'clean' : 'frozen' })()`,
      ],
      [`Math.random = () => 4`, `(() => { try { return Math.random() } catch { return 'clean' } })()`],
    ])('%s', async (first, second) => {
      await run(first).catch(() => undefined);
      expect(await run(second)).toBe('clean');
    });

    test.each([
      ['a loop', 'for (;;);'],
      ['recursion', '(function f() { f() })()'],
      ['exhausted memory', 'const hoard = []; for (;;) hoard.push(new Array(1e4).fill(1))'],
    ])('also after %s', async (_, code) => {
      await run(`Object.prototype.polluted = 1; ${code}`).catch(() => undefined);
      expect(await run(`({}).polluted ?? 'clean'`)).toBe('clean');
    });

    test('a thousand calls that hoard do not run out of memory', async () => {
      for (let call = 0; call < 40; call++) {
        expect(await run(`(globalThis.hoard ??= []).push('x'.repeat(1e6) + ${call}); hoard.length`)).toBe(1);
      }
    });
  });

  describe('every failure is told as what it is', () => {
    const cases: [string, SandboxFailure, string][] = [
      ['an endless loop', 'deadline', 'for (;;);'],
      ['a loop that catches', 'deadline', 'for (;;) { try { for (;;); } catch {} finally { continue } }'],
      ['a loop in a generator', 'deadline', 'for (const _ of (function* () { for (;;) yield 1 })());'],
      ['a regular expression that explodes', 'deadline', `/^(a+)+$/.test('a'.repeat(40) + 'b')`],
      ['a regular expression that backtracks over pairs', 'deadline', `/(x+x+)+y/.test('x'.repeat(60))`],
      ['a sort that never ends', 'deadline', `[3, 2, 1].sort(() => { for (;;); })`],
      ['a replacer that never ends', 'deadline', `JSON.stringify({ a: 1 }, () => { for (;;); })`],
      ['recursion', 'memory', '(function f() { return f() + 1 })()'],
      ['recursion through getters', 'memory', 'const o = { get x() { return this.x } }; o.x'],
      ['recursion through proxies', 'memory', 'const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x'],
      ['recursion in JSON.parse', 'memory', `JSON.parse('['.repeat(1e6))`],
      ['a deep answer', 'memory', 'let deep = 1; for (let i = 0; i < 1e5; i++) deep = [deep]; deep'],
      ['an endless array', 'memory', 'const all = []; for (;;) all.push(new Array(1e4).fill(0))'],
      ['an endless string', 'memory', `let s = 'x'; for (;;) s += s`],
      ['a huge string', 'memory', `'x'.repeat(2 ** 28)`],
      ['a huge buffer', 'memory', 'new ArrayBuffer(2 ** 30)'],
      ['a flood of promises', 'memory', 'for (;;) Promise.resolve().then(() => 1)'],
      ['a flood of closures', 'memory', 'const all = []; for (;;) all.push(() => all)'],
      ['an answer that is not text', 'bad-answer', 'raw({})'],
      ['a symbol', 'bad-answer', `raw(Symbol('x'))`],
      ['a BigInt', 'bad-answer', 'raw(1n)'],
      ['a function', 'bad-answer', 'raw(() => 1)'],
      ['nothing', 'bad-answer', 'raw(undefined)'],
      ['a text that is not JSON', 'bad-answer', `raw('{a:1}')`],
      ['an object with toString', 'bad-answer', `raw({ toString() { return '1' } })`],
      ['a boxed string', 'bad-answer', `raw(new String('1'))`],
      ['a proxy of a string', 'bad-answer', `raw(new Proxy(new String('1'), {}))`],
      ['a promise', 'bad-answer', `raw(Promise.resolve('1'))`],
      ['an answer of 2 MB', 'bad-answer', `'x'.repeat(2 * 1024 * 1024)`],
      ['an answer nested 150 deep', 'bad-answer', 'let deep = 1; for (let i = 0; i < 150; i++) deep = [deep]; deep'],
      ['a key __proto__', 'bad-answer', `raw('{"a":{"__proto__":{"polluted":1}}}')`],
      ['an escaped key __proto__', 'bad-answer', `raw('{"\\\\u005f_proto__":{"polluted":1}}')`],
      ['an exception', 'threw', `throw new Error('so')`],
      ['a rejected syntax', 'threw', '({'],
      ['a thrown string', 'threw', `throw 'so'`],
      ['thrown nothing', 'threw', 'throw undefined'],
      ['a thrown symbol', 'threw', `throw Symbol('x')`],
      ['a thrown function', 'threw', 'throw () => 1'],
      ['a thrown proxy', 'threw', `throw new Proxy({}, { get() { throw new Error('trap') } })`],
      ['a cycle', 'threw', 'const o = {}; o.self = o; o'],
      ['a getter that throws', 'threw', `({ get x() { throw new Error('got') } })`],
      ['a revoked proxy', 'threw', 'const r = Proxy.revocable({}, {}); r.revoke(); [r.proxy]'],
    ];
    test.each(cases)('%s: %s', async (_, failure, code) => {
      expect((await failureOf(code)).failure).toBe(failure);
      expect(await run('1 + 1')).toBe(2);
    });

    test('what remains of strange values is plain data', async () => {
      const code = `({ get x() { return 1 }, f: () => 1, s: Symbol('x'), u: undefined, n: NaN, d: new Date(0),
        p: new Proxy({ a: 1 }, { get: (t, k) => k === 'a' ? 2 : t[k] }), m: new Map([[1, 2]]), ['__pro' + 'to__x']: 1 })`;
      expect(await run(code)).toEqual({
        x: 1,
        n: null,
        d: '1970-01-01T00:00:00.000Z',
        p: { a: 2 },
        m: {},
        __proto__x: 1,
      });
    });

    test('promises that would loop never run', async () => {
      expect(await run(`Promise.resolve().then(() => { for (;;); }); 'answered'`)).toBe('answered');
      expect(await run(`(async () => { await null; for (;;); })(); 'answered'`)).toBe('answered');
    });
  });

  describe('hostile errors', () => {
    test.each([
      [`throw { get message() { for (;;); } }`, 'deadline'],
      [
        `throw { get message() { throw new Error('again') }, get stack() { throw 1 }, get name() { throw 2 } }`,
        'threw',
      ],
      [`throw { message: { toString() { for (;;); } }, name: 1, stack: [] }`, 'threw'],
      [`const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { throw e } }); throw e`, 'threw'],
      [`Error.prepareStackTrace = () => { for (;;); }; throw new Error('x')`, 'deadline'],
    ] as const)('%s', async (code, failure) => {
      expect((await failureOf(code)).failure).toBe(failure);
    });

    test('long texts are cut', async () => {
      const error = await failureOf(
        `throw Object.assign(new Error('m'.repeat(50_000)), { stack: 's'.repeat(5_000_000) })`,
      );
      expect(error.message.length).toBeLessThan(10_000);
      expect(error.guestStack?.length).toBeLessThan(10_000);
    });

    test('nothing in them steers a terminal', async () => {
      const error = await failureOf(`throw new Error('\\u001b[2Jred\\u202e\\r\\u009b1m\\n\\tnext')`);
      expect(error.message).toBe('\ufffd[2Jred\ufffd\ufffd\ufffd1m\n\tnext');
    });

    test('a forged failure only mislabels itself', async () => {
      const error = await failureOf(`throw Object.assign(new Error('out of memory'), { name: 'InternalError' })`);
      expect(error.failure).toBe('memory');
      expect(error.bundle).toBe('hostile');
    });

    test('the stack names the bundle and nothing of the machine', async () => {
      const { guestStack } = await failureOf(`throw new Error('x')`);
      expect(guestStack).toContain('bundle.js');
      expect(guestStack).not.toMatch(/node|file:|\/.*\//);
    });
  });

  describe('the kernel stays clean', () => {
    test('parameters with __proto__ reach no prototype, here or there', async () => {
      const input = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as unknown;
      const code = `const copy = {}; for (const k in input) copy[k] = input[k]; Object.assign({}, input); [({}).polluted ?? null]`;
      expect(await run(code, input)).toEqual([null]);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    test('answers carry constructor and prototype as plain keys', async () => {
      const answer = (await run(`raw('{"constructor":{"prototype":{"polluted":1}}}')`)) as object;
      expect(Object.keys(answer)).toEqual(['constructor']);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    test('a request that cannot be sent is refused before it is', async () => {
      await expect(sandbox.call('hostile', { code: '1', input: 'x'.repeat(2 * 1024 * 1024) })).rejects.toMatchObject({
        failure: 'bad-answer',
      });
      await expect(sandbox.call('hostile', undefined)).rejects.toMatchObject({ failure: 'bad-answer' });
    });

    test('text of every kind arrives as it was sent', async () => {
      const input = 'a\u0000b\u2028é漢😀\ud800"\\</script>';
      expect(await run('input', input)).toBe(input);
      const long = 'é漢😀'.repeat(50_000);
      expect(await run('input', long)).toBe(long);
    });
  });
});
