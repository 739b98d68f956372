/** Reads the files of a registry tree. They may come from any server: every field that is used is checked. */
import { LateenError } from '@lateen/schemas';
import { validRange, valid as validVersion } from 'semver';
import { parseData } from './data.ts';
import { isDigest } from './digest.ts';
import { isAddonName } from './paths.ts';
import type { AddonVersionEntry, AddonVersions, IndexEntry, Profile, RegistryIndex } from './types.ts';

type Fields = Record<string, unknown>;

const isMap = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isOptionalText = (value: unknown) => value === undefined || isText(value);
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isVersion = (value: unknown) => isText(value) && validVersion(value) === value;
const isRange = (value: unknown) => isText(value) && validRange(value) !== null;

function malformed(file: string, message: string): LateenError {
  return new LateenError({ code: 'LTN602', severity: 'error', message: `${file} is malformed: ${message}` });
}

function mapOf(text: string, file: string): Fields {
  const data = parseData(text);
  if (data.problem !== undefined) throw malformed(file, `it ${data.problem}`);
  if (!isMap(data.value)) throw malformed(file, 'it is not an object');
  return data.value;
}

function isIndexEntry(entry: unknown): entry is IndexEntry {
  return (
    isMap(entry) &&
    isAddonName(entry.name) &&
    isText(entry.description) &&
    isVersion(entry.latest) &&
    (entry.tags === undefined || isTexts(entry.tags)) &&
    isMap(entry.offers) &&
    Object.values(entry.offers).every(isTexts) &&
    (entry.contributes === undefined || isTexts(entry.contributes))
  );
}

/**
 * Reads `index.json`.
 * @param file how the file is called in errors.
 * @throws LateenError LTN602
 */
export function parseIndex(text: string, file: string): RegistryIndex {
  const index = mapOf(text, file);
  if (index.format !== 'lateen.dev/registry/v1') throw malformed(file, 'its format is not "lateen.dev/registry/v1"');
  if (!Array.isArray(index.addons)) throw malformed(file, 'its addons are not a list');
  const names = new Set<string>();
  for (const [position, entry] of index.addons.entries()) {
    if (!isIndexEntry(entry)) throw malformed(file, `addons[${position}] is not an entry of an index`);
    if (names.has(entry.name)) throw malformed(file, `addon "${entry.name}" is there twice`);
    names.add(entry.name);
  }
  return index as unknown as RegistryIndex;
}

function isVersionEntry(entry: unknown): entry is AddonVersionEntry {
  return (
    isMap(entry) &&
    isVersion(entry.version) &&
    isDigest(entry.digest) &&
    Number.isSafeInteger(entry.size) &&
    (entry.size as number) > 0 &&
    isMap(entry.engines) &&
    isRange(entry.engines.kernel) &&
    (entry.engines.kubernetes === undefined || isRange(entry.engines.kubernetes)) &&
    (entry.dependencies === undefined ||
      (isMap(entry.dependencies) &&
        Object.entries(entry.dependencies).every(([name, range]) => isAddonName(name) && isRange(range)))) &&
    isOptionalText(entry.deprecated) &&
    isOptionalText(entry.revoked)
  );
}

/**
 * Reads `addons/<name>.json`.
 * @param name the addon that was asked for; a file that tells of another is refused.
 * @throws LateenError LTN602
 */
export function parseAddonVersions(text: string, name: string, file: string): AddonVersions {
  const addon = mapOf(text, file);
  if (addon.name !== name) throw malformed(file, `it is about another addon than "${name}"`);
  if (!Array.isArray(addon.versions)) throw malformed(file, 'its versions are not a list');
  const versions = new Set<string>();
  for (const [position, entry] of addon.versions.entries()) {
    if (!isVersionEntry(entry)) throw malformed(file, `versions[${position}] is not an entry of a version`);
    if (versions.has(entry.version)) throw malformed(file, `version ${entry.version} is there twice`);
    versions.add(entry.version);
  }
  return addon as unknown as AddonVersions;
}

function isChoice(value: unknown): boolean {
  return isMap(value) && isAddonName(value.name) && isRange(value.version);
}

/** What makes a value unfit to be a profile, or `undefined`. The sentence goes on from "the profile". */
export function profileProblem(value: unknown): string | undefined {
  if (!isMap(value)) return 'is not an object';
  for (const field of ['addons', 'clusterProviders']) {
    const list = value[field];
    if (!Array.isArray(list)) return `has no list "${field}"`;
    const bad = list.findIndex((item) => !isChoice(item));
    if (bad !== -1) return `has in ${field}[${bad}] no name of an addon with a range of versions`;
  }
  return undefined;
}

/**
 * Reads `profiles/<name>.json`.
 * @throws LateenError LTN602
 */
export function parseProfile(text: string, file: string): Profile {
  const value = mapOf(text, file);
  const problem = profileProblem(value);
  if (problem !== undefined) throw malformed(file, `it ${problem}`);
  return value as unknown as Profile;
}
