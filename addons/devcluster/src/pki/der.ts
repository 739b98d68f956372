/** The part of ASN.1's distinguished encoding rules that X.509 certificates and signing requests need. */

/** One decoded element: `raw` is the whole element with its header, `content` what is inside. */
export interface DerNode {
  tag: number;
  content: Buffer;
  raw: Buffer;
}

/** An element of the given tag around the concatenated parts. */
export function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const header: number[] = [tag];
  if (content.length < 0x80) header.push(content.length);
  else {
    const length: number[] = [];
    for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
    header.push(0x80 | length.length, ...length);
  }
  return Buffer.concat([Buffer.from(header), content]);
}

export const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts);
export const set = (...parts: Uint8Array[]): Buffer => der(0x31, ...parts);
export const octetString = (bytes: Uint8Array): Buffer => der(0x04, bytes);
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer => der(0x03, Buffer.from([unusedBits]), bytes);
export const utf8String = (text: string): Buffer => der(0x0c, Buffer.from(text, 'utf8'));
export const boolean = (value: boolean): Buffer => der(0x01, Buffer.from([value ? 0xff : 0]));
/** A context-specific constructed element, as `[n] EXPLICIT` is encoded. */
export const explicit = (tag: number, ...parts: Uint8Array[]): Buffer => der(0xa0 | tag, ...parts);

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  return der(0x02, (trimmed[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed);
}

/** An object identifier from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

/** A point in time, in the form that X.509 wants for its year. @param time milliseconds since the epoch */
export function time(time: number): Buffer {
  const digits = new Date(time)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? der(0x17, Buffer.from(digits.slice(2), 'ascii'))
    : der(0x18, Buffer.from(digits, 'ascii'));
}

/**
 * Reads the element at the start of `bytes`.
 * @throws RangeError when the bytes end too early or the length has no definite form.
 */
export function readDer(bytes: Buffer): DerNode {
  if (bytes.length < 2) throw new RangeError('DER: the data ends within a header');
  let length = bytes[1]!;
  let start = 2;
  if (length & 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 4 || bytes.length < 2 + count) throw new RangeError('DER: a length of no definite form');
    length = bytes.readUIntBE(2, count);
    start += count;
  }
  if (start + length > bytes.length) throw new RangeError('DER: the data ends within an element');
  return { tag: bytes[0]!, content: bytes.subarray(start, start + length), raw: bytes.subarray(0, start + length) };
}

/** The elements inside a constructed element, in order. @throws RangeError as {@link readDer} does. */
export function children(node: DerNode): DerNode[] {
  const result: DerNode[] = [];
  for (let at = 0; at < node.content.length; ) {
    const child = readDer(node.content.subarray(at));
    result.push(child);
    at += child.raw.length;
  }
  return result;
}

/** The dotted form of a decoded object identifier. */
export function dotted(node: DerNode): string {
  const arcs: number[] = [];
  let value = 0;
  for (const byte of node.content) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      arcs.push(first, value - first * 40);
    } else arcs.push(value);
    value = 0;
  }
  return arcs.join('.');
}

/** PEM text around DER bytes, 64 characters a line. */
export function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** DER bytes of the first PEM block with this label; undefined without one. */
export function fromPem(label: string, text: string): Buffer | undefined {
  const match = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(text);
  return match ? Buffer.from(match[1]!.replace(/\s+/g, ''), 'base64') : undefined;
}
