import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BinariesMissing, ensureBinaries } from './binaries.ts';
import { TOOLS } from './catalogue.ts';
import { runCommand } from './command.ts';

let folder: string;
const servers: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-binaries-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true, force: true });
});

/** A program that answers any arguments with a version. */
async function fake(path: string, version: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho "tool v${version}"\n`);
  await chmod(path, 0o755);
}

/** An environment with nothing on it but a shell and what is given. */
function env(more: Record<string, string> = {}): Record<string, string | undefined> {
  return { HOME: folder, PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache'), ...more };
}

/** Serves paths on loopback; the source of a pretended envtest download. */
async function serve(paths: Record<string, Buffer | string>): Promise<string> {
  const server = createServer((request, response) => {
    const found = paths[request.url ?? ''];
    response.statusCode = found === undefined ? 404 : 200;
    response.end(found);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An envtest archive with the three binaries that the real one has. */
async function archive(version: string): Promise<Buffer> {
  const base = join(folder, 'archive');
  for (const name of ['kube-apiserver', 'kubectl', 'etcd']) {
    await fake(join(base, 'controller-tools', 'envtest', name), name === 'etcd' ? '3.6.0' : version);
  }
  const file = join(folder, 'archive.tgz');
  const tar = await runCommand('tar', ['-czf', file, '-C', base, 'controller-tools']);
  expect(tar.code).toBe(0);
  return readFile(file);
}

const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
const minor = TOOLS['kube-apiserver'].wants;
const refused = { envtest: { index: 'http://127.0.0.1:9/none.yaml', answerMs: 500 } };

test('KUBEBUILDER_ASSETS comes before PATH, PATH before the cache', async () => {
  const assets = join(folder, 'assets');
  const cached = join(folder, 'cache', 'lateen', 'testbed', 'kwok-0.8.0', 'kwok');
  await fake(join(assets, 'kwok'), '0.9.0');
  await fake(join(folder, 'bin', 'kwok'), '0.8.1');
  await fake(cached, '0.8.0');
  const all = await ensureBinaries(['kwok'], { env: env({ KUBEBUILDER_ASSETS: assets }), ...refused });
  expect(all.kwok).toMatchObject({ source: 'KUBEBUILDER_ASSETS', version: '0.9.0' });
  const path = await ensureBinaries(['kwok'], { env: env(), ...refused });
  expect(path.kwok).toMatchObject({ source: 'PATH', version: '0.8.1' });
  await rm(join(folder, 'bin', 'kwok'));
  const cache = await ensureBinaries(['kwok'], { env: env(), ...refused });
  expect(cache.kwok).toMatchObject({ source: 'cache', path: cached });
});

test('a binary of another minor version on PATH does not do', async () => {
  await fake(join(folder, 'bin', 'kubectl'), '1.20.3');
  const failed = await ensureBinaries(['kubectl'], { env: env(), ...refused }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(BinariesMissing);
  expect((failed as Error).message).toContain(`kubectl is v1.20.3, ${minor} is wanted`);
});

test('an etcd that is too old for streaming lists does not do', async () => {
  await fake(join(folder, 'bin', 'etcd'), '3.4.23');
  await expect(ensureBinaries(['etcd'], { env: env(), ...refused })).rejects.toThrow('etcd is v3.4.23');
  await fake(join(folder, 'bin', 'etcd'), '3.4.25');
  expect((await ensureBinaries(['etcd'], { env: env(), ...refused })).etcd.version).toBe('3.4.25');
});

test('without any source the error lists what was tried and what to do', async () => {
  const failed = await ensureBinaries(['kube-apiserver', 'kwok'], { env: env(), ...refused }).catch(
    (error: unknown) => error,
  );
  expect(failed).toBeInstanceOf(BinariesMissing);
  const { message, missing } = failed as BinariesMissing;
  expect(missing).toEqual(['kube-apiserver', 'kwok']);
  for (const part of [
    'KUBEBUILDER_ASSETS is not set',
    'PATH: has no kwok',
    'envtest download:',
    'no Go toolchain',
    'install Go',
  ]) {
    expect(message).toContain(part);
  }
});

test('the envtest archive of the newest patch version fills the cache', async () => {
  const version = `${minor}.9`;
  const bytes = await archive(version.slice(1));
  const name = `envtest-${version}-${platform}.tar.gz`;
  const url = await serve({ '/archive.tgz': bytes });
  const index = await serve({
    '/index.yaml': JSON.stringify({
      releases: {
        [`${minor}.2`]: { [`envtest-${minor}.2-${platform}.tar.gz`]: { hash: 'x', selfLink: `${url}/old.tgz` } },
        [version]: {
          [name]: { hash: createHash('sha512').update(bytes).digest('hex'), selfLink: `${url}/archive.tgz` },
        },
      },
    }),
  });
  const found = await ensureBinaries(['kube-apiserver', 'etcd'], {
    env: env({ PATH: `${folder}/bin:/usr/bin:/bin` }),
    envtest: { index: `${index}/index.yaml` },
  });
  expect(found['kube-apiserver'].source).toBe('cache');
  const cache = join(folder, 'cache', 'lateen', 'testbed');
  expect((await readdir(cache)).filter((entry) => entry.startsWith('.'))).toEqual([]);
});

test('an envtest archive that does not match its checksum is not used', async () => {
  const version = `${minor}.9`;
  const url = await serve({ '/archive.tgz': 'something else' });
  const index = await serve({
    '/index.yaml': JSON.stringify({
      releases: {
        [version]: { [`envtest-${version}-${platform}.tar.gz`]: { hash: 'abc', selfLink: `${url}/archive.tgz` } },
      },
    }),
  });
  const failed = ensureBinaries(['kubectl'], { env: env(), envtest: { index: `${index}/index.yaml` } });
  await expect(failed).rejects.toThrow('does not match its checksum');
});

test('the Go toolchain is the last source, asked once for all tools of a module', async () => {
  const log = join(folder, 'go.log');
  await mkdir(join(folder, 'bin'));
  await writeFile(
    join(folder, 'bin', 'go'),
    // Stands in for `go build … -o FILE PACKAGE`.
    `#!/bin/sh\nPATH=/usr/bin:/bin\necho "$(pwd) $*" >> ${log}\n[ "$1" = version ] && exit 0\nwhile [ "$1" != -o ]; do shift; done\nprintf '#!/bin/sh\\necho v1.0.0\\n' > "$2"; chmod +x "$2"\n`,
  );
  await chmod(join(folder, 'bin', 'go'), 0o755);
  const modules = join(folder, 'modules');
  await mkdir(join(modules, 'kubernetes'), { recursive: true });
  const found = await ensureBinaries(['kube-scheduler', 'kubectl'], { env: env(), modules, ...refused });
  expect(found.kubectl.source).toBe('cache');
  const builds = (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes(' build '));
  expect(builds).toHaveLength(2);
  expect(builds[0]).toContain('k8s.io/kubernetes/cmd/kube-scheduler');
  expect(builds[0]).toContain('gitVersion=v');
});

test('two that ask at once build once', async () => {
  const log = join(folder, 'go.log');
  await mkdir(join(folder, 'bin'));
  await writeFile(
    join(folder, 'bin', 'go'),
    `#!/bin/sh\nPATH=/usr/bin:/bin\n[ "$1" = version ] && exit 0\necho build >> ${log}\nwhile [ "$1" != -o ]; do shift; done\nsleep 0.3\nprintf '#!/bin/sh\\necho v1.0.0\\n' > "$2"; chmod +x "$2"\n`,
  );
  await chmod(join(folder, 'bin', 'go'), 0o755);
  const modules = join(folder, 'modules');
  await mkdir(join(modules, 'kwok'), { recursive: true });
  const ask = (): Promise<unknown> => ensureBinaries(['kwok'], { env: env(), modules, ...refused });
  await Promise.all([ask(), ask(), ask()]);
  expect(await readFile(log, 'utf8')).toBe('build\n');
});

test('a lock whose owner died is broken', async () => {
  const cache = join(folder, 'cache', 'lateen', 'testbed');
  await mkdir(cache, { recursive: true });
  const dead = await runCommand('sh', ['-c', 'echo $$']);
  await writeFile(join(cache, 'lock'), dead.stdout.trim());
  await expect(ensureBinaries(['kwok'], { env: env(), ...refused })).rejects.toThrow(BinariesMissing);
  expect(await readdir(cache)).not.toContain('lock');
});
