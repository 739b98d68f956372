/** Reads the source folder of an addon: `addon.yaml` and the files that go into the package as they are. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAddonName, type PackageFile } from '@lateen/registry/format/index.ts';
import type { AddonManifest, Fault, Place } from '@lateen/schemas';
import { validRange, valid as validVersion } from 'semver';
import { anyMap, fields, list, map, readShaped, type Shape, text } from './shape.ts';

export const MANIFEST_FILE = 'addon.yaml';
/** The definitions of an addon; a folder without it has none. */
export const ENTRY_FILE = 'index.ts';

const anyText = text('a text');
const filled = text('a text that is not empty', (value) => value.trim() !== '');
const version = text('a semantic version: 1.2.3', (value) => validVersion(value) === value);
const range = text('a range of versions: ^1.2', (value) => validRange(value) !== null);
const addonName = text('lower-case letters, digits and dashes, at most 63', isAddonName);
const contribution = text('clusterProvider, driver, source, route or exporter', (value) =>
  ['clusterProvider', 'driver', 'source', 'route', 'exporter'].includes(value),
);
const insidePath = text(
  'a path inside the addon: src/service.ts',
  (value) => value !== '' && !value.startsWith('/') && !value.split(/[\\/]/).includes('..'),
);

const permissions = fields(
  {},
  {
    kube: list(
      fields(
        { apiGroups: list(anyText), resources: list(anyText), verbs: list(filled) },
        { namespaces: list(anyText) },
      ),
    ),
    http: list(fields({ hosts: list(filled) })),
    exec: list(fields({ program: filled })),
  },
);

const MANIFEST_SHAPE: Shape = fields(
  { name: addonName, version, description: filled, engines: fields({ kernel: range }, { kubernetes: range }) },
  {
    icon: filled,
    tags: list(filled),
    license: filled,
    maintainers: list(fields({ name: filled }, { email: filled, url: filled })),
    dependencies: map(addonName, range),
    permissions,
    parameters: anyMap,
    services: map(addonName, fields({ entry: insidePath, contributes: list(contribution) })),
  },
);

export interface ReadManifest {
  manifest?: AddonManifest;
  faults: Fault[];
  placeOf(path: readonly (string | number)[]): Place;
}

/**
 * Reads `addon.yaml`. All its faults at once; code LTN505, and those of YAML itself.
 * @param file how the file is called in faults.
 */
export function readAddonManifest(yaml: string, file: string): ReadManifest {
  const { value, faults, placeOf } = readShaped(yaml, file, MANIFEST_SHAPE, 'LTN505');
  return faults.length === 0 ? { manifest: value as AddonManifest, faults, placeOf } : { faults, placeOf };
}

/** Folders and files that go into the package as they are, where they are there. */
const ASSETS = ['resources', 'ui', 'README.md', 'CHANGELOG.md', 'LICENSE', 'NOTICE'];

/**
 * The files that go into the package as they are.
 * @param also further paths, such as the icon.
 * @throws Fault[] never; files that cannot be packed are told in `faults`.
 */
export async function readAssets(
  sourceDir: string,
  also: readonly string[] = [],
): Promise<{ files: PackageFile[]; faults: Fault[] }> {
  const files: PackageFile[] = [];
  const faults: Fault[] = [];
  const visit = async (path: string): Promise<void> => {
    const full = join(sourceDir, path);
    const stats = await lstat(full).catch(() => undefined);
    if (!stats) return;
    if (stats.isDirectory()) {
      for (const name of (await readdir(full)).sort()) if (!name.startsWith('.')) await visit(`${path}/${name}`);
    } else if (stats.isFile()) {
      files.push({ path, data: await readFile(full) });
    } else {
      const message = `"${path}" is no plain file`;
      const hint = 'a package holds plain files only: put the file itself there';
      faults.push({ code: 'LTN507', severity: 'error', message, place: { file: full }, hint });
    }
  };
  for (const path of [...new Set([...ASSETS, ...also])]) await visit(path);
  return { files, faults };
}
