/** ServiceAccount tokens: JSON Web Tokens signed with an elliptic-curve key (ES256). */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Loose } from '../types/loose.ts';

export const ISSUER = 'https://kubernetes.default.svc';

/** What a token says. Times are in seconds since the epoch. */
export interface TokenClaims {
  iss: string;
  sub: string;
  aud: string[];
  iat: number;
  nbf: number;
  exp: number;
  jti: string;
  'kubernetes.io': {
    namespace: string;
    serviceaccount: { name: string; uid: string };
    pod?: { name: string; uid: string };
    secret?: { name: string; uid: string };
    node?: { name: string; uid: string };
  };
}

export interface TokenSigner {
  sign(claims: TokenClaims): string;
  /** @returns the claims of a token that this signer signed; undefined for any other text. Time is not looked at. */
  verify(token: string): TokenClaims | undefined;
  /** Public keys, as JSON Web Key Set. */
  keys: { keys: Loose[] };
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

/** @param privateKey PEM, P-256 */
export function createTokenSigner(privateKey: string): TokenSigner {
  const key: KeyObject = createPrivateKey(privateKey);
  const publicKey = createPublicKey(key);
  const kid = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const header = base64url({ alg: 'ES256', kid });
  return {
    sign(claims) {
      const body = `${header}.${base64url(claims)}`;
      return `${body}.${sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    },
    verify(token) {
      const [head, payload, signature, ...rest] = token.split('.');
      if (head !== header || payload === undefined || signature === undefined || rest.length > 0) return undefined;
      const bytes = Buffer.from(signature, 'base64url');
      const good = verify(
        'sha256',
        Buffer.from(`${head}.${payload}`),
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        bytes,
      );
      if (!good) return undefined;
      try {
        return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as TokenClaims;
      } catch {
        return undefined;
      }
    },
    keys: { keys: [{ use: 'sig', ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256' }] },
  };
}
