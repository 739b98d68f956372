/**
 * What the sandbox costs. `npx node test/bench/sandbox.ts`: latency and throughput of one component's render, memory
 * by number of addons, start times, and how long a hang lasts. Prints a table; the targets stand beside the figures.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInlineSandbox, createSandbox, folderImageStore } from '../../kernel/sandbox/index.ts';
import { UNINTERRUPTIBLE } from '../../kernel/sandbox/testing/bundle.ts';

const request = {
  method: 'render',
  kind: 'component',
  name: 'service',
  parameters: {
    image: 'registry.example.com/team/shop-frontend:1.24.3',
    imagePullPolicy: 'IfNotPresent',
    imagePullSecrets: ['registry'],
    labels: { team: 'shop', tier: 'frontend' },
    annotations: { 'example.com/owner': 'shop@example.com' },
    cmd: ['node', 'server.js'],
    args: ['--port', '8080', '--verbose'],
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'REGION', value: 'eu-central-1' },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'shop', key: 'token' } } },
    ],
    cpu: '500m',
    memory: '512Mi',
    ports: [
      { port: 8080, name: 'http', protocol: 'TCP', expose: true },
      { port: 9090, protocol: 'TCP', expose: true },
    ],
    exposeType: 'ClusterIP',
    livenessProbe: {
      httpGet: { path: '/healthz', port: 8080 },
      initialDelaySeconds: 5,
      periodSeconds: 10,
      timeoutSeconds: 1,
      successThreshold: 1,
      failureThreshold: 3,
    },
    readinessProbe: {
      httpGet: { path: '/ready', port: 8080 },
      initialDelaySeconds: 0,
      periodSeconds: 10,
      timeoutSeconds: 1,
      successThreshold: 1,
      failureThreshold: 3,
    },
    volumeMounts: {
      pvc: [{ name: 'data', mountPath: '/data', claimName: 'shop-data' }],
      configMap: [{ name: 'settings', mountPath: '/etc/shop', cmName: 'shop-settings' }],
    },
  },
  context: {
    name: 'frontend',
    namespace: 'shop',
    appName: 'shop',
    appRevision: 'shop-v1',
    appRevisionNum: 1,
    revision: '0123456789abcdef',
    appLabels: {},
    appAnnotations: {},
    cluster: 'local',
    clusterVersion: { major: 1, minor: 36 },
  },
};

const row = (what: string, figure: string, target = '') =>
  console.log(`${what.padEnd(46)} ${figure.padEnd(34)} ${target}`);
const at = (sorted: number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
const us = (ms: number) => `${Math.round(ms * 1000)} µs`;

const self = fileURLToPath(import.meta.url);

/** Child processes get the bundle on standard input: building it would warm what they measure. */
async function bundle(): Promise<string> {
  const { buildAddon } = await import('../../kernel/addons/build/index.ts');
  const { files } = await buildAddon(fileURLToPath(new URL('./sandbox-addon', import.meta.url)));
  return new TextDecoder().decode(files.find(({ path }) => path === 'bundle.js')?.data);
}
const [mode, ...args] = process.argv.slice(2);
const code = mode === undefined ? await bundle() : mode === '--memory' ? readFileSync(0, 'utf8') : '';

async function latency(create: typeof createSandbox, rounds: number): Promise<string> {
  const sandbox = create();
  sandbox.load('bench', code);
  for (let round = 0; round < 500; round++) await sandbox.call('bench', request);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    await sandbox.call('bench', request);
    times.push(performance.now() - from);
  }
  await sandbox.close();
  times.sort((a, b) => a - b);
  return `p50 ${us(at(times, 0.5))}, p99 ${us(at(times, 0.99))}`;
}

async function throughput(bundles: number, calls: number): Promise<string> {
  const sandbox = createSandbox();
  for (let index = 0; index < bundles; index++) sandbox.load(`bench${index}`, code);
  const all = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => sandbox.call(`bench${index % bundles}`, request)));
  await all(1000);
  const from = performance.now();
  await all(calls);
  const seconds = (performance.now() - from) / 1000;
  await sandbox.close();
  return `${Math.round(calls / seconds)} renders/s`;
}

/** In a process of its own: resident memory with N addons that have each rendered, over that with none. */
async function memory(bundles: number): Promise<void> {
  const sandbox = createSandbox();
  for (let index = 0; index < bundles; index++) sandbox.load(`bench${index}`, code);
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: bundles }, (_, index) => sandbox.call(`bench${index}`, request)));
  }
  globalThis.gc?.();
  console.log(process.memoryUsage().rss);
  await sandbox.close();
}

function rssOf(bundles: number): number {
  const child = spawnSync(process.execPath, ['--expose-gc', self, '--memory', String(bundles)], {
    encoding: 'utf8',
    input: code,
  });
  return Number(child.stdout.trim()) / 1024 / 1024;
}

/** In a process of its own, from the first line of the sandbox's code that runs. */
async function firstAnswer(form: string, images: string | undefined): Promise<void> {
  const from = performance.now();
  const options = images === undefined ? {} : { images: folderImageStore(images) };
  const sandbox = form === 'worker' ? createSandbox(options) : createInlineSandbox(options);
  sandbox.load('bench', readFileSync(0, 'utf8'));
  await sandbox.call('bench', request);
  console.log(performance.now() - from);
  await sandbox.close();
}

function firstAnswerOf(form: string, images?: string): string {
  const times = Array.from({ length: 7 }, () => {
    const args = [...process.execArgv, self, '--first', form, ...(images === undefined ? [] : [images])];
    return Number(spawnSync(process.execPath, args, { encoding: 'utf8', input: code }).stdout);
  });
  return `${at(
    times.sort((a, b) => a - b),
    0.5,
  ).toFixed(1)} ms`;
}

async function hang(): Promise<void> {
  const sandbox = createSandbox();
  sandbox.load('guilty', `globalThis.lateen = { call: () => String(${UNINTERRUPTIBLE}) }`);
  for (let index = 0; index < 49; index++) sandbox.load(`bench${index}`, code);
  const all = () => Promise.all(Array.from({ length: 49 }, (_, index) => sandbox.call(`bench${index}`, request)));
  await all();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  const from = performance.now();
  const guilty = sandbox.call('guilty', {}).catch(() => performance.now() - from);
  const others = all().then(() => performance.now() - from);
  const [ended, recovered] = await Promise.all([guilty, others]);
  clearInterval(timer);
  row('hang ended (49 other addons loaded)', `${Math.round(Number(ended))} ms`, '< 1000 ms');
  row('all 49 addons have rendered again', `${Math.round(recovered)} ms after the hang began`);
  row('turns of a 10 ms timer meanwhile', `${ticks} of ${Math.floor(recovered / 10)}`);
  await sandbox.close();
}

if (mode === '--memory') {
  await memory(Number(args[0]));
} else if (mode === '--first') {
  await firstAnswer(args[0] ?? '', args[1]);
} else {
  const images = mkdtempSync(join(tmpdir(), 'lateen-bench-'));
  row('request, bundle', `${JSON.stringify(request).length} B, ${code.length} B`);
  row('first answer, in the calling thread', firstAnswerOf('inline'), 'part of a 150 ms process');
  row('first answer, in the calling thread, image kept', firstAnswerOf('inline', images), 'part of a 150 ms process');
  row('first answer, in a worker', firstAnswerOf('worker'));
  row('first answer, in a worker, image kept', firstAnswerOf('worker', images));
  rmSync(images, { recursive: true });
  row('one render, in a worker', await latency(createSandbox, 5000), 'p50 <= 300 µs');
  row('one render, in the calling thread', await latency(createInlineSandbox, 5000));
  row('renders, pipelined, 1 addon', await throughput(1, 20_000));
  row('renders, pipelined, 50 addons', await throughput(50, 20_000));
  const [none, one, ten, fifty] = [0, 1, 10, 50].map(rssOf) as [number, number, number, number];
  row('resident memory, no addon', `${none.toFixed(1)} MB`);
  row('resident memory, 1 addon', `+${(one - none).toFixed(1)} MB`);
  row(
    'resident memory, 10 addons',
    `+${(ten - none).toFixed(1)} MB, ${((ten - one) / 9).toFixed(2)} MB each`,
    '<= 2 MB each',
  );
  row(
    'resident memory, 50 addons',
    `+${(fifty - none).toFixed(1)} MB, ${((fifty - one) / 49).toFixed(2)} MB each`,
    '<= 2 MB each',
  );
  await hang();
}
