/** The keys and certificates of one devcluster, made once and kept in its data folder. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issueCertificate, type KeyPair, newPrivateKey } from './certificates.ts';

/** Everything that a devcluster signs or identifies itself with. All PEM. */
export interface Pki {
  authority: KeyPair;
  server: KeyPair;
  admin: KeyPair;
  /** Private key that signs ServiceAccount tokens. */
  serviceAccountKey: string;
}

const DAY = 24 * 60 * 60 * 1000;
const LIFETIME_DAYS = { authority: 3650, leaf: 365 };
/** A leaf with less time left than this is replaced when the cluster starts. */
const RENEW_BEFORE = 30 * DAY;
const FILE = 'pki.json';

const isPki = (value: unknown): value is Pki =>
  typeof value === 'object' &&
  value !== null &&
  ['authority', 'server', 'admin', 'serviceAccountKey'].every((key) => key in value);

const expiresSoon = (cert: string, now: number): boolean =>
  new X509Certificate(cert).validToDate.getTime() < now + RENEW_BEFORE;

function issue(
  authority: KeyPair,
  now: number,
  subject: { commonName: string; organizations?: string[] },
  server: boolean,
): KeyPair {
  const { pem: key, key: privateKey } = newPrivateKey();
  const cert = issueCertificate(authority, {
    subject,
    publicKey: createPublicKey(privateKey),
    usages: [server ? 'serverAuth' : 'clientAuth'],
    names: server
      ? ['127.0.0.1', '::1', 'localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
      : undefined,
    // An hour back, for clients whose clock is behind.
    notBefore: now - 60 * 60 * 1000,
    notAfter: now + LIFETIME_DAYS.leaf * DAY,
  });
  return { cert, key };
}

/**
 * The keys of a data folder; made when there are none, leaves renewed when they end within 30 days. Without a folder they live
 * in memory only. Files are readable by their owner alone.
 * @param now milliseconds since the epoch
 */
export function loadPki(dataDir: string | undefined, now: number): Pki {
  const path = dataDir === undefined ? undefined : join(dataDir, FILE);
  let pki: Pki | undefined;
  if (path !== undefined) {
    try {
      const stored: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (isPki(stored)) pki = stored;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
    }
  }
  let changed = false;
  if (!pki || expiresSoon(pki.authority.cert, now)) {
    const authority = createAuthority('devcluster-ca', now - 60 * 60 * 1000, now + LIFETIME_DAYS.authority * DAY);
    pki = {
      authority,
      server: issue(authority, now, { commonName: 'devcluster' }, true),
      admin: issue(authority, now, { commonName: 'devcluster-admin', organizations: ['system:masters'] }, false),
      serviceAccountKey: pki?.serviceAccountKey ?? newPrivateKey().pem,
    };
    changed = true;
  }
  if (expiresSoon(pki.server.cert, now) || expiresSoon(pki.admin.cert, now)) {
    pki = {
      ...pki,
      server: issue(pki.authority, now, { commonName: 'devcluster' }, true),
      admin: issue(pki.authority, now, { commonName: 'devcluster-admin', organizations: ['system:masters'] }, false),
    };
    changed = true;
  }
  if (changed && dataDir !== undefined && path !== undefined) {
    mkdirSync(dataDir, { recursive: true });
    // Written beside and renamed: a kill in between leaves the old file or none, never half a key.
    writeFileSync(`${path}.new`, JSON.stringify(pki), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
  return pki;
}
