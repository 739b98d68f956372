/** Writes kubeconfig files. */
import type { KeyPair } from './certificates.ts';

export interface KubeconfigInput {
  url: string;
  /** CA certificate, PEM. */
  ca: string;
  /** Credentials: a client certificate or a bearer token. */
  identity: KeyPair | { token: string };
  namespace?: string;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with one cluster, one user and one context, all inline, as JSON (which is YAML). */
export function kubeconfigText(input: KubeconfigInput): string {
  const { url, ca, identity, namespace } = input;
  const user =
    'token' in identity
      ? { token: identity.token }
      : { 'client-certificate-data': base64(identity.cert), 'client-key-data': base64(identity.key) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'testbed',
    clusters: [{ name: 'testbed', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'testbed', context: { cluster: 'testbed', user: 'user', ...(namespace ? { namespace } : {}) } }],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
