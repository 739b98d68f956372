/** The image of a VM: what its memory holds once its bundle has run its top level. */

/**
 * The bytes of a VM at rest: its memory without the module's stack, which lies below `stackPointer` and is empty
 * between calls, and without the {@link Gap}, which is free.
 */
export interface Image {
  stackPointer: number;
  memoryBytes: number;
  parts: { at: number; bytes: Uint8Array }[];
}

/** A range of free memory. */
export interface Gap {
  from: number;
  to: number;
}

/** The allocator keeps its own records at both ends of free memory. Bytes; far more than they take. */
export const RECORDS = 4096;

/** Where the parts that a call needs lie in an image. */
export interface Layout {
  headroom: Gap;
  entry: number;
  receiver: number;
  /** 4 bytes for results and arguments. */
  scratch: number;
}

/** Changes whenever an older image could not be used: with this file, and with what runs before a bundle does. */
const FORMAT = 1;

interface Header {
  format: number;
  stackPointer: number;
  memoryBytes: number;
  layout: Layout;
  parts: { at: number; length: number }[];
}

/** An image as bytes: one line of JSON, then its parts. */
export function encodeImage(image: Image, layout: Layout): Uint8Array<ArrayBuffer> {
  const { stackPointer, memoryBytes } = image;
  const parts = image.parts.map(({ at, bytes }) => ({ at, length: bytes.length }));
  const header: Header = { format: FORMAT, stackPointer, memoryBytes, layout, parts };
  const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, line.length));
  bytes.set(line, 0);
  let offset = line.length;
  for (const part of image.parts) {
    bytes.set(part.bytes, offset);
    offset += part.bytes.length;
  }
  return bytes;
}

/** @returns nothing when the bytes are no image that this kernel wrote, or were cut. */
export function decodeImage(bytes: Uint8Array): { image: Image; layout: Layout } | undefined {
  const end = bytes.indexOf(10);
  if (end === -1) return undefined;
  let header: Header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as Header;
  } catch {
    return undefined;
  }
  if (header.format !== FORMAT) return undefined;
  const { stackPointer, memoryBytes, layout } = header;
  const image: Image = { stackPointer, memoryBytes, parts: [] };
  let offset = end + 1;
  for (const { at, length } of header.parts) {
    if (offset + length > bytes.length || at + length > memoryBytes) return undefined;
    image.parts.push({ at, bytes: bytes.subarray(offset, offset + length) });
    offset += length;
  }
  return offset === bytes.length ? { image, layout } : undefined;
}
