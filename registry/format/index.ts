export { parseData } from './data.ts';
export { digestOf, isDigest, verifyDigest } from './digest.ts';
export { definitionProblems, parseManifest } from './manifest.ts';
export {
  MANIFEST_PATH,
  type OpenedPackage,
  openPackage,
  PACKAGE_LIMITS,
  type PackageFile,
  type PackageLimits,
  packPackage,
  unpackPackage,
} from './package.ts';
export { addonPath, badPath, INDEX_PATH, isAddonName, packagePath, profilePath } from './paths.ts';
export { parseAddonVersions, parseIndex, parseProfile, profileProblem } from './read.ts';
export { type WriteTreeOptions, type WrittenTree, writeTree } from './tree.ts';
export type * from './types.ts';
