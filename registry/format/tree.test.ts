/** A registry tree grows; what is in it stays. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  addonPath,
  digestOf,
  packagePath,
  packPackage,
  parseAddonVersions,
  parseIndex,
  parseProfile,
  writeTree,
} from './index.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lateen-tree-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function pack(name: string, version: string, more: object = {}): Uint8Array {
  const manifest = {
    format: 'lateen.dev/addon/v1',
    name,
    version,
    description: `${name} ${version}`,
    engines: { kernel: '^1' },
    definitions: [],
    resources: [],
    ...more,
  };
  return packPackage([{ path: 'manifest.json', data: new TextEncoder().encode(JSON.stringify(manifest)) }]);
}

const readText = (path: string) => readFile(join(dir, path), 'utf8');
const readIndex = async () => parseIndex(await readText('index.json'), 'index.json');
const readVersions = async (name: string) => parseAddonVersions(await readText(addonPath(name)), name, name);

const PROFILE = { addons: [{ name: 'one', version: '^1' }], clusterProviders: [] };

describe('writing', () => {
  test('puts packages under their digests and lists them', async () => {
    const one = pack('one', '1.0.0', { tags: ['a'], dependencies: { two: '^1' } });
    const two = pack('two', '1.0.0');
    const { written } = await writeTree(dir, [two, one], { default: PROFILE });
    expect(written).toEqual(['two@1.0.0', 'one@1.0.0']);
    const index = await readIndex();
    expect(index.addons.map(({ name, latest }) => [name, latest])).toEqual([
      ['one', '1.0.0'],
      ['two', '1.0.0'],
    ]);
    expect(index.addons[0]?.tags).toEqual(['a']);
    const entry = (await readVersions('one')).versions[0];
    expect(entry).toEqual({
      version: '1.0.0',
      digest: digestOf(one),
      size: one.length,
      engines: { kernel: '^1' },
      dependencies: { two: '^1' },
    });
    expect(digestOf(await readFile(join(dir, packagePath(digestOf(one)))))).toBe(digestOf(one));
    expect(parseProfile(await readText('profiles/default.json'), 'default')).toEqual(PROFILE);
  });

  test('tells what an addon offers', async () => {
    const definition = (kind: string, name: string) => ({
      kind,
      name,
      description: '',
      parameters: {},
      health: false,
      ...(kind === 'trait' && { appliesTo: ['*'] }),
    });
    const manifest = {
      definitions: [definition('component', 'b'), definition('component', 'a'), definition('trait', 'c')],
      bundle: 'manifest.json',
      services: { api: { entry: 'manifest.json', contributes: ['route', 'clusterProvider'] } },
    };
    await writeTree(dir, [pack('one', '1.0.0', manifest)]);
    expect((await readIndex()).addons[0]).toMatchObject({
      offers: { component: ['a', 'b'], trait: ['c'] },
      contributes: ['clusterProvider', 'route'],
    });
  });

  test('adds versions, in their order; the index tells of the newest release', async () => {
    await writeTree(dir, [pack('one', '1.10.0')]);
    await writeTree(dir, [pack('one', '1.9.0'), pack('one', '2.0.0-beta.1')]);
    expect((await readVersions('one')).versions.map(({ version }) => version)).toEqual([
      '1.9.0',
      '1.10.0',
      '2.0.0-beta.1',
    ]);
    expect((await readIndex()).addons[0]).toMatchObject({ latest: '1.10.0', description: 'one 1.10.0' });
    await writeTree(dir, [pack('one', '2.0.0')]);
    expect((await readIndex()).addons[0]).toMatchObject({ latest: '2.0.0', description: 'one 2.0.0' });
  });

  test('changes nothing where nothing is new', async () => {
    await writeTree(dir, [pack('one', '1.0.0')], { default: PROFILE });
    const files = ['index.json', addonPath('one'), 'profiles/default.json'];
    const inodes = async () => Promise.all(files.map(async (path) => (await stat(join(dir, path))).ino));
    const before = await inodes();
    expect((await writeTree(dir, [pack('one', '1.0.0')], { default: PROFILE })).written).toEqual([]);
    expect(await inodes()).toEqual(before);
  });

  test('refuses other bytes for a version that is there', async () => {
    await writeTree(dir, [pack('one', '1.0.0')]);
    const before = await readText(addonPath('one'));
    await expect(writeTree(dir, [pack('one', '1.0.0', { description: 'changed' })])).rejects.toThrow(
      /LTN602: version 1.0.0 of addon "one" is in the registry with other bytes/,
    );
    expect(await readText(addonPath('one'))).toBe(before);
  });

  test('repoints a version of a working copy, and keeps the old package', async () => {
    const [old, changed] = [pack('one', '1.0.0'), pack('one', '1.0.0', { description: 'changed' })];
    await writeTree(dir, [old]);
    await writeTree(dir, [changed], {}, { changed: 'repoint' });
    const { versions } = await readVersions('one');
    expect(versions.map(({ digest }) => digest)).toEqual([digestOf(changed)]);
    expect((await readIndex()).addons[0]?.description).toBe('changed');
    expect(digestOf(await readFile(join(dir, packagePath(digestOf(old)))))).toBe(digestOf(old));
  });

  test('keeps what was said of versions: deprecated, revoked', async () => {
    await writeTree(dir, [pack('one', '1.0.0'), pack('one', '1.1.0')]);
    const addon = await readVersions('one');
    const [first, second] = addon.versions;
    const changed = { ...addon, versions: [first, { ...second, revoked: 'broken' }] };
    await writeFile(join(dir, addonPath('one')), JSON.stringify(changed));
    await writeTree(dir, [pack('one', '0.9.0')]);
    expect((await readVersions('one')).versions.map(({ revoked }) => revoked)).toEqual([
      undefined,
      undefined,
      'broken',
    ]);
  });

  test('mends a package that was damaged', async () => {
    const one = pack('one', '1.0.0');
    await writeTree(dir, [one]);
    await writeFile(join(dir, packagePath(digestOf(one))), 'broken');
    await writeTree(dir, [one]);
    expect(digestOf(await readFile(join(dir, packagePath(digestOf(one)))))).toBe(digestOf(one));
  });

  test('leaves no temporary file', async () => {
    await writeTree(dir, [pack('one', '1.0.0')], { default: PROFILE });
    const all = await readdir(dir, { recursive: true });
    expect(all.filter((path) => path.endsWith('.tmp'))).toEqual([]);
  });

  test('refuses a package that is none, before it writes anything', async () => {
    await expect(writeTree(dir, [pack('one', '1.0.0'), new Uint8Array(3)])).rejects.toThrow(/LTN503/);
    expect(await readdir(dir)).toEqual([]);
  });

  test.each(['../up', 'a/b', '', 'A', '.'])('no profile or addon is called %j', async (name) => {
    await expect(writeTree(dir, [], { [name]: PROFILE })).rejects.toThrow('not a name of a profile');
    expect(() => addonPath(name)).toThrow('not a name of an addon');
  });
});

describe('reading refuses', () => {
  const index = {
    format: 'lateen.dev/registry/v1',
    addons: [{ name: 'a', description: '', latest: '1.0.0', offers: {} }],
  };
  test.each([
    ['{', /it is not JSON/],
    ['null', /it is not an object/],
    [JSON.stringify({ ...index, format: 'v9' }), /its format is not/],
    [JSON.stringify({ ...index, addons: {} }), /its addons are not a list/],
    [JSON.stringify({ ...index, addons: [{ ...index.addons[0], name: '../a' }] }), /addons\[0\] is not an entry/],
    [
      JSON.stringify({ ...index, addons: [{ ...index.addons[0], offers: { component: 'a' } }] }),
      /addons\[0\] is not an entry/,
    ],
    [JSON.stringify({ ...index, addons: [index.addons[0], index.addons[0]] }), /addon "a" is there twice/],
    ['{"__proto__":{}}', /it has a key "__proto__"/],
  ])('an index like %s', (text, message) => {
    expect(() => parseIndex(text, 'index.json')).toThrow(message);
    expect(() => parseIndex(text, 'index.json')).toThrow(/LTN602: index.json is malformed/);
  });

  const version = { version: '1.0.0', digest: `sha256:${'0'.repeat(64)}`, size: 1, engines: { kernel: '*' } };
  test.each([
    [{ name: 'b', versions: [] }, /about another addon/],
    [{ name: 'a' }, /versions are not a list/],
    [{ name: 'a', versions: [{ ...version, digest: 'sha256:1' }] }, /versions\[0\]/],
    [{ name: 'a', versions: [{ ...version, digest: `sha256:${'../'.repeat(21)}x` }] }, /versions\[0\]/],
    [{ name: 'a', versions: [{ ...version, size: -1 }] }, /versions\[0\]/],
    [{ name: 'a', versions: [{ ...version, version: 'latest' }] }, /versions\[0\]/],
    [{ name: 'a', versions: [version, version] }, /version 1.0.0 is there twice/],
  ])('versions like %j', (value, message) => {
    expect(() => parseAddonVersions(JSON.stringify(value), 'a', 'addons/a.json')).toThrow(message);
  });

  test.each([
    [{}, /no list "addons"/],
    [{ addons: [] }, /no list "clusterProviders"/],
    [{ addons: [{ name: 'a' }], clusterProviders: [] }, /addons\[0\] no name of an addon with a range/],
  ])('a profile like %j', (value, message) => {
    expect(() => parseProfile(JSON.stringify(value), 'default')).toThrow(message);
  });
});
