/** Packages: the same bytes for the same files, and nothing but plain files out of any bytes. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf, openPackage, type PackageFile, packPackage, unpackPackage, verifyDigest } from './index.ts';
import { readTar, writeTar } from './tar.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const file = (path: string, text = 'x'): PackageFile => ({ path, data: bytes(text) });

const MANIFEST = {
  format: 'lateen.dev/addon/v1',
  name: 'thing',
  version: '1.0.0',
  description: 'A thing.',
  engines: { kernel: '^1' },
  definitions: [],
  resources: [],
};
const packed = (manifest: object, more: PackageFile[] = []) =>
  packPackage([file('manifest.json', JSON.stringify(manifest)), ...more]);

describe('packing', () => {
  test('gives the same bytes whatever the order of the files', () => {
    const files = [file('b/c.txt', 'c'), file('a.txt', 'a'), file('b.txt', 'b')];
    expect(packPackage([...files].reverse())).toEqual(packPackage(files));
  });

  test('writes no time and no system into the gzip header', () => {
    expect([...packPackage([file('a')]).subarray(3, 10)]).toEqual([0, 0, 0, 0, 0, 2, 255]);
  });

  test('and unpacking give back what was there', () => {
    const path = fc
      .array(fc.stringMatching(/^[a-z0-9é漢_-]{1,12}$/), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(path, fc.uint8Array({ maxLength: 2000 })), { selector: ([path]) => path }),
        (all) => {
          const files = all.map(([path, data]) => ({ path, data }));
          const clash = files.some((a) => files.some((b) => b.path.startsWith(`${a.path}/`)));
          fc.pre(!clash);
          const back = unpackPackage(packPackage(files));
          const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
          expect(back.map(({ path, data }) => [path, Buffer.from(data)])).toEqual(
            sorted.map(({ path, data }) => [path, Buffer.from(data)]),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  test('holds long paths', () => {
    const path = `${'a'.repeat(90)}/${'b'.repeat(90)}`;
    expect(unpackPackage(packPackage([file(path)]))[0]?.path).toBe(path);
  });

  test('refuses what reading would refuse', () => {
    expect(() => packPackage([file('../a')])).toThrow('path "../a" has a part ".."');
  });
});

/** An archive as anybody could write one: the header's fields are set by hand and its checksum is right. */
function forge(change: {
  path?: string;
  type?: string;
  size?: string;
  prefix?: string;
  magic?: string;
  data?: Uint8Array;
}): Uint8Array {
  const tar = writeTar([{ path: 'x', data: change.data ?? bytes('x') }]);
  const put = (at: number, width: number, text: string) => {
    tar.fill(0, at, at + width);
    tar.set(bytes(text).subarray(0, width), at);
  };
  if (change.path !== undefined) put(0, 100, change.path);
  if (change.size !== undefined) put(124, 12, change.size);
  if (change.type !== undefined) put(156, 1, change.type);
  if (change.magic !== undefined) put(257, 6, change.magic);
  if (change.prefix !== undefined) put(345, 155, change.prefix);
  put(148, 8, '        ');
  let sum = 0;
  for (const byte of tar.subarray(0, 512)) sum += byte;
  put(148, 8, `${sum.toString(8).padStart(6, '0')}\0 `);
  return new Uint8Array(gzipSync(tar));
}

describe('unpacking refuses', () => {
  test.each([
    ['a path that climbs', { path: '../../etc/passwd' }, /has a part "\.\."/],
    ['a path that climbs in its prefix', { prefix: '..', path: 'x' }, /has a part "\.\."/],
    ['an absolute path', { path: '/etc/passwd' }, /is absolute/],
    ['a path with a drive', { path: 'C:/x' }, /has a character/],
    ['a path with a backslash', { path: 'a\\..\\b' }, /has a character/],
    ['a path with a control character', { path: 'a\u001b[2J' }, /has a character/],
    ['an empty path', { path: '' }, /is empty/],
    ['a path with a dot', { path: 'a/./b' }, /has a part "\."/],
    ['a path with an empty part', { path: 'a//b' }, /has an empty part/],
    ['a hard link', { type: '1' }, /is a hard link/],
    ['a symbolic link', { type: '2' }, /is a symbolic link/],
    ['a character device', { type: '3' }, /is a device/],
    ['a block device', { type: '4' }, /is a device/],
    ['a folder', { type: '5' }, /is a folder entry/],
    ['a pipe', { type: '6' }, /is a pipe/],
    ['an extended header', { type: 'x' }, /is an extended header/],
    ['a long name of GNU', { type: 'L' }, /is of an unknown kind/],
    ['a size beyond the end', { size: '00000077777\0' }, /is cut/],
    ['a size beyond the limit', { size: '77777777777\0' }, /is larger than/],
    ['a size that is no number', { size: '-1\0' }, /a number that is not octal/],
    ['another format', { magic: 'nothin' }, /not of the ustar format/],
  ])('%s', (_, change, message) => {
    expect(() => unpackPackage(forge(change))).toThrow(message);
    expect(() => unpackPackage(forge(change))).toThrow(/LTN503/);
  });

  test('a damaged header', () => {
    const tar = writeTar([{ path: 'x', data: bytes('x') }]);
    tar[10] = 1;
    expect(() => unpackPackage(new Uint8Array(gzipSync(tar)))).toThrow('does not match its checksum');
  });

  test('an archive that is cut', () => {
    const tar = writeTar([{ path: 'x', data: bytes('x') }]);
    expect(() => unpackPackage(new Uint8Array(gzipSync(tar.subarray(0, 1000))))).toThrow(/is cut/);
    expect(() => readTar(new Uint8Array(), { maxFiles: 1, maxFileBytes: 1 })).toThrow('is cut');
  });

  test('what is not gzip, or cut', () => {
    expect(() => unpackPackage(bytes('hello'))).toThrow('not gzip, or damaged');
    expect(() => unpackPackage(packPackage([file('a', 'x'.repeat(5000))]).subarray(0, 60))).toThrow(
      'not gzip, or damaged',
    );
  });

  test('more bytes than allowed, without unpacking them', () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(50 * 1024 * 1024)));
    expect(bomb.length).toBeLessThan(100_000);
    expect(() => unpackPackage(bomb, { maxTotalBytes: 1024 * 1024 })).toThrow('unpacks to more than 1048576 bytes');
    expect(() => unpackPackage(bomb, { maxPackageBytes: 10 })).toThrow('larger than 10 bytes');
  });

  test('more files than allowed', () => {
    const many = packPackage(Array.from({ length: 20 }, (_, index) => file(`f${index}`)));
    expect(() => unpackPackage(many, { maxFiles: 10 })).toThrow('more than 10 files');
  });

  test.each([
    ['the same path twice', ['a', 'a'], /"a" is there twice/],
    ['paths that differ in case only', ['a/B', 'a/b'], /"a\/b" is there twice/],
    ['paths that differ in their composition only', ['é', 'e\u0301'], /is there twice/],
    ['a file that is a folder too', ['a', 'a/b'], /"a" is a file and a folder/],
  ])('%s', (_, paths, message) => {
    const tar = writeTar(paths.map((path) => ({ path, data: bytes('x') })));
    expect(() => unpackPackage(new Uint8Array(gzipSync(tar)))).toThrow(message);
    expect(() => packPackage(paths.map((path) => file(path)))).toThrow(message);
  });

  test('any other bytes, with an error of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (noise) => {
        expect(() => unpackPackage(new Uint8Array(gzipSync(noise)))).toThrow(/LTN503/);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a package as a whole', () => {
  test('is opened by its digest', () => {
    const it = packed(MANIFEST, [file('README.md')]);
    const { manifest, files } = openPackage(it, { digest: digestOf(it) });
    expect(manifest.name).toBe('thing');
    expect([...files.keys()]).toEqual(['README.md', 'manifest.json']);
  });

  test('is refused under another digest, naming both', () => {
    const it = packed(MANIFEST);
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(() => openPackage(it, { digest })).toThrow(new RegExp(`is ${digestOf(it)} .*expected ${digest}`));
    expect(() => verifyDigest(it, digestOf(it))).not.toThrow();
  });

  test('without a manifest is refused', () => {
    expect(() => openPackage(packPackage([file('a')]))).toThrow('it has no manifest.json');
  });

  test.each([
    [{ bundle: 'bundle.js' }, 'bundle.js'],
    [{ resources: ['resources/a.yaml'] }, 'resources/a.yaml'],
    [{ services: { api: { entry: 'services/api.mjs', contributes: [] } } }, 'services/api.mjs'],
  ])('whose manifest names a file that is not there is refused: %j', (more, path) => {
    expect(() => openPackage(packed({ ...MANIFEST, ...more }))).toThrow(
      `its manifest names "${path}", which is not there`,
    );
  });

  const definition = { kind: 'component', name: 'a', description: '', parameters: {}, health: false };
  test.each([
    ['{', 'it is not JSON'],
    ['[]', 'the manifest is not an object'],
    [{ ...MANIFEST, format: 'v2' }, 'format is not "lateen.dev/addon/v1"'],
    [{ ...MANIFEST, name: '../up' }, 'name is not a name of an addon'],
    [{ ...MANIFEST, version: '1' }, 'version is not a semantic version'],
    [{ ...MANIFEST, engines: { kernel: 'newest' } }, 'engines.kernel is not a range of versions'],
    [{ ...MANIFEST, dependencies: { A: '^1' } }, 'dependencies: "A" is not a name of an addon'],
    [
      { ...MANIFEST, definitions: [{ ...definition, kind: 'thing' }] },
      'definitions[0].kind is not a kind of definition',
    ],
    [{ ...MANIFEST, definitions: [definition, definition] }, 'definitions[1] defines component "a" again'],
    [{ ...MANIFEST, definitions: [{ ...definition, kind: 'trait' }] }, 'definitions[0].appliesTo is not a list'],
    [{ ...MANIFEST, definitions: [definition] }, 'bundle is not a text'],
    [{ ...MANIFEST, description: 'a\u001b[2J' }, 'description is not a text without control characters'],
    ['{"__proto__":{"a":1}}', 'it has a key "__proto__"'],
    ['['.repeat(100) + ']'.repeat(100), 'it is nested more than 64 levels deep'],
  ])('whose manifest is not valid is refused: %j', (manifest, message) => {
    const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    expect(() => openPackage(packPackage([file('manifest.json', text)]))).toThrow(message);
  });
});
