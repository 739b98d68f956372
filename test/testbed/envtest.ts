/** The public envtest archives: etcd, kube-apiserver and kubectl, built by the Kubernetes project. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { runCommand } from './command.ts';

const INDEX = 'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml';

interface EnvtestIndex {
  releases?: Record<string, Record<string, { hash?: string; selfLink?: string }>>;
}

export interface EnvtestSource {
  /** Address of the index; default the public one. */
  index?: string;
  /** Milliseconds to wait for a first answer. Default 5 s. */
  answerMs?: number;
  /** Milliseconds that the archive may take as a whole. Default 5 min. */
  downloadMs?: number;
}

function platform(): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return `${process.platform}-${arch}`;
}

/** Fetches, giving up early when nobody answers and late when the body is slow. */
async function fetchBytes(url: string, answerMs: number, downloadMs: number): Promise<Buffer> {
  const answered = new AbortController();
  const timer = setTimeout(
    () => answered.abort(new Error(`no answer from ${new URL(url).host} in ${answerMs} ms`)),
    answerMs,
  );
  const response = await fetch(url, { signal: AbortSignal.any([answered.signal, AbortSignal.timeout(downloadMs)]) });
  clearTimeout(timer);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.replace(/^v/, '').split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Downloads the newest envtest archive of a minor version (`1.36`), checks it against the SHA-512 of the index and
 * puts its binaries into `folder`, which must exist. Returns the version. Rejects with one sentence that says why not.
 */
export async function downloadEnvtest(minor: string, folder: string, source: EnvtestSource = {}): Promise<string> {
  const { index = INDEX, answerMs = 5_000, downloadMs = 300_000 } = source;
  const text = (await fetchBytes(index, answerMs, answerMs * 2)).toString('utf8');
  const releases = (parse(text) as EnvtestIndex | null)?.releases ?? {};
  const version = Object.keys(releases)
    .filter((name) => name.startsWith(`v${minor}.`) && /^v[\d.]+$/.test(name))
    .sort(compareVersions)
    .at(-1);
  if (!version) throw new Error(`envtest has no release of Kubernetes ${minor}`);
  const archive = releases[version]?.[`envtest-${version}-${platform()}.tar.gz`];
  if (!archive?.selfLink || !archive.hash) throw new Error(`envtest ${version} has nothing for ${platform()}`);

  const bytes = await fetchBytes(archive.selfLink, answerMs, downloadMs);
  const hash = createHash('sha512').update(bytes).digest('hex');
  if (hash !== archive.hash) throw new Error(`the envtest archive ${version} does not match its checksum`);

  const scratch = await mkdtemp(join(folder, '.envtest-'));
  try {
    const file = join(scratch, 'archive.tar.gz');
    await writeFile(file, bytes);
    const tar = await runCommand('tar', ['-xzf', file, '-C', scratch, '--strip-components=2']);
    if (tar.code !== 0) throw new Error(`tar cannot unpack the envtest archive: ${tar.stderr.trim()}`);
    await rm(file);
    for (const name of await readdir(scratch)) await rename(join(scratch, name), join(folder, name));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return version;
}
