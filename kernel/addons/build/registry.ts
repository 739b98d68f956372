/** Builds a folder of addons into a registry tree: what a checkout serves to its own kernel. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isAddonName, type Profile, type WrittenTree, writeTree } from '@lateen/registry/format/index.ts';
import { type Fault, LateenError } from '@lateen/schemas';
import { validRange } from 'semver';
import { createInlineSandbox, type Sandbox } from '../../sandbox/index.ts';
import { type BuiltAddon, buildAddon } from './build.ts';
import { fields, list, readShaped, text } from './shape.ts';
import { MANIFEST_FILE } from './source.ts';

export interface BuildRegistryOptions {
  /** Folder whose folders with an `addon.yaml` are addons; others are passed over. */
  addonsDir: string;
  outDir: string;
  /** A YAML file with the profile; it is served under the file's name without its ending. */
  profile?: string;
  sandbox?: Sandbox;
  sdkDir?: string;
}

export interface BuiltRegistry extends WrittenTree {
  addons: BuiltAddon[];
}

const choices = list(
  fields({
    name: text('a name of an addon', isAddonName),
    version: text('a range', (value) => validRange(value) !== null),
  }),
);
const PROFILE_SHAPE = fields({ addons: choices, clusterProviders: choices });

/** @throws LateenError LTN602 with places. */
async function readProfile(file: string): Promise<{ name: string; profile: Profile }> {
  const { value, faults } = readShaped(await readFile(file, 'utf8'), file, PROFILE_SHAPE, 'LTN602');
  if (faults.length > 0) throw new LateenError(faults);
  return { name: basename(file).replace(/\.ya?ml$/, ''), profile: value as Profile };
}

/**
 * Builds every addon and writes the tree. A version whose source changed is repointed to the new package, for a
 * working copy is built again and again; a registry that others follow refuses that.
 * @throws LateenError with the faults of all addons.
 */
export async function buildRegistry(options: BuildRegistryOptions): Promise<BuiltRegistry> {
  const { addonsDir, outDir, sandbox = createInlineSandbox(), sdkDir } = options;
  const names = (await readdir(addonsDir, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && existsSync(join(addonsDir, entry.name, MANIFEST_FILE)))
    .map(({ name }) => name)
    .sort();
  const faults: Fault[] = [];
  const results = await Promise.all(
    names.map(async (name) => {
      try {
        return await buildAddon(join(addonsDir, name), { sandbox, sdkDir });
      } catch (error) {
        if (!(error instanceof LateenError)) throw error;
        faults.push(...error.faults);
        return undefined;
      }
    }),
  );
  const profiles: Record<string, Profile> = {};
  if (options.profile !== undefined) {
    const { name, profile } = await readProfile(options.profile);
    profiles[name] = profile;
  }
  if (faults.length > 0) throw new LateenError(faults);
  const addons = results.filter((result) => result !== undefined);
  const tree = await writeTree(
    outDir,
    addons.map((addon) => addon.package),
    profiles,
    { changed: 'repoint' },
  );
  return { ...tree, addons };
}
