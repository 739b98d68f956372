/** From an addon's source folder to its package: reproducible, checked, and faults at the author's line. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openPackage, parseAddonVersions } from '@lateen/registry/format/index.ts';
import { type Fault, LateenError } from '@lateen/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createInlineSandbox, SandboxError } from '../../sandbox/index.ts';
import { buildAddon, buildRegistry, stackMapper } from './index.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lateen-build-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const ADDON_YAML = `name: thing
version: 1.2.3
description: A thing.
engines:
  kernel: '>=0.1.0'
`;
const INDEX = `import { defineAddon } from 'lateen/sdk';
import { thing } from './src/thing.ts';
export default defineAddon({ components: [thing] });
`;
const THING = `import { defineComponent, t } from 'lateen/sdk';
export const thing = defineComponent({
  name: 'thing',
  description: 'A thing.',
  parameters: t.object({ size: t.withDefault(t.integer('How large'), 1) }),
  render(parameters, context) {
    return { workload: { apiVersion: 'v1', kind: 'Thing', metadata: { name: context.name }, size: parameters.size } };
  },
});
`;

/** Writes files below `dir`; what is given replaces the default addon's. */
async function source(files: Record<string, string> = {}, dir = root): Promise<string> {
  const all = { 'addon.yaml': ADDON_YAML, 'index.ts': INDEX, 'src/thing.ts': THING, ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  return dir;
}

async function faultsOf(files: Record<string, string>): Promise<Fault[]> {
  const dir = await source(files);
  const error = await buildAddon(dir).then(
    () => expect.fail('it was built'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(LateenError);
  return (error as LateenError).faults;
}

const short = ({ code, message, place }: Fault) => [
  code,
  message,
  place && `${place.file.slice(root.length + 1)}:${place.line}:${place.column}`,
];

describe('a package', () => {
  test('holds the manifest with what the definitions say of themselves, and runs', async () => {
    const built = await buildAddon(await source());
    const { manifest, files } = openPackage(built.package, { digest: built.digest });
    expect(manifest).toEqual({
      format: 'lateen.dev/addon/v1',
      name: 'thing',
      version: '1.2.3',
      description: 'A thing.',
      engines: { kernel: '>=0.1.0' },
      definitions: [
        {
          kind: 'component',
          name: 'thing',
          description: 'A thing.',
          parameters: {
            type: 'object',
            properties: { size: { type: 'integer', description: 'How large', default: 1 } },
            additionalProperties: false,
          },
          health: false,
        },
      ],
      bundle: 'bundle.js',
      resources: [],
    });
    expect([...files.keys()]).toEqual(['bundle.js', 'manifest.json', 'sbom.json']);
    const sandbox = createInlineSandbox();
    sandbox.load('thing', new TextDecoder().decode(files.get('bundle.js')));
    const request = {
      method: 'render',
      kind: 'component',
      name: 'thing',
      parameters: { size: 3 },
      context: { name: 'x' },
    };
    expect(await sandbox.call('thing', request)).toEqual({
      workload: { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x' }, size: 3 },
    });
  });

  test('is the same at every build, wherever the source lies', async () => {
    const first = await buildAddon(await source({}, join(root, 'a')));
    const again = await buildAddon(join(root, 'a'));
    const elsewhere = await buildAddon(await source({}, join(root, 'deeper/down/b')));
    expect(again.digest).toBe(first.digest);
    expect(elsewhere.digest).toBe(first.digest);
    expect(new TextDecoder().decode(first.files.find(({ path }) => path === 'bundle.js')?.data)).not.toContain(root);
  });

  test('is another for other source', async () => {
    const first = await buildAddon(await source());
    await source({ 'src/thing.ts': THING.replace('A thing.', 'Another thing.') });
    expect((await buildAddon(root)).digest).not.toBe(first.digest);
  });

  test('takes along resources, documents and the icon, and nothing else', async () => {
    const dir = await source({
      'addon.yaml': `${ADDON_YAML}icon: art/icon.svg\n`,
      'resources/crds/a.yaml': 'a',
      'resources/.hidden': 'b',
      'ui/panel.js': 'c',
      'README.md': 'd',
      'CHANGELOG.md': 'e',
      'art/icon.svg': 'f',
      'notes.txt': 'g',
      'src/thing.test.ts': 'h',
    });
    const { manifest, files } = await buildAddon(dir);
    expect(manifest.resources).toEqual(['resources/crds/a.yaml']);
    expect(files.map(({ path }) => path).sort()).toEqual([
      'CHANGELOG.md',
      'README.md',
      'art/icon.svg',
      'bundle.js',
      'manifest.json',
      'resources/crds/a.yaml',
      'sbom.json',
      'ui/panel.js',
    ]);
  });

  test('lists the npm packages that are inside', async () => {
    const dir = await source({
      'node_modules/@scope/names/package.json':
        '{"name":"@scope/names","version":"2.0.1","license":"MIT","main":"index.js"}',
      'node_modules/@scope/names/index.js': 'export const nameOf = (x) => x.name;',
      'node_modules/unused/package.json': '{"name":"unused","version":"1.0.0"}',
      'src/thing.ts': `import { nameOf } from '@scope/names';\n${THING.replace('context.name', 'nameOf(context)')}`,
    });
    const { files } = await buildAddon(dir);
    const sbom = JSON.parse(new TextDecoder().decode(files.find(({ path }) => path === 'sbom.json')?.data)) as unknown;
    expect(sbom).toEqual({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      version: 1,
      metadata: { component: { type: 'application', name: 'thing', version: '1.2.3' } },
      components: [
        {
          type: 'library',
          name: '@scope/names',
          version: '2.0.1',
          purl: 'pkg:npm/%40scope/names@2.0.1',
          licenses: [{ expression: 'MIT' }],
        },
      ],
    });
  });

  test('of services alone has no bundle', async () => {
    const dir = await source({
      'addon.yaml': `${ADDON_YAML}services:\n  api:\n    entry: src/api.ts\n    contributes: [clusterProvider]\n`,
      'src/api.ts': `import { readFileSync } from 'node:fs';
import { defineService } from 'lateen/sdk/service';
export default defineService({ clusterProvider: { start: async () => ({ kubeconfig: String(readFileSync), url: '' }), stop: async () => {} } });
`,
    });
    await rm(join(dir, 'index.ts'));
    const { manifest, files } = await buildAddon(dir);
    expect(manifest.bundle).toBeUndefined();
    expect(manifest.definitions).toEqual([]);
    expect(manifest.services).toEqual({ api: { entry: 'services/api.mjs', contributes: ['clusterProvider'] } });
    expect(files.map(({ path }) => path)).toContain('services/api.mjs');
  });
});

describe('faults of addon.yaml are told together, each with its place', () => {
  test('unknown, missing and wrong fields', async () => {
    const faults = await faultsOf({
      'addon.yaml': `name: Thing
version: 1.2
descripton: A thing.
engines:
  kernel: newest
tags: one
dependencies:
  other: ^1
  Bad: ^1
permissions:
  kube:
    - apiGroups: ['']
      resources: [pods]
      verbs: get
services:
  api:
    entry: ../up.ts
    contributes: [web]
`,
    });
    expect(faults.map(short)).toEqual([
      ['LTN505', 'the document has no "description"', 'addon.yaml:1:1'],
      ['LTN505', 'name is "Thing"', 'addon.yaml:1:7'],
      ['LTN505', 'version is 1.2', 'addon.yaml:2:10'],
      ['LTN505', 'the document has an unknown field "descripton"', 'addon.yaml:3:13'],
      ['LTN505', 'engines.kernel is "newest"', 'addon.yaml:5:11'],
      ['LTN505', 'tags is not a list', 'addon.yaml:6:7'],
      ['LTN505', 'dependencies.Bad is "Bad"', 'addon.yaml:9:8'],
      ['LTN505', 'permissions.kube[0].verbs is not a list', 'addon.yaml:14:14'],
      ['LTN505', 'services.api.entry is "../up.ts"', 'addon.yaml:17:12'],
      ['LTN505', 'services.api.contributes[0] is "web"', 'addon.yaml:18:19'],
    ]);
  });

  test.each([
    ['tabs', 'name: a\n\tversion: 1', 'LTN101'],
    ['a key twice', 'name: a\nname: b', 'LTN103'],
    ['a list', '- a', 'LTN505'],
    ['nothing', '', 'LTN505'],
    [
      'an anchor bomb',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefghi'
        .split('')
        .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`)
        .join('\n')}`,
      'LTN102',
    ],
    ['a megabyte', `name: ${'x'.repeat(1024 * 1024)}`, 'LTN102'],
  ])('%s', async (_, yaml, code) => {
    expect((await faultsOf({ 'addon.yaml': yaml })).map((fault) => fault.code)).toContain(code);
  });

  test('a folder without it', async () => {
    await expect(buildAddon(join(root, 'nowhere'))).rejects.toThrow(/LTN505: .* is no source folder of an addon/);
  });

  test('an addon that offers nothing', async () => {
    const dir = await source();
    await rm(join(dir, 'index.ts'));
    await expect(buildAddon(dir)).rejects.toThrow(/LTN505: the addon offers nothing/);
  });
});

describe('faults of the source name the author’s line', () => {
  test.each(['node:fs', 'fs', 'child_process'])('importing %s', async (name) => {
    const [fault, ...more] = await faultsOf({
      'src/thing.ts': `// first\nimport { x } from '${name}';\nx();\n${THING}`,
    });
    expect(more).toEqual([]);
    expect(short(fault as Fault)).toEqual([
      'LTN507',
      `"${name}" is a module of Node, which definitions do not have`,
      'src/thing.ts:2:19',
    ]);
    expect(fault?.hint).toContain('belongs in a service');
  });

  test.each([
    ['lateen/testing', 'cannot be imported here'],
    ['lateen/sdk/service', 'cannot be imported here'],
    ['@lateen/schemas', 'cannot be imported here'],
    ['../../outside.ts', 'lies outside of the addon'],
    ['/etc/passwd', 'lies outside of the addon'],
    ['not-installed', 'Could not resolve'],
    ['./missing.ts', 'Could not resolve'],
  ])('importing %s', async (name, message) => {
    const [fault] = await faultsOf({ 'src/thing.ts': `import { x } from '${name}';\nx();\n${THING}` });
    expect(fault).toMatchObject({ code: 'LTN507', message: expect.stringContaining(message) });
    expect(fault?.place).toMatchObject({ file: join(root, 'src/thing.ts'), line: 1 });
  });

  test('several at once', async () => {
    const faults = await faultsOf({
      'index.ts': `import 'node:os';\n${INDEX}`,
      'src/thing.ts': `import 'node:fs';\n${THING}const = 1;\n`,
    });
    expect(faults.map(short)).toContainEqual(['LTN507', expect.stringContaining('"node:os"'), 'index.ts:1:8']);
    expect(faults.map(short)).toContainEqual(['LTN507', 'Expected identifier but found "="', 'src/thing.ts:11:7']);
  });

  test('an exception while the definitions load', async () => {
    const [fault] = await faultsOf({
      'src/thing.ts': `${THING}\nfunction setUp(): void {\n  throw new Error('not ready');\n}\nsetUp();\n`,
    });
    expect(short(fault as Fault)).toEqual([
      'LTN507',
      'the definitions cannot be loaded: not ready',
      expect.stringMatching(/^src\/thing\.ts:12:/),
    ]);
  });

  test('a loop while they load', async () => {
    const [fault] = await faultsOf({ 'src/thing.ts': `for (;;);\n${THING}` });
    expect(fault?.message).toContain('ran past its deadline');
  });

  test('a default export that is no addon', async () => {
    const [fault] = await faultsOf({ 'index.ts': 'export default {};' });
    expect(fault).toMatchObject({ code: 'LTN507', message: expect.stringContaining('cannot be loaded') });
  });

  test('definitions whose name no object can have', async () => {
    const [fault] = await faultsOf({ 'src/thing.ts': THING.replace(`'thing'`, `'A Thing'`) });
    expect(short(fault as Fault)[1]).toBe('definitions[0].name is not a type name');
  });

  test('a service whose entry file is not there', async () => {
    const [fault] = await faultsOf({
      'addon.yaml': `${ADDON_YAML}services: {api: {entry: src/api.ts, contributes: []}}\n`,
    });
    expect(fault?.message).toBe('the entry file "src/api.ts" of a service is not there');
  });

  test('a link among the resources', async () => {
    const dir = await source({ 'resources/a.yaml': 'a' });
    await symlink('/etc/passwd', join(dir, 'resources/b.yaml'));
    await expect(buildAddon(dir)).rejects.toThrow(/LTN507: "resources\/b.yaml" is no plain file/);
  });
});

test('a stack trace of the sandbox leads back to the source', async () => {
  const dir = await source({
    'src/thing.ts': THING.replace('return {', `if (parameters.size > 1) throw new Error('large');\n    return {`),
  });
  const { files, maps } = await buildAddon(dir);
  const sandbox = createInlineSandbox();
  sandbox.load('thing', new TextDecoder().decode(files.find(({ path }) => path === 'bundle.js')?.data));
  const request = {
    method: 'render',
    kind: 'component',
    name: 'thing',
    parameters: { size: 2 },
    context: { name: 'x' },
  };
  const error = (await sandbox.call('thing', request).catch((error: unknown) => error)) as SandboxError;
  expect(error).toBeInstanceOf(SandboxError);
  const mapper = stackMapper(maps.get('bundle.js') ?? '', dir);
  expect(mapper.place(error.guestStack ?? '')).toMatchObject({ file: join(dir, 'src/thing.ts'), line: 7 });
  expect(mapper.stack(error.guestStack ?? '')).toContain(`${join(dir, 'src/thing.ts')}:7:`);
});

describe('a registry', () => {
  test('is built from the folders that are addons', async () => {
    await source({}, join(root, 'addons/one'));
    await source({ 'addon.yaml': ADDON_YAML.replace('thing', 'other') }, join(root, 'addons/two'));
    await mkdir(join(root, 'addons/not-yet'));
    await writeFile(join(root, 'small.yaml'), 'addons:\n  - {name: thing, version: ^1}\nclusterProviders: []\n');
    const out = join(root, 'out');
    const options = { addonsDir: join(root, 'addons'), outDir: out, profile: join(root, 'small.yaml') };
    const { index, written, addons } = await buildRegistry(options);
    expect(written).toEqual(['thing@1.2.3', 'other@1.2.3']);
    expect(index.addons.map(({ name, offers }) => [name, offers])).toEqual([
      ['other', { component: ['thing'] }],
      ['thing', { component: ['thing'] }],
    ]);
    const versions = parseAddonVersions(await readFile(join(out, 'addons/thing.json'), 'utf8'), 'thing', 'thing.json');
    expect(versions.versions[0]?.digest).toBe(addons[0]?.digest);
    expect(JSON.parse(await readFile(join(out, 'profiles/small.json'), 'utf8'))).toEqual({
      addons: [{ name: 'thing', version: '^1' }],
      clusterProviders: [],
    });
    expect((await buildRegistry(options)).written).toEqual([]);
  });

  test('follows changes of a working copy without a new version', async () => {
    const dir = await source({}, join(root, 'addons/one'));
    const options = { addonsDir: join(root, 'addons'), outDir: join(root, 'out') };
    await buildRegistry(options);
    await writeFile(join(dir, 'README.md'), 'new');
    expect((await buildRegistry(options)).written).toEqual(['thing@1.2.3']);
  });

  test('tells the faults of all addons, and writes nothing', async () => {
    await source({ 'index.ts': 'import "node:fs";' }, join(root, 'addons/one'));
    await source({ 'addon.yaml': 'name: x' }, join(root, 'addons/two'));
    const build = buildRegistry({ addonsDir: join(root, 'addons'), outDir: join(root, 'out') });
    await expect(build).rejects.toThrow(/LTN507[\s\S]*LTN505|LTN505[\s\S]*LTN507/);
    await expect(readFile(join(root, 'out/index.json'))).rejects.toThrow('ENOENT');
  });

  test('refuses a profile that is none', async () => {
    await source({}, join(root, 'addons/one'));
    await writeFile(join(root, 'bad.yaml'), 'addons: [thing]\n');
    const build = buildRegistry({
      addonsDir: join(root, 'addons'),
      outDir: join(root, 'out'),
      profile: join(root, 'bad.yaml'),
    });
    await expect(build).rejects.toThrow(/bad.yaml:1:10: LTN602/);
  });
});
