/** Compiles an addon's TypeScript with esbuild: definitions for the sandbox, services for Node. */
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fault } from '@lateen/schemas';
import type { BuildOptions, Message, Metafile, PartialMessage, Plugin } from 'esbuild';

export interface Bundled {
  code: string;
  /** Source map, as JSON text. It is not part of the package. */
  map: string;
  metafile: Metafile;
}

export interface BundleOptions {
  /** The addon's source folder. */
  sourceDir: string;
  /** Folder of the SDK's sources. */
  sdkDir: string;
}

/** Where the SDK's sources lie when the kernel runs from its own. */
export const SDK_DIR = fileURLToPath(new URL('../../sdk/', import.meta.url));

/** What an addon may import of the kernel, by the way it runs. */
const DEFINITION_IMPORTS: Record<string, string> = { 'lateen/sdk': 'index.ts' };
const SERVICE_IMPORTS: Record<string, string> = {
  'lateen/sdk': 'index.ts',
  'lateen/sdk/service': 'service/index.ts',
};

/** The name of the file that the build writes around an addon. */
const START = '<start>';

function faultOf(message: Message, sourceDir: string): Fault {
  const fault: Fault = { code: 'LTN507', severity: 'error', message: message.text };
  if (message.location) {
    const { file, line, column } = message.location;
    fault.place = { file: join(sourceDir, file), line, column: column + 1 };
  }
  const hint = message.notes.map(({ text }) => text).find((text) => text !== '');
  if (hint !== undefined) fault.hint = hint;
  return fault;
}

function isInside(dir: string, path: string): boolean {
  return path === dir || path.startsWith(dir + sep);
}

function refusal(text: string, hint: string): { errors: PartialMessage[] } {
  return { errors: [{ text, notes: [{ text: hint }] }] };
}

/**
 * Holds an addon to its borders: the SDK by its name, npm packages, its own files; for the sandbox no module of Node.
 */
function borders({ sourceDir, sdkDir }: BundleOptions, imports: Record<string, string>, isSandboxed: boolean): Plugin {
  const root = resolve(sourceDir);
  const sdk = resolve(sdkDir);
  return {
    name: 'borders',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
        if (kind === 'entry-point') return undefined;
        if (isBuiltin(path)) {
          if (!isSandboxed) return { path, external: true };
          return refusal(
            `"${path}" is a module of Node, which definitions do not have`,
            'definitions are pure functions; code that needs Node belongs in a service (addon.yaml: services)',
          );
        }
        const isStart = importer.endsWith(START);
        const isAuthors = isInside(root, importer) && !importer.includes(`${sep}node_modules${sep}`);
        if (!isStart && !isAuthors) return undefined;
        const sdkFile = Object.hasOwn(imports, path) ? imports[path] : undefined;
        if (sdkFile !== undefined) return { path: join(sdk, sdkFile) };
        if (path === 'lateen' || path.startsWith('lateen/') || path.startsWith('@lateen/')) {
          return refusal(
            `"${path}" cannot be imported here`,
            `an addon may import: ${Object.keys(imports).join(', ')}`,
          );
        }
        const isPath = path.startsWith('.') || path.startsWith('/');
        if (isPath && !isStart && !isInside(root, resolve(dirname(importer), path))) {
          return refusal(`"${path}" lies outside of the addon`, 'an addon reaches the kernel only through lateen/sdk');
        }
        return undefined;
      });
    },
  };
}

async function build(options: BuildOptions, sourceDir: string): Promise<{ bundled?: Bundled; faults: Fault[] }> {
  const esbuild = await import('esbuild');
  try {
    const result = await esbuild.build({
      bundle: true,
      write: false,
      metafile: true,
      sourcemap: 'external',
      outdir: join(resolve(sourceDir), 'dist'),
      absWorkingDir: resolve(sourceDir),
      minifyWhitespace: true,
      minifySyntax: true,
      legalComments: 'eof',
      charset: 'utf8',
      treeShaking: true,
      logLevel: 'silent',
      // A tsconfig.json above the addon must not change what its build gives.
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      ...options,
    });
    const outputs = result.outputFiles ?? [];
    const map = outputs.find(({ path }) => path.endsWith('.map'))?.text ?? '';
    const code = outputs.find(({ path }) => !path.endsWith('.map'))?.text ?? '';
    return { bundled: { code, map, metafile: result.metafile as Metafile }, faults: [] };
  } catch (error) {
    const { errors } = error as { errors?: Message[] };
    if (!errors) throw error;
    return { faults: errors.map((message) => faultOf(message, sourceDir)) };
  }
}

/**
 * Compiles the definitions to one classic script that sets `globalThis.lateen`. Faults have code LTN507.
 * @param entry entry file below the source folder; its default export is the addon.
 */
export function bundleDefinitions(
  options: BundleOptions,
  entry: string,
): Promise<{ bundled?: Bundled; faults: Fault[] }> {
  const runtime = join(resolve(options.sdkDir), 'runtime.ts');
  const contents = [
    `import addon from ${JSON.stringify(`./${entry}`)};`,
    `import { serve } from ${JSON.stringify(runtime)};`,
    'serve(addon);',
  ].join('\n');
  const start: Plugin = {
    name: 'start',
    setup(build) {
      // The start file imports the runtime, which addons may not.
      build.onResolve({ filter: /.*/ }, ({ path, importer }) =>
        path === runtime && importer.endsWith(START) ? { path } : undefined,
      );
    },
  };
  return build(
    {
      stdin: { contents, resolveDir: resolve(options.sourceDir), sourcefile: START, loader: 'ts' },
      format: 'iife',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['import', 'default'],
      target: 'es2023',
      plugins: [start, borders(options, DEFINITION_IMPORTS, true)],
    },
    options.sourceDir,
  );
}

/**
 * Compiles a service to one ES module for Node. Its default export is what `defineService` gave.
 * @param entry path of its entry file below the source folder.
 */
export async function bundleService(
  options: BundleOptions,
  entry: string,
): Promise<{ bundled?: Bundled; faults: Fault[] }> {
  const { sourceDir, sdkDir } = options;
  if (!existsSync(join(sourceDir, entry))) {
    const message = `the entry file "${entry}" of a service is not there`;
    return { faults: [{ code: 'LTN507', severity: 'error', message, place: { file: join(sourceDir, entry) } }] };
  }
  const contents = [
    `import service from ${JSON.stringify(`./${entry}`)};`,
    `import { runService } from ${JSON.stringify('lateen/sdk/service')};`,
    'await runService(service);',
  ].join('\n');
  return build(
    {
      stdin: { contents, resolveDir: resolve(sourceDir), sourcefile: START, loader: 'ts' },
      format: 'esm',
      platform: 'node',
      target: 'node24',
      // Packages in CommonJS call `require` for modules of Node, which a bundled ES module does not have.
      banner: {
        js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
      },
      plugins: [borders({ sourceDir, sdkDir }, SERVICE_IMPORTS, false)],
    },
    sourceDir,
  );
}

/** Paths that a metafile tells are relative to the source folder; those of npm packages hold `node_modules`. */
export function inputsOf(metafile: Metafile, sourceDir: string): string[] {
  return Object.keys(metafile.inputs).map((path) => relative(sourceDir, resolve(sourceDir, path)));
}
