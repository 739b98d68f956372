/** Addon packages: a gzipped tar of plain files, with `manifest.json` at the top. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { LateenError, type PackageManifest } from '@lateen/schemas';
import { verifyDigest } from './digest.ts';
import { parseManifest } from './manifest.ts';
import { badPath } from './paths.ts';
import { readTar, TarError, type TarFile, writeTar } from './tar.ts';

export interface PackageFile {
  /** Relative, with `/`: `services/api.mjs`. */
  path: string;
  data: Uint8Array;
}

export interface PackageLimits {
  /** Bytes of the package as it is transferred. */
  maxPackageBytes: number;
  /** Bytes of all files together. */
  maxTotalBytes: number;
  maxFileBytes: number;
  maxFiles: number;
}

export const PACKAGE_LIMITS: PackageLimits = {
  maxPackageBytes: 32 * 1024 * 1024,
  maxTotalBytes: 128 * 1024 * 1024,
  maxFileBytes: 64 * 1024 * 1024,
  maxFiles: 2000,
};

export const MANIFEST_PATH = 'manifest.json';

function malformed(message: string, what: string): LateenError {
  return new LateenError({ code: 'LTN503', severity: 'error', message: `${what} is malformed: ${message}` });
}

/** Faults of paths that apply to writing and reading alike. File systems that ignore case must not merge two files. */
function checkPaths(files: readonly TarFile[], what: string): void {
  const seen = new Set<string>();
  for (const { path } of files) {
    const reason = badPath(path);
    if (reason) throw malformed(`path ${JSON.stringify(path)} ${reason}`, what);
    const key = path.normalize('NFC').toLowerCase();
    if (seen.has(key)) throw malformed(`${JSON.stringify(path)} is there twice`, what);
    seen.add(key);
  }
  for (const key of seen) {
    for (let at = key.indexOf('/'); at !== -1; at = key.indexOf('/', at + 1)) {
      if (seen.has(key.slice(0, at))) throw malformed(`"${key.slice(0, at)}" is a file and a folder`, what);
    }
  }
}

/**
 * The package of these files. Same files, same bytes: sorted, no times, no owners, no name of the machine's system.
 * @throws LateenError LTN503 for paths that a reader would refuse.
 */
export function packPackage(files: readonly PackageFile[]): Uint8Array {
  checkPaths(files, 'the package');
  const bytes = gzipSync(writeTar(files), { level: 9 });
  // The header's tenth byte names the operating system that compressed; 255 is "unknown".
  bytes[9] = 255;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The files of a package. Nothing is written anywhere, and nothing is unpacked beyond the limits.
 * @throws LateenError LTN503 for anything but plain files with plain relative paths.
 */
export function unpackPackage(
  bytes: Uint8Array,
  limits: Partial<PackageLimits> = {},
  what = 'the package',
): PackageFile[] {
  const { maxPackageBytes, maxTotalBytes, maxFileBytes, maxFiles } = { ...PACKAGE_LIMITS, ...limits };
  if (bytes.length > maxPackageBytes) throw malformed(`it is larger than ${maxPackageBytes} bytes`, what);
  let archive: Uint8Array;
  try {
    archive = gunzipSync(bytes, { maxOutputLength: maxTotalBytes });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw malformed(`it unpacks to more than ${maxTotalBytes} bytes`, what);
    throw malformed('it is not gzip, or damaged', what);
  }
  let files: TarFile[];
  try {
    files = readTar(archive, { maxFiles, maxFileBytes });
  } catch (error) {
    if (error instanceof TarError) throw malformed(error.message, what);
    throw error;
  }
  checkPaths(files, what);
  return files;
}

export interface OpenedPackage {
  manifest: PackageManifest;
  /** By path; `manifest.json` included. */
  files: Map<string, Uint8Array>;
}

/**
 * Verifies, unpacks and reads a package. Every file that the manifest names is there.
 * @param options.digest what the bytes must be. Left out only by who has just built them.
 * @throws LateenError LTN503
 */
export function openPackage(
  bytes: Uint8Array,
  options: { digest?: string; limits?: Partial<PackageLimits>; what?: string } = {},
): OpenedPackage {
  const what = options.what ?? 'the package';
  if (options.digest !== undefined) verifyDigest(bytes, options.digest, what);
  const files = new Map(unpackPackage(bytes, options.limits, what).map(({ path, data }) => [path, data]));
  const data = files.get(MANIFEST_PATH);
  if (!data) throw malformed(`it has no ${MANIFEST_PATH}`, what);
  const manifest = parseManifest(new TextDecoder().decode(data), what);
  const named = [
    ...(manifest.bundle === undefined ? [] : [manifest.bundle]),
    ...manifest.resources,
    ...Object.values(manifest.services ?? {}).map(({ entry }) => entry),
  ];
  for (const path of named) {
    if (!files.has(path)) throw malformed(`its manifest names ${JSON.stringify(path)}, which is not there`, what);
  }
  return { manifest, files };
}
