/** Writes a registry tree into a folder. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DefinitionKind, LateenError } from '@lateen/schemas';
import { compare, prerelease } from 'semver';
import { digestOf } from './digest.ts';
import { openPackage } from './package.ts';
import { addonPath, INDEX_PATH, packagePath, profilePath } from './paths.ts';
import { parseAddonVersions, parseIndex } from './read.ts';
import type { AddonVersionEntry, AddonVersions, IndexEntry, Profile, RegistryIndex } from './types.ts';

export interface WriteTreeOptions {
  /**
   * What to do with a version that is there with other bytes. `refuse` (default): a published version stays what it
   * is. `repoint`: the entry names the new package, for a tree that is built from a working copy again and again;
   * the old package stays where it is.
   */
  changed?: 'refuse' | 'repoint';
}

export interface WrittenTree {
  index: RegistryIndex;
  /** `name@version` of what was added or repointed. */
  written: string[];
}

/** A reader sees the old file or the new one, never a part. */
async function writeWhole(path: string, bytes: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, bytes, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const textOf = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** Writes the file only when it says something new, so that a rebuild without change touches nothing. */
async function writeIfNew(path: string, text: string): Promise<void> {
  const there = await readIfThere(path);
  if (there?.toString() !== text) await writeWhole(path, text);
}

interface Incoming {
  entry: AddonVersionEntry;
  index: IndexEntry;
  bytes: Uint8Array;
}

function incoming(bytes: Uint8Array): Incoming {
  const { manifest } = openPackage(bytes);
  const { name, version, description, tags, engines, dependencies } = manifest;
  const offers: Partial<Record<DefinitionKind, string[]>> = {};
  for (const { kind, name } of manifest.definitions) {
    const names = offers[kind] ?? [];
    offers[kind] = names;
    names.push(name);
  }
  for (const names of Object.values(offers)) names.sort();
  const contributes = [...new Set(Object.values(manifest.services ?? {}).flatMap((service) => service.contributes))];
  return {
    bytes,
    entry: {
      version,
      digest: digestOf(bytes),
      size: bytes.length,
      engines,
      ...(dependencies && { dependencies }),
    },
    index: {
      name,
      description,
      latest: version,
      ...(tags && { tags }),
      offers,
      ...(contributes.length > 0 && { contributes: contributes.sort() }),
    },
  };
}

async function writePackage(dir: string, bytes: Uint8Array, digest: string): Promise<void> {
  const path = join(dir, packagePath(digest));
  const there = await readIfThere(path);
  // What lies under a digest is that or damaged; a damaged file is written again.
  if (there && createHash('sha256').update(there).digest('hex') === digest.slice('sha256:'.length)) return;
  await writeWhole(path, bytes);
}

function withVersion(addon: AddonVersions, entry: AddonVersionEntry, changed: 'refuse' | 'repoint'): boolean {
  const at = addon.versions.findIndex(({ version }) => version === entry.version);
  const there = addon.versions[at];
  if (there?.digest === entry.digest) return false;
  if (there && changed === 'refuse') {
    throw new LateenError({
      code: 'LTN602',
      severity: 'error',
      message: `version ${entry.version} of addon "${addon.name}" is in the registry with other bytes`,
      expected: there.digest,
      hint: 'bytes of a version are never replaced: give the change a new version',
    });
  }
  if (there) addon.versions[at] = entry;
  else addon.versions.push(entry);
  addon.versions.sort((a, b) => compare(a.version, b.version));
  return true;
}

/** The newest version; one that is no prerelease and not revoked where there is one. */
function latestOf({ versions }: AddonVersions): string | undefined {
  const usable = versions.filter(({ revoked }) => revoked === undefined);
  const released = usable.filter(({ version }) => prerelease(version) === null);
  return (released.at(-1) ?? usable.at(-1) ?? versions.at(-1))?.version;
}

/**
 * Adds packages and profiles to the tree in `dir`, which is made where it is not there. Order: packages, addons,
 * index; so a reader never finds a name for something that is not there yet.
 * @param packages bytes of packages, each a whole `.tgz`.
 * @param profiles by name.
 * @throws LateenError LTN503 for a malformed package, LTN602 for a tree that is malformed or holds other bytes.
 */
export async function writeTree(
  dir: string,
  packages: readonly Uint8Array[],
  profiles: Readonly<Record<string, Profile>> = {},
  options: WriteTreeOptions = {},
): Promise<WrittenTree> {
  const all = packages.map(incoming);
  const indexPath = join(dir, INDEX_PATH);
  const oldIndex = await readIfThere(indexPath);
  const index: RegistryIndex = oldIndex
    ? parseIndex(oldIndex.toString(), indexPath)
    : { format: 'lateen.dev/registry/v1', addons: [] };
  const written: string[] = [];

  for (const { entry, index: indexEntry, bytes } of all) {
    const { name } = indexEntry;
    const path = join(dir, addonPath(name));
    const old = await readIfThere(path);
    const addon: AddonVersions = old ? parseAddonVersions(old.toString(), name, path) : { name, versions: [] };
    if (withVersion(addon, entry, options.changed ?? 'refuse')) written.push(`${name}@${entry.version}`);
    await writePackage(dir, bytes, entry.digest);
    await writeIfNew(path, textOf(addon));
    const isLatest = latestOf(addon) === entry.version;
    const at = index.addons.findIndex((other) => other.name === name);
    if (at === -1) index.addons.push(indexEntry);
    else if (isLatest) index.addons[at] = indexEntry;
  }
  index.addons.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const [name, profile] of Object.entries(profiles))
    await writeIfNew(join(dir, profilePath(name)), textOf(profile));
  await writeIfNew(indexPath, textOf(index));
  return { index, written };
}
