/** Names and paths in a registry tree and in a package. Everything that becomes part of a path is checked here. */
import { isDigest } from './digest.ts';

const NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether an addon or a profile may be called so: lower-case letters, digits and dashes, 63 at most. */
export function isAddonName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name);
}

export const INDEX_PATH = 'index.json';

/** @throws TypeError for a name that could lead elsewhere. */
export function addonPath(name: string): string {
  if (!isAddonName(name)) throw new TypeError(`not a name of an addon: ${JSON.stringify(name)}`);
  return `addons/${name}.json`;
}

export function profilePath(name: string): string {
  if (!isAddonName(name)) throw new TypeError(`not a name of a profile: ${JSON.stringify(name)}`);
  return `profiles/${name}.json`;
}

export function packagePath(digest: string): string {
  if (!isDigest(digest)) throw new TypeError(`not a digest: ${JSON.stringify(digest)}`);
  return `packages/sha256/${digest.slice('sha256:'.length)}.tgz`;
}

const MAX_PATH = 240;

/**
 * Why a path may not stand in a package, or `undefined` when it may. Paths are relative, with `/` between plain
 * names, so that none can lead out of the folder into which a package is written, on any system.
 */
export function badPath(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.length > MAX_PATH) return `is longer than ${MAX_PATH} characters`;
  if (/[\\:*?"<>|]/.test(path) || hasControl(path)) return 'has a character that file names may not have';
  if (path.startsWith('/')) return 'is absolute';
  for (const part of path.split('/')) {
    if (part === '') return 'has an empty part';
    if (part === '.' || part === '..') return `has a part "${part}"`;
    if (part.endsWith('.') || part.endsWith(' ')) return 'has a part that ends in a dot or a space';
  }
  return undefined;
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 32 || code === 127) return true;
  }
  return false;
}
