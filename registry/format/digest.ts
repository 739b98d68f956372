/** The identity of a package: a digest of its bytes. */
import { createHash } from 'node:crypto';
import { LateenError } from '@lateen/schemas';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** @returns `sha256:<64 hex digits>` */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && DIGEST.test(text);
}

/** @throws LateenError LTN503 when the bytes are not those that the digest stands for. */
export function verifyDigest(bytes: Uint8Array, digest: string, what = 'the package'): void {
  const actual = digestOf(bytes);
  if (actual === digest) return;
  throw new LateenError({
    code: 'LTN503',
    severity: 'error',
    message: `${what} does not match its digest: it is ${actual}`,
    expected: digest,
    hint: 'the download was cut or the bytes were changed; nothing of it was used',
  });
}
