/**
 * Tar archives (ustar), written and read by us: the writer so that the same files give the same bytes whatever the
 * machine, the reader so that nothing but plain files, with plain paths and within limits, ever comes out.
 */

export interface TarFile {
  path: string;
  data: Uint8Array;
}

const BLOCK = 512;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

/** A path is split at a slash where its name field cannot hold it. */
function splitPath(path: string): { name: string; prefix: string } {
  if (encoder.encode(path).length <= 100) return { name: path, prefix: '' };
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const prefix = path.slice(0, at);
    const name = path.slice(at + 1);
    if (encoder.encode(name).length <= 100 && encoder.encode(prefix).length <= 155) return { name, prefix };
  }
  throw new TypeError(`path is too long for an archive: ${path}`);
}

function header(file: TarFile): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (offset: number, text: string) => block.set(encoder.encode(text), offset);
  const { name, prefix } = splitPath(file.path);
  put(0, name);
  put(100, octal(0o644, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(file.data.length, 12));
  put(136, octal(0, 12));
  put(148, '        ');
  put(156, '0');
  put(257, 'ustar\0');
  put(263, '00');
  put(345, prefix);
  put(148, `${checksum(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}

function checksum(block: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < BLOCK; index++) sum += index >= 148 && index < 156 ? 32 : (block[index] ?? 0);
  return sum;
}

/** An archive of the files, sorted by path; owner, mode and time are fixed. */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const parts: Uint8Array[] = [];
  for (const file of sorted) {
    parts.push(header(file), file.data, new Uint8Array((BLOCK - (file.data.length % BLOCK)) % BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  const archive = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    archive.set(part, offset);
    offset += part.length;
  }
  return archive;
}

/** Thrown for an archive that is cut, damaged, or holds anything but plain files. */
export class TarError extends Error {}

export interface TarLimits {
  maxFiles: number;
  maxFileBytes: number;
}

function text(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  try {
    return decoder.decode(end === -1 ? field : field.subarray(0, end));
  } catch {
    throw new TarError('a header is not UTF-8');
  }
}

function number(block: Uint8Array, offset: number, length: number): number {
  const digits = text(block, offset, length).trim();
  if (!/^[0-7]+$/.test(digits)) throw new TarError('a header has a number that is not octal');
  return Number.parseInt(digits, 8);
}

const KINDS: Record<string, string> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '5': 'a folder entry',
  '6': 'a pipe',
  g: 'an extended header',
  x: 'an extended header',
};

/**
 * The files of an archive, in its order. Their data are views into `archive`. Paths are given as they stand: the
 * caller judges them.
 * @throws TarError
 */
export function readTar(archive: Uint8Array, limits: TarLimits): TarFile[] {
  const files: TarFile[] = [];
  let offset = 0;
  for (;;) {
    const block = archive.subarray(offset, offset + BLOCK);
    if (block.length < BLOCK) throw new TarError('the archive is cut');
    if (block.every((byte) => byte === 0)) break;
    if (text(block, 257, 5) !== 'ustar') throw new TarError('a header is not of the ustar format');
    if (number(block, 148, 8) !== checksum(block)) throw new TarError('a header does not match its checksum');
    const prefix = text(block, 345, 155);
    const name = text(block, 0, 100);
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const kind = String.fromCharCode(block[156] ?? 0);
    if (kind !== '0' && kind !== '\0') throw new TarError(`"${path}" is ${KINDS[kind] ?? 'of an unknown kind'}`);
    const size = number(block, 124, 12);
    if (size > limits.maxFileBytes) throw new TarError(`"${path}" is larger than ${limits.maxFileBytes} bytes`);
    const start = offset + BLOCK;
    if (start + size > archive.length) throw new TarError(`"${path}" is cut`);
    files.push({ path, data: archive.subarray(start, start + size) });
    if (files.length > limits.maxFiles) throw new TarError(`there are more than ${limits.maxFiles} files`);
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
