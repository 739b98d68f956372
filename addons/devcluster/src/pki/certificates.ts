/** X.509 certificates of a small authority, with elliptic-curve keys (P-256). */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  boolean,
  children,
  der,
  dotted,
  explicit,
  fromPem,
  integer,
  objectIdentifier,
  octetString,
  pem,
  readDer,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

export interface Subject {
  commonName: string;
  organizations?: string[];
}

export type ExtendedUsage = 'serverAuth' | 'clientAuth';

export interface CertificateRequest {
  /** Encoded subject, as the request has it. */
  subject: Buffer;
  commonName: string;
  organizations: string[];
  publicKey: KeyObject;
}

export interface IssueOptions {
  subject: Subject | Buffer;
  publicKey: KeyObject;
  usages: ExtendedUsage[];
  /** DNS names and IP addresses. */
  names?: string[];
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
}

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

const USAGE_OIDS: Record<ExtendedUsage, string> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

/** Digest of each signature algorithm that a signing request may use; null where the algorithm has its own. */
const REQUEST_DIGESTS: Record<string, string | null> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null,
};

const algorithm = (): Buffer => sequence(objectIdentifier(OID.ecdsaWithSha256));

function encodeSubject(subject: Subject): Buffer {
  const attribute = (oid: string, value: string): Buffer => sequence(objectIdentifier(oid), utf8String(value));
  const organizations = [...(subject.organizations ?? [])].map((name) => attribute(OID.organization, name));
  return sequence(
    ...(organizations.length > 0 ? organizations.map((one) => set(one)) : []),
    set(attribute(OID.commonName, subject.commonName)),
  );
}

const publicDer = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

function keyIdentifier(key: KeyObject): Buffer {
  const bits = children(readDer(publicDer(key)))[1]!;
  return createHash('sha1').update(bits.content.subarray(1)).digest();
}

const extension = (oid: string, value: Buffer, critical = false): Buffer =>
  sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));

function address(ip: string): Buffer {
  if (isIP(ip) === 4) return Buffer.from(ip.split('.').map(Number));
  const [head = '', tail = ''] = ip.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const left = groups(head);
  const right = ip.includes('::') ? groups(tail) : [];
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

interface SignedPart {
  issuer: Buffer;
  subject: Buffer;
  publicKey: KeyObject;
  notBefore: number;
  notAfter: number;
  extensions: Buffer[];
}

function signCertificate(part: SignedPart, key: KeyObject): string {
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm(),
    part.issuer,
    sequence(time(part.notBefore), time(part.notAfter)),
    part.subject,
    publicDer(part.publicKey),
    explicit(3, sequence(...part.extensions)),
  );
  return pem('CERTIFICATE', sequence(body, algorithm(), bitString(sign('sha256', body, key))));
}

/** A new P-256 private key, PEM (PKCS #8). */
export function newPrivateKey(): { pem: string; key: KeyObject } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, key: privateKey };
}

/** A self-signed authority. @param notAfter milliseconds since the epoch */
export function createAuthority(commonName: string, notBefore: number, notAfter: number): KeyPair {
  const { pem: key, key: privateKey } = newPrivateKey();
  const publicKey = createPublicKey(privateKey);
  const subject = encodeSubject({ commonName });
  const cert = signCertificate(
    {
      issuer: subject,
      subject,
      publicKey,
      notBefore,
      notAfter,
      extensions: [
        extension(OID.basicConstraints, sequence(boolean(true)), true),
        // keyCertSign, cRLSign, digitalSignature
        extension(OID.keyUsage, bitString(Buffer.from([0x86]), 1), true),
        extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(publicKey))),
      ],
    },
    privateKey,
  );
  return { cert, key };
}

/** A certificate of the authority for somebody's public key. @returns PEM */
export function issueCertificate(authority: KeyPair, options: IssueOptions): string {
  const key = createPrivateKey(authority.key);
  const extensions = [
    // digitalSignature
    extension(OID.keyUsage, bitString(Buffer.from([0x80]), 7), true),
    extension(OID.extendedKeyUsage, sequence(...options.usages.map((usage) => objectIdentifier(USAGE_OIDS[usage])))),
    extension(OID.basicConstraints, sequence(), true),
    extension(OID.authorityKeyIdentifier, sequence(der(0x80, keyIdentifier(createPublicKey(key))))),
  ];
  if (options.names && options.names.length > 0) {
    const names = options.names.map((name) =>
      isIP(name) ? der(0x87, address(name)) : der(0x82, Buffer.from(name, 'ascii')),
    );
    extensions.push(extension(OID.subjectAltName, sequence(...names)));
  }
  const issuer = subjectOf(authority.cert);
  return signCertificate(
    {
      issuer,
      subject: Buffer.isBuffer(options.subject) ? options.subject : encodeSubject(options.subject),
      publicKey: options.publicKey,
      notBefore: options.notBefore,
      notAfter: options.notAfter,
      extensions,
    },
    key,
  );
}

/** The encoded subject of a certificate. */
function subjectOf(cert: string): Buffer {
  const body = children(readDer(fromPem('CERTIFICATE', cert)!))[0]!;
  // version, serial, algorithm, issuer, validity, subject
  return children(body)[5]!.raw;
}

/**
 * Reads a PEM signing request and checks that its signature is by the key that it is for.
 * @returns the request, or the reason why it is none.
 */
export function readCertificateRequest(text: string): CertificateRequest | { invalid: string } {
  const bytes = fromPem('CERTIFICATE REQUEST', text);
  if (!bytes) return { invalid: 'PEM block type must be CERTIFICATE REQUEST' };
  try {
    const [info, algorithmNode, signature] = children(readDer(bytes));
    const [, subject, publicInfo] = children(info!);
    const publicKey = createPublicKey({ key: publicInfo!.raw, format: 'der', type: 'spki' });
    const digest = REQUEST_DIGESTS[dotted(children(algorithmNode!)[0]!)];
    if (digest === undefined) return { invalid: 'the signature algorithm is not supported' };
    if (!verify(digest, info!.raw, publicKey, signature!.content.subarray(1))) {
      return { invalid: 'the signature does not match the public key' };
    }
    const request: CertificateRequest = { subject: subject!.raw, commonName: '', organizations: [], publicKey };
    for (const part of children(subject!)) {
      for (const attribute of children(part)) {
        const [type, value] = children(attribute);
        const oid = dotted(type!);
        if (oid === OID.commonName) request.commonName = value!.content.toString('utf8');
        else if (oid === OID.organization) request.organizations.push(value!.content.toString('utf8'));
      }
    }
    return request;
  } catch (error) {
    return { invalid: error instanceof Error ? error.message : String(error) };
  }
}
