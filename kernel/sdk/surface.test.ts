/** The public surface of the SDK: a change of it shows in review as a change of `surface.snap.txt`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const ENTRIES = ['index.ts', 'service/index.ts', 'testing/index.ts'];

/** Declarations of the SDK's entry files and of what they import from the SDK, as the compiler writes them. */
function declarations(): string {
  const out = mkdtempSync(join(tmpdir(), 'lateen-surface-'));
  try {
    const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const flags = [
      ...[
        '--ignoreConfig',
        '--declaration',
        '--emitDeclarationOnly',
        '--outDir',
        out,
        '--rootDir',
        join(here, '../..'),
      ],
      ...['--strict', '--target', 'es2024', '--module', 'nodenext', '--skipLibCheck', '--types', 'node'],
      ...['--allowImportingTsExtensions', '--verbatimModuleSyntax', '--erasableSyntaxOnly', '--removeComments'],
      ...['--lib', 'es2024,esnext.collection,esnext.disposable'],
    ];
    execFileSync(process.execPath, [compiler, ...flags, ...ENTRIES.map((entry) => join(here, entry))], {
      stdio: 'pipe',
    });
    const seen = new Map<string, string>();
    const visit = (path: string) => {
      if (seen.has(path)) return;
      const text = readFileSync(join(out, 'kernel/sdk', path), 'utf8');
      seen.set(path, text);
      for (const [, target = ''] of text.matchAll(/from '(\.[^']*)\.ts'/g)) {
        const next = join(dirname(path), `${target}.d.ts`);
        if (!next.startsWith('..')) visit(next);
      }
    };
    for (const entry of ENTRIES) visit(entry.replace(/\.ts$/, '.d.ts'));
    return [...seen]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, text]) => `// ${path}\n${text}`)
      .join('\n');
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

test('the declarations are those that were agreed', async () => {
  expect(readdirSync(here)).toContain('index.ts');
  await expect(declarations()).toMatchFileSnapshot('./surface.snap.txt');
}, 60_000);
