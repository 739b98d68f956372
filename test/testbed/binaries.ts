/** Finds the servers that the testbed starts, or makes them. */
import { constants } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { TOOL_NAMES, TOOLS, type Tool, type ToolName } from './catalogue.ts';
import { runCommand } from './command.ts';
import { downloadEnvtest, type EnvtestSource } from './envtest.ts';
import { withLock } from './lock.ts';

export interface FoundBinary {
  name: ToolName;
  path: string;
  version: string;
  /** Where it comes from. */
  source: 'KUBEBUILDER_ASSETS' | 'PATH' | 'cache';
}

export interface BinaryOptions {
  env?: Record<string, string | undefined>;
  /** Folder with one Go module for each bundle. Default: `go/` beside this file. */
  modules?: string;
  envtest?: EnvtestSource;
  /** Progress lines. */
  log?: (line: string) => void;
}

/** No source has a binary. The message says, tool by tool, what was tried and what to do. */
export class BinariesMissing extends Error {
  readonly missing: ToolName[];
  constructor(tried: Map<ToolName, string[]>) {
    const lines = ['The testbed cannot start: these binaries are to be had from none of the sources.'];
    for (const [name, attempts] of tried) {
      lines.push(`  ${name} ${TOOLS[name].wants}`, ...attempts.map((attempt) => `    - ${attempt}`));
    }
    lines.push(
      'What to do: install Go 1.26 or newer (go.dev/dl) and run again: the binaries are then built once, in about ten minutes;',
      'or set KUBEBUILDER_ASSETS to a folder that holds them.',
    );
    super(lines.join('\n'));
    this.name = 'BinariesMissing';
    this.missing = [...tried.keys()];
  }
}

type Env = Record<string, string | undefined>;

/** The folder that keeps built and downloaded binaries, outside the repository. */
export function cacheFolder(env: Env = process.env): string {
  const base = env.XDG_CACHE_HOME || join(env.HOME ?? homedir(), '.cache');
  return join(base, 'lateen', 'testbed');
}

function bundleFolder(tool: Tool, env: Env): string {
  return join(cacheFolder(env), `${tool.bundle}-${tool.version}`);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Version that a binary says it has, without the leading v; `undefined` when it says none. */
async function versionOf(path: string, tool: Tool): Promise<string | undefined> {
  // Away from the working folder and the user's own settings: a version wants neither.
  const result = await runCommand(path, tool.versionArgs, {
    timeoutMs: 20_000,
    cwd: tmpdir(),
    env: { KUBECONFIG: '/dev/null' },
  });
  return /\bv?(\d+\.\d+\.\d+\S*)/.exec(`${result.stdout}\n${result.stderr}`)?.[1];
}

/** Looks where a user may have put a binary. Notes in `tried` why one does not do. */
async function lookOnMachine(tool: Tool, env: Env, tried: string[]): Promise<FoundBinary | undefined> {
  const places: { source: FoundBinary['source']; folders: string[] }[] = [];
  if (env.KUBEBUILDER_ASSETS) places.push({ source: 'KUBEBUILDER_ASSETS', folders: [env.KUBEBUILDER_ASSETS] });
  else tried.push('KUBEBUILDER_ASSETS is not set');
  places.push({ source: 'PATH', folders: (env.PATH ?? '').split(delimiter).filter(Boolean) });
  places.push({ source: 'cache', folders: [bundleFolder(tool, env)] });
  for (const { source, folders } of places) {
    let seen = '';
    for (const folder of folders) {
      const path = join(folder, tool.name);
      if (!(await isExecutable(path))) continue;
      // The cache names its folders after versions and only ever receives whole files.
      const version = source === 'cache' ? tool.version : await versionOf(path, tool);
      if (version && tool.accepts(version)) return { name: tool.name, path, version, source };
      seen ||= `${source}: ${path} is ${version ? `v${version}` : 'not usable'}, ${tool.wants} is wanted`;
    }
    const where = source === 'cache' ? `cache ${folders[0]}` : source;
    tried.push(seen || `${where}: has no ${tool.name}`);
  }
  return undefined;
}

async function fromEnvtest(tools: Tool[], options: Required<BinaryOptions>): Promise<string | undefined> {
  const kubernetes = TOOLS['kube-apiserver'];
  const scratch = join(cacheFolder(options.env), `.envtest-${process.pid}`);
  try {
    await mkdir(scratch, { recursive: true });
    options.log('testbed: looking at the public envtest download');
    const version = await downloadEnvtest(kubernetes.wants.slice(1), scratch, options.envtest);
    for (const wanted of tools) {
      const folder = bundleFolder(wanted, options.env);
      await mkdir(folder, { recursive: true });
      await rename(join(scratch, wanted.name), join(folder, wanted.name));
    }
    options.log(`testbed: envtest ${version} downloaded`);
    return undefined;
  } catch (error) {
    const cause = (error as Error).cause;
    const detail = cause instanceof Error ? ` (${cause.message || (cause as NodeJS.ErrnoException).code})` : '';
    return `envtest download: ${(error as Error).message}${detail}`;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function fromDebian(tool: Tool, options: Required<BinaryOptions>): Promise<string | undefined> {
  if (!tool.debian) return 'Debian: has no package of it';
  if (process.getuid?.() !== 0) return `Debian: apt-get install ${tool.debian} needs root`;
  options.log(`testbed: apt-get install ${tool.debian}`);
  const env = { ...options.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = (): ReturnType<typeof runCommand> =>
    // A fresh package index is asked for only when the one at hand does not do. The package's service stays off.
    runCommand('apt-get', ['install', '-y', '--no-install-recommends', tool.debian ?? ''], {
      env: { ...env, RUNLEVEL: '1' },
      timeoutMs: 120_000,
    });
  let result = await install();
  if (result.code !== 0) {
    const update = await runCommand('apt-get', ['update'], { env, timeoutMs: 60_000 });
    if (update.code === 0) result = await install();
  }
  if (result.code === 0) return undefined;
  return `Debian: ${lastLine(result.stderr) || 'apt-get is not there'}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Builds the tools of one bundle; they share most of their packages, so one build of all is the cheapest. */
async function fromGo(tools: Tool[], options: Required<BinaryOptions>): Promise<string | undefined> {
  const [first] = tools;
  if (!first) return undefined;
  const go = await runCommand('go', ['version'], { env: options.env, timeoutMs: 20_000 });
  if (go.code !== 0) return 'Go: there is no Go toolchain on PATH';
  const folder = bundleFolder(first, options.env);
  const scratch = `${folder}.building-${process.pid}`;
  await mkdir(scratch, { recursive: true });
  const flags = ['build', '-trimpath'];
  if (first.bundle === 'kubernetes') {
    const [major, minor] = first.version.split('.');
    const set = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`;
    const version = [
      set('gitVersion', `v${first.version}`),
      set('gitMajor', major ?? ''),
      set('gitMinor', minor ?? ''),
    ];
    flags.push('-ldflags', ['-s', '-w', ...version].join(' '));
  } else if (first.bundle === 'kwok') {
    flags.push('-ldflags', `-s -w -X sigs.k8s.io/kwok/pkg/consts.Version=v${first.version}`);
  } else {
    flags.push('-ldflags', '-s -w');
  }
  try {
    for (const tool of tools) {
      options.log(`testbed: building ${tool.name} ${tool.version} with Go (minutes, once)`);
      const build = await runCommand('go', [...flags, '-o', join(scratch, tool.name), tool.goPackage], {
        cwd: join(options.modules, tool.bundle),
        env: { ...options.env, CGO_ENABLED: '0' },
      });
      if (build.code !== 0) return `Go: building ${tool.goPackage} fails: ${lastLine(build.stderr)}`;
      await mkdir(folder, { recursive: true });
      await rename(join(scratch, tool.name), join(folder, tool.name));
    }
    return undefined;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** One way to make binaries: takes what is absent, leaves in each tool's list why it could not serve it. */
type Maker = (absent: Map<ToolName, string[]>, options: Required<BinaryOptions>) => Promise<void>;

const makers: Maker[] = [
  async (absent, options) => {
    const tools = [...absent.keys()].map((name) => TOOLS[name]);
    const offered = tools.filter((tool) => tool.inEnvtest);
    const failure = offered.length > 0 ? await fromEnvtest(offered, options) : undefined;
    for (const tool of tools) {
      const note = tool.inEnvtest ? failure : 'envtest download: does not hold it';
      if (note) absent.get(tool.name)?.push(note);
    }
  },
  async (absent, options) => {
    for (const [name, tried] of absent) {
      if (!TOOLS[name].debian) continue;
      const failure = await fromDebian(TOOLS[name], options);
      if (failure) tried.push(failure);
    }
  },
  async (absent, options) => {
    for (const bundle of new Set([...absent.keys()].map((name) => TOOLS[name].bundle))) {
      const names = [...absent.keys()].filter((name) => TOOLS[name].bundle === bundle);
      const failure = await fromGo(
        names.map((name) => TOOLS[name]),
        options,
      );
      if (failure) for (const name of names) absent.get(name)?.push(failure);
    }
  },
];

/**
 * Finds each named tool, or makes it: `KUBEBUILDER_ASSETS`, `PATH`, the cache, the public envtest download, the Debian
 * package, the Go toolchain, in this order. Safe to call from several processes at once. Rejects with `BinariesMissing`.
 */
export async function ensureBinaries<N extends ToolName = ToolName>(
  names: readonly N[] = TOOL_NAMES as N[],
  options: BinaryOptions = {},
): Promise<Record<N, FoundBinary>> {
  const env = options.env ?? process.env;
  const full: Required<BinaryOptions> = {
    env,
    modules: options.modules ?? join(import.meta.dirname, 'go'),
    envtest: options.envtest ?? {},
    log: options.log ?? (() => undefined),
  };
  const found = new Map<ToolName, FoundBinary>();
  const absent = new Map<ToolName, string[]>();
  const look = async (tools: readonly ToolName[]): Promise<void> => {
    for (const name of tools) {
      const tried: string[] = [];
      const binary = await lookOnMachine(TOOLS[name], env, tried);
      if (binary) {
        found.set(name, binary);
        absent.delete(name);
      } else if (!absent.has(name)) {
        absent.set(name, tried);
      }
    }
  };
  await look([...new Set<ToolName>(names)]);
  if (absent.size > 0) {
    await withLock(
      join(cacheFolder(env), 'lock'),
      async () => {
        await look([...absent.keys()]); // whoever held the lock before may have made them
        for (const maker of makers) {
          if (absent.size === 0) break;
          await maker(absent, full);
          await look([...absent.keys()]);
        }
      },
      () => full.log('testbed: another process is getting the binaries; waiting for it'),
    );
  }
  if (absent.size > 0) throw new BinariesMissing(absent);
  return Object.fromEntries(found) as Record<N, FoundBinary>;
}
