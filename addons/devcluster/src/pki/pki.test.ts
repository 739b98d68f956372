import { createPublicKey, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAuthority, issueCertificate, newPrivateKey, readCertificateRequest } from './certificates.ts';
import {
  bitString,
  children,
  dotted,
  explicit,
  integer,
  objectIdentifier,
  pem,
  readDer,
  sequence,
  set,
  utf8String,
} from './der.ts';
import { loadPki } from './store.ts';

const NOW = Date.UTC(2026, 5, 1);
const YEAR = 365 * 24 * 3600 * 1000;

/** A signing request as openssl or a Go client would write it. */
function signingRequest(commonName: string, organizations: string[]): { text: string; key: string } {
  const { pem: key, key: privateKey } = newPrivateKey();
  const attribute = (oid: string, value: string): Buffer => sequence(objectIdentifier(oid), utf8String(value));
  const info = sequence(
    integer(Buffer.from([0])),
    sequence(...organizations.map((one) => set(attribute('2.5.4.10', one))), set(attribute('2.5.4.3', commonName))),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    explicit(0),
  );
  const signed = sequence(
    info,
    sequence(objectIdentifier('1.2.840.10045.4.3.2')),
    bitString(sign('sha256', info, privateKey)),
  );
  return { text: pem('CERTIFICATE REQUEST', signed), key };
}

describe('certificates', () => {
  it('are accepted by the platform as signed by their authority, with the names asked for', () => {
    const authority = createAuthority('a test', NOW, NOW + YEAR);
    const { key } = newPrivateKey();
    const cert = issueCertificate(authority, {
      subject: { commonName: 'somebody', organizations: ['one', 'two'] },
      publicKey: createPublicKey(key),
      usages: ['serverAuth'],
      names: ['127.0.0.1', '::1', 'localhost'],
      notBefore: NOW,
      notAfter: NOW + YEAR,
    });
    const parsed = new X509Certificate(cert);
    expect(parsed.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
    expect(parsed.checkIssued(new X509Certificate(authority.cert))).toBe(true);
    expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(parsed.subjectAltName).toContain('IP Address:0:0:0:0:0:0:0:1');
    expect(parsed.checkHost('localhost')).toBe('localhost');
    expect(parsed.subject).toBe('O=one\nO=two\nCN=somebody');
    expect(parsed.validToDate.getTime()).toBe(NOW + YEAR);
  });

  it('of a request carry its subject, and a request whose signature is wrong is refused', () => {
    const { text } = signingRequest('system:node:a', ['system:nodes', 'x']);
    const request = readCertificateRequest(text);
    expect(request).toMatchObject({ commonName: 'system:node:a', organizations: ['system:nodes', 'x'] });
    const bytes = Buffer.from(text.replace(/-----[^-]+-----/g, '').replace(/\s/g, ''), 'base64');
    const at = bytes.indexOf('system:node:a');
    bytes.write('system:node:b', at);
    expect(readCertificateRequest(pem('CERTIFICATE REQUEST', bytes))).toEqual({
      invalid: 'the signature does not match the public key',
    });
    expect(readCertificateRequest('nonsense')).toHaveProperty('invalid');
  });

  it('encode object identifiers with arcs over 127 and read them back', () => {
    expect(dotted(readDer(objectIdentifier('1.2.840.113549.1.1.11')))).toBe('1.2.840.113549.1.1.11');
    expect(children(readDer(sequence(integer(Buffer.from([0, 200])))))[0]!.content).toEqual(Buffer.from([0, 200]));
  });
});

describe('the keys of a data folder', () => {
  it('are kept for the owner alone and are the same after a restart; leaves are renewed before they end', () => {
    const folder = mkdtempSync(join(tmpdir(), 'devcluster-pki-'));
    try {
      const first = loadPki(folder, NOW);
      expect(loadPki(folder, NOW + 1000)).toEqual(first);
      expect(statSync(join(folder, 'pki.json')).mode & 0o777).toBe(0o600);
      const later = loadPki(folder, NOW + YEAR - 1000);
      expect(later.authority).toEqual(first.authority);
      expect(later.serviceAccountKey).toBe(first.serviceAccountKey);
      expect(later.admin.cert).not.toBe(first.admin.cert);
      writeFileSync(join(folder, 'pki.json'), readFileSync(join(folder, 'pki.json'), 'utf8').slice(0, 50));
      expect(loadPki(folder, NOW).authority.cert).toContain('BEGIN CERTIFICATE');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
