/**
 * X.509 certificates for the testbed: `node:crypto` makes the keys and the signatures, this file writes the DER around
 * them. Enough for one CA, TLS server certificates and client certificates, all on P-256; nothing else is meant.
 */
import { createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** An issuer that signs certificates. */
export interface CertificateAuthority extends KeyPair {
  /** Signs a client certificate: `cn` becomes the Kubernetes user, each of `orgs` a group. Valid for `days` (default 1). */
  issueClient(cn: string, orgs?: string[], days?: number): KeyPair;
  /** Signs a TLS server certificate for IPv4 addresses and DNS names. */
  issueServer(cn: string, names: { ips: string[]; dns: string[] }): KeyPair;
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length: number[] = [];
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length, ...length]), body]);
}

const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts);
const octets = (content: Uint8Array): Buffer => der(0x04, content);
const bits = (content: Uint8Array, unused = 0): Buffer => der(0x03, Buffer.from([unused]), content);
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text, 'utf8'));
const TRUE = Buffer.from([0x01, 0x01, 0xff]);

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

/** GeneralizedTime in UTC, whole seconds. */
function time(date: Date): Buffer {
  const text = date
    .toISOString()
    .replace(/[-:T]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  return der(0x18, Buffer.from(text, 'ascii'));
}

function name(cn: string, orgs: string[]): Buffer {
  const attribute = (type: string, value: string): Buffer => der(0x31, sequence(oid(type), utf8(value)));
  return sequence(...orgs.map((org) => attribute(OID.organization, org)), attribute(OID.commonName, cn));
}

function extension(type: string, critical: boolean, content: Uint8Array): Buffer {
  return critical ? sequence(oid(type), TRUE, octets(content)) : sequence(oid(type), octets(content));
}

function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

interface CertificateRequest {
  subject: Buffer;
  issuer: Buffer;
  publicKey: KeyObject;
  signer: KeyObject;
  days: number;
  extensions: Buffer[];
}

function certificate(request: CertificateRequest): string {
  const now = Date.now();
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40; // positive and never empty after DER's rules on leading zeros
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const body = sequence(
    der(0xa0, Buffer.from([0x02, 0x01, 0x02])), // version 3
    der(0x02, serial),
    algorithm,
    request.issuer,
    // Five minutes of grace for clocks that disagree.
    sequence(time(new Date(now - 300_000)), time(new Date(now + request.days * 86_400_000))),
    request.subject,
    request.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...request.extensions)),
  );
  const signature = createSign('sha256').update(body).sign(request.signer);
  return pem('CERTIFICATE', sequence(body, algorithm, bits(signature)));
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { publicKey, privateKey, key: privateKey.export({ type: 'sec1', format: 'pem' }).toString() };
}

/** Makes a certificate authority that is valid for two days. */
export function createCertificateAuthority(cn: string): CertificateAuthority {
  const ca = newKeys();
  const caName = name(cn, []);
  const cert = certificate({
    subject: caName,
    issuer: caName,
    publicKey: ca.publicKey,
    signer: ca.privateKey,
    days: 2,
    extensions: [
      extension(OID.basicConstraints, true, sequence(TRUE)),
      extension(OID.keyUsage, true, bits(Buffer.from([0b1010_0110]), 1)), // signature, encipherment, certs, CRLs
    ],
  });

  function issue(subject: Buffer, days: number, usage: string, more: Buffer[]): KeyPair {
    const keys = newKeys();
    const issued = certificate({
      subject,
      issuer: caName,
      publicKey: keys.publicKey,
      signer: ca.privateKey,
      days,
      extensions: [
        extension(OID.keyUsage, true, bits(Buffer.from([0b1010_0000]), 5)), // signature, encipherment
        extension(OID.extKeyUsage, false, sequence(oid(usage))),
        ...more,
      ],
    });
    return { cert: issued, key: keys.key };
  }

  return {
    cert,
    key: ca.key,
    issueClient: (user, orgs = [], days = 1) => issue(name(user, orgs), days, OID.clientAuth, []),
    issueServer: (host, names) => {
      const alternatives = [
        ...names.dns.map((dns) => der(0x82, Buffer.from(dns, 'ascii'))),
        ...names.ips.map((ip) => der(0x87, Buffer.from(ip.split('.').map(Number)))),
      ];
      return issue(name(host, []), 1, OID.serverAuth, [
        extension(OID.subjectAltName, false, sequence(...alternatives)),
      ]);
    },
  };
}

/** An EC key pair as PEM, for signing service account tokens. */
export function createSigningKeys(): { publicKey: string; privateKey: string } {
  const keys = newKeys();
  return { publicKey: keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(), privateKey: keys.key };
}
