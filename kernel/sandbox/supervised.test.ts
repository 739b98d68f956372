/** The watchdog: who hangs is ended and told so, all others get their answers. */
import { afterEach, describe, expect, test } from 'vitest';
import { createSandbox, type Sandbox, SandboxError, type SandboxOptions } from './index.ts';
import { EVALUATING_BUNDLE, UNINTERRUPTIBLE } from './testing/bundle.ts';

const QUICK = { deadlineMs: 20, hangMs: 150 };
const open: Sandbox[] = [];

function sandboxOf(ids: string[], options: SandboxOptions = {}): Sandbox {
  const sandbox = createSandbox(options);
  open.push(sandbox);
  for (const id of ids) sandbox.load(id, EVALUATING_BUNDLE, QUICK);
  return sandbox;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
});

const outcome = (call: Promise<unknown>) =>
  call.catch((error: unknown) => (error instanceof SandboxError ? error.failure : error));

describe('a call that cannot be interrupted', () => {
  test('is ended; calls around it, of any bundle, are answered as if nothing had been', async () => {
    const sandbox = sandboxOf(['guilty', 'a', 'b']);
    const calls = Array.from({ length: 60 }, (_, index) =>
      outcome(sandbox.call(index % 2 ? 'a' : 'b', { code: `${index}` })),
    );
    const guilty = outcome(sandbox.call('guilty', { code: UNINTERRUPTIBLE }));
    const more = Array.from({ length: 60 }, (_, index) =>
      outcome(sandbox.call(index % 2 ? 'a' : 'guilty', { code: `${index}` })),
    );
    expect(await guilty).toBe('hung');
    const expected = Array.from({ length: 60 }, (_, index) => index);
    expect(await Promise.all(calls)).toEqual(expected);
    expect(await Promise.all(more)).toEqual(expected);
    expect((await sandbox.stats()).restarts).toBe(1);
  });

  test('leaves the kernel’s own loop running', async () => {
    const sandbox = sandboxOf(['guilty']);
    let turns = 0;
    const timer = setInterval(() => turns++, 5);
    expect(await outcome(sandbox.call('guilty', { code: UNINTERRUPTIBLE }))).toBe('hung');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  test('is ended also while a bundle loads', async () => {
    const sandbox = sandboxOf(['innocent']);
    sandbox.load('guilty', UNINTERRUPTIBLE, QUICK);
    const guilty = outcome(sandbox.call('guilty', {}));
    const innocent = sandbox.call('innocent', { code: '1' });
    expect(await guilty).toBe('hung');
    expect(await innocent).toBe(1);
  });

  test('is ended also when it hides in an error’s getter', async () => {
    const sandbox = sandboxOf(['guilty']);
    expect(await outcome(sandbox.call('guilty', { code: `throw { get message() { ${UNINTERRUPTIBLE} } }` }))).toBe(
      'hung',
    );
  });

  test('that hangs again and again is held back, and only its bundle', async () => {
    const sandbox = sandboxOf(['guilty', 'innocent']);
    expect(await outcome(sandbox.call('guilty', { code: UNINTERRUPTIBLE }))).toBe('hung');
    expect(await sandbox.call('guilty', { code: '1' })).toBe(1);
    const second = outcome(sandbox.call('guilty', { code: UNINTERRUPTIBLE }));
    const waiting = Array.from({ length: 40 }, () => outcome(sandbox.call('guilty', { code: '1' })));
    expect(await second).toBe('hung');
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['hung']));
    const restarts = (await sandbox.stats()).restarts;
    await expect(sandbox.call('guilty', { code: '1' })).rejects.toThrow(/hung 2 times; not called again for/);
    expect((await sandbox.stats()).restarts).toBe(restarts);
    expect(await sandbox.call('innocent', { code: '1' })).toBe(1);
  });
});

test('a call that is ended by its deadline ends no worker', async () => {
  const sandbox = sandboxOf(['a']);
  expect(await outcome(sandbox.call('a', { code: 'for (;;);' }))).toBe('deadline');
  expect((await sandbox.stats()).restarts).toBe(0);
});

test('a bundle with few calls is served between those of one with many', async () => {
  const sandbox = sandboxOf(['busy', 'quiet']);
  const order: string[] = [];
  const busy = Array.from({ length: 500 }, () => sandbox.call('busy', { code: '1' }).then(() => order.push('busy')));
  const quiet = sandbox.call('quiet', { code: '1' }).then(() => order.push('quiet'));
  await Promise.all([...busy, quiet]);
  expect(order.indexOf('quiet')).toBeLessThan(100);
});

test('closing answers what is owed', async () => {
  const sandbox = sandboxOf(['a']);
  const calls = Array.from({ length: 100 }, () => outcome(sandbox.call('a', { code: 'for (;;);' })));
  await sandbox.close();
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['closed']));
});

test('unloading answers what is queued', async () => {
  const sandbox = sandboxOf(['a']);
  const calls = Array.from({ length: 100 }, () => outcome(sandbox.call('a', { code: '1' })));
  sandbox.unload('a');
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['closed']));
});

test('a worker that cannot start is given up, with the reason', async () => {
  const sandbox = sandboxOf(['a'], { workerUrl: new URL('data:text/javascript,throw new Error("no such worker")') });
  await expect(sandbox.call('a', { code: '1' })).rejects.toThrow(/no such worker/);
});
