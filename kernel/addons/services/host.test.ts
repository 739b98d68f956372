/** A service is a process of its own: what it is given, how it is spoken to, how it ends. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JsonObject, LateenError } from '@lateen/schemas';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../cluster/clock.ts';
import { buildAddon } from '../build/index.ts';
import { type Service, type ServiceExit, type StartServiceOptions, startService } from './index.ts';

/**
 * A service that does as its options say. It is written as an addon's author would write it, and built.
 * `clusterProvider.start` carries the orders, for that is what the contract has.
 */
const SERVICE = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { defineService, LateenError } from 'lateen/sdk/service';
export default defineService({
  clusterProvider: {
    async start({ dataDir, options }, { signal }) {
      const answer = (value: unknown) => ({ kubeconfig: JSON.stringify(value), url: '' });
      switch (options.order) {
        case 'environment': return answer({ env: process.env, cwd: process.cwd(), argv: process.argv.length, pid: process.pid });
        case 'echo': return answer(options);
        case 'print': console.log('out: ' + options.text); console.error('err: ' + options.text); return answer(null);
        case 'throw': throw new Error('it broke');
        case 'fault': throw new LateenError({ code: 'LTN804', severity: 'error', message: 'in use', path: 'a' });
        case 'exit': console.error('last words'); process.exit(3);
        case 'loop': for (;;);
        case 'wait': return await new Promise((_, reject) => {
          writeFileSync(dataDir + '/waiting', '');
          signal.addEventListener('abort', () => {
            writeFileSync(dataDir + '/cancelled', String(signal.reason));
            reject(signal.reason);
          });
        });
        case 'child': {
          const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
          return answer(child.pid);
        }
        case 'flood': for (let i = 0; i < 1000; i++) console.log('x'.repeat(10_000)); return answer('done');
        case 'large': return answer('x'.repeat(1_000_000));
        default: return answer(null);
      }
    },
    async stop() {
      console.log('stopping');
    },
  },
});
`;

let root: string;
let entry: Uint8Array;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lateen-host-'));
  await mkdir(join(root, 'addon'));
  await writeFile(
    join(root, 'addon/addon.yaml'),
    `name: thing\nversion: 1.0.0\ndescription: A thing.\nengines: {kernel: '*'}\nservices: {api: {entry: api.ts, contributes: [clusterProvider]}}\n`,
  );
  await writeFile(join(root, 'addon/api.ts'), SERVICE);
  const { files } = await buildAddon(join(root, 'addon'));
  entry = files.find(({ path }) => path === 'services/api.mjs')?.data as Uint8Array;
});
afterAll(() => rm(root, { recursive: true, force: true }));

const open: Service[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((service) => service.stop()));
});

async function start(options: Partial<StartServiceOptions> = {}): Promise<Service> {
  const service = await startService({ name: 'thing/api', entry, ...options });
  open.push(service);
  return service;
}

const order = (service: Service, options: JsonObject, more: object = {}) =>
  service.call('clusterProvider.start', { dataDir: root, port: 0, options }, more);
const answered = async (call: Promise<unknown>) =>
  JSON.parse(((await call) as { kubeconfig: string }).kubeconfig) as unknown;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const exists = (path: string) =>
  readFile(path).then(
    () => true,
    () => false,
  );

describe('a service', () => {
  test('says what it contributes and answers calls, many at once', async () => {
    const service = await start();
    expect(service.contributes).toEqual(['clusterProvider']);
    const answers = await Promise.all([1, 2, 3].map((n) => answered(order(service, { order: 'echo', n }))));
    expect(answers).toEqual([1, 2, 3].map((n) => ({ order: 'echo', n })));
    expect(await answered(order(service, { order: 'large' }))).toHaveLength(1_000_000);
  });

  test('inherits nothing', async () => {
    process.env.LATEEN_TEST_SECRET = 'secret';
    const service = await start({ env: { GIVEN: 'yes' } });
    delete process.env.LATEEN_TEST_SECRET;
    const seen = (await answered(order(service, { order: 'environment' }))) as {
      env: object;
      cwd: string;
      pid: number;
    };
    expect(seen.env).toEqual({ GIVEN: 'yes' });
    expect(seen.cwd).not.toBe(process.cwd());
    expect(seen.pid).toBe(service.pid);
  });

  test('is heard when it prints; endless output is cut', async () => {
    const lines: string[] = [];
    const service = await start({ log: (line) => lines.push(line) });
    await order(service, { order: 'print', text: 'hello\u001b[31m' });
    await order(service, { order: 'flood' });
    await service.stop();
    expect(lines).toContain('out: hello[31m');
    expect(lines).toContain('err: hello[31m');
    expect(lines).toContain('stopping');
    expect(Math.max(...lines.map((line) => line.length))).toBe(4096);
  });
});

describe('errors', () => {
  test('of the service are told with its name', async () => {
    const service = await start();
    await expect(order(service, { order: 'throw' })).rejects.toThrow(
      'LTN509: clusterProvider.start of service "thing/api" failed: it broke',
    );
  });

  test('that are faults stay what they are', async () => {
    const service = await start();
    const error = (await order(service, { order: 'fault' }).catch((error: unknown) => error)) as LateenError;
    expect(error).toBeInstanceOf(LateenError);
    expect(error.faults).toEqual([{ code: 'LTN804', severity: 'error', message: 'in use', path: 'a' }]);
  });

  test.each([
    'clusterProvider.nothing',
    'clusterProvider.constructor',
    'nothing.start',
    'constructor.name',
    'start',
    'clusterProvider.start.call',
  ])('a call of %s is refused', async (method) => {
    const service = await start();
    await expect(service.call(method, null)).rejects.toThrow(`does not offer "${method}"`);
  });
});

describe('cancelling', () => {
  test('ends the call here and reaches the service', async () => {
    const service = await start();
    const abort = new AbortController();
    const call = order(service, { order: 'wait' }, { signal: abort.signal });
    await until(() => exists(join(root, 'waiting')));
    abort.abort(new Error('no longer needed'));
    await expect(call).rejects.toThrow('no longer needed');
    await until(() => exists(join(root, 'cancelled')));
    expect(await answered(order(service, { order: 'echo' }))).toEqual({ order: 'echo' });
  });

  test('a call that was cancelled before is not made', async () => {
    const service = await start();
    await expect(
      order(service, { order: 'exit' }, { signal: AbortSignal.abort(new Error('too late')) }),
    ).rejects.toThrow('too late');
    expect(await answered(order(service, { order: 'echo' }))).toEqual({ order: 'echo' });
  });

  test('a deadline ends the call', async () => {
    const clock = manualClock();
    const service = await start({ clock });
    const call = order(service, { order: 'wait' }, { deadlineMs: 60_000 });
    const failed = expect(call).rejects.toThrow('clusterProvider.start of service "thing/api" took longer than 60 s');
    await until(() => clock.pending() === 1);
    clock.advance(60_000);
    await failed;
  });

  test('a service that hangs is told from one that works long', async () => {
    const clock = manualClock();
    const service = await start({ clock });
    void order(service, { order: 'loop' }).catch(() => undefined);
    await until(() => clock.pending() === 1);
    const second = order(service, { order: 'echo' });
    const failed = expect(second).rejects.toThrow('does not react to clusterProvider.start: it hangs');
    clock.advance(10_000);
    await failed;
    const stopped = service.stop();
    clock.advance(5_000);
    await stopped;
    expect(isAlive(service.pid)).toBe(false);
  });
});

describe('ending', () => {
  test('stops the service in order, and takes its folder away', async () => {
    const service = await start();
    const { cwd } = (await answered(order(service, { order: 'environment' }))) as { cwd: string };
    const exits: ServiceExit[] = [];
    service.onExit((exit) => exits.push(exit));
    await service.stop();
    expect(exits).toEqual([{ code: 0, signal: null, expected: true, output: 'stopping\n' }]);
    await expect(readFile(join(cwd, 'service.mjs'))).rejects.toThrow('ENOENT');
    await expect(order(service, { order: 'echo' })).rejects.toThrow('service "thing/api" ended with code 0');
    await service.stop();
  });

  test('takes the processes with it that the service started', async () => {
    const service = await start();
    const child = (await answered(order(service, { order: 'child' }))) as number;
    expect(isAlive(child)).toBe(true);
    await service.stop();
    await until(() => !isAlive(child));
  });

  test('by itself is told to those who wait and to those who listen', async () => {
    const service = await start();
    const exits: ServiceExit[] = [];
    service.onExit((exit) => exits.push(exit));
    const waiting = order(service, { order: 'wait' });
    const failed = expect(waiting).rejects.toThrow(
      /LTN509: service "thing\/api" ended with code 3; it printed: last words/,
    );
    await expect(order(service, { order: 'exit' })).rejects.toThrow('ended with code 3');
    await failed;
    expect(exits).toMatchObject([{ code: 3, expected: false, output: 'last words\n' }]);
    const late: ServiceExit[] = [];
    service.onExit((exit) => late.push(exit));
    expect(late).toEqual(exits);
  });

  test('of the kernel ends the service', async () => {
    const host = join(root, 'host.ts');
    await writeFile(join(root, 'service.mjs'), entry);
    await writeFile(
      host,
      `import { startService } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
const service = await startService({ name: 'orphan', entry: ${JSON.stringify(join(root, 'service.mjs'))} });
console.log(service.pid);
setInterval(() => {}, 1000);`,
    );
    const { spawn } = await import('node:child_process');
    const kernel = spawn(process.execPath, [host], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = Number(await new Promise((resolve) => kernel.stdout.once('data', resolve)));
    expect(isAlive(pid)).toBe(true);
    kernel.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });
});

describe('a service that cannot start', () => {
  test.each([
    [
      'throws',
      `throw new Error('no port');`,
      /LTN509: service "thing\/api" ended with code 1; it printed: [\s\S]*no port/,
    ],
    ['ends', 'process.exit(0);', /ended with code 0/],
    ['is no script', '({', /SyntaxError/],
    [
      'speaks another version',
      `import { Socket } from 'node:net';
       const s = new Socket({ fd: 3 }); const b = Buffer.from(JSON.stringify({ type: 'welcome', version: 9, contributes: [] }));
       const l = Buffer.alloc(4); l.writeUInt32BE(b.length); s.write(Buffer.concat([l, b])); s.resume();`,
      /speaks version 9 of the service contract \(this kernel speaks 1/,
    ],
    [
      'breaks the contract',
      `import { Socket } from 'node:net'; const s = new Socket({ fd: 3 }); s.write('hello, kernel, this is no frame'); s.resume();`,
      /ended by SIGKILL; it printed: a frame of 1751477356 bytes is too long/,
    ],
  ])('because it %s', async (_, code, message) => {
    await expect(start({ entry: new TextEncoder().encode(code) })).rejects.toThrow(message);
  });

  test('because it says nothing, is killed', async () => {
    const clock = manualClock();
    const starting = start({ entry: new TextEncoder().encode('setInterval(() => {}, 1000)'), clock });
    const failed = expect(starting).rejects.toThrow('did not start within 15 s');
    await until(() => clock.pending() === 1);
    clock.advance(15_000);
    await failed;
  });

  test('because its file is not there', async () => {
    await expect(start({ entry: join(root, 'nothing.mjs') })).rejects.toThrow(
      /LTN509: service "thing\/api" ended with code 1/,
    );
  });
});

/** A clock that stands until it is moved. */
function manualClock(): Clock & { advance(ms: number): void; pending(): number } {
  let now = 0;
  const timers = new Set<{ at: number; task: () => void }>();
  return {
    now: () => now,
    random: () => 0.5,
    sleep: () => Promise.reject(new Error('not used')),
    after(ms, task) {
      const timer = { at: now + ms, task };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pending: () => timers.size,
    advance(ms) {
      now += ms;
      for (const timer of [...timers]) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.task();
      }
    },
  };
}
