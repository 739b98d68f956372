import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCertificateAuthority } from './certificates.ts';

const ca = createCertificateAuthority('testbed');

test('a client certificate is signed by the authority and names user and groups', () => {
  const client = new X509Certificate(ca.issueClient('jane:doe', ['system:masters', 'team, one']).cert);
  const authority = new X509Certificate(ca.cert);
  expect(client.verify(authority.publicKey)).toBe(true);
  expect(client.checkIssued(authority)).toBe(true);
  expect(client.subject.split('\n')).toEqual(['O=system:masters', 'O=team\\, one', 'CN=jane:doe']);
  expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(client.ca).toBe(false);
});

test('a server certificate answers to its addresses and names, and to no other', () => {
  const pair = ca.issueServer('kube-apiserver', { ips: ['127.0.0.1', '10.96.0.1'], dns: ['localhost'] });
  const server = new X509Certificate(pair.cert);
  expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(server.checkIP('10.96.0.1')).toBe('10.96.0.1');
  expect(server.checkIP('127.0.0.2')).toBeUndefined();
  expect(server.checkHost('localhost')).toBe('localhost');
  expect(server.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
});

test('the authority may sign certificates and is valid now', () => {
  const authority = new X509Certificate(ca.cert);
  expect(authority.ca).toBe(true);
  expect(authority.verify(authority.publicKey)).toBe(true);
  expect(new Date(authority.validFrom).getTime()).toBeLessThan(Date.now());
  expect(new Date(authority.validTo).getTime()).toBeGreaterThan(Date.now());
});
