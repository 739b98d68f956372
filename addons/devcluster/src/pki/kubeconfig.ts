/** Kubeconfig text for a devcluster. */
import type { KeyPair } from './certificates.ts';

/** Who the kubeconfig speaks as: a client certificate or a bearer token. */
export type Credentials = KeyPair | { token: string };

/**
 * A kubeconfig with one cluster, user and context, everything inline, so that the one file is all that a client needs.
 * @param url address of the API server
 * @param authority certificate of the authority, PEM
 */
export function kubeconfigText(url: string, authority: string, credentials: Credentials): string {
  const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
  const user =
    'token' in credentials
      ? `    token: ${JSON.stringify(credentials.token)}\n`
      : `    client-certificate-data: ${base64(credentials.cert)}\n    client-key-data: ${base64(credentials.key)}\n`;
  return `apiVersion: v1
kind: Config
current-context: devcluster
clusters:
- name: devcluster
  cluster:
    server: ${url}
    certificate-authority-data: ${base64(authority)}
users:
- name: devcluster-admin
  user:
${user}contexts:
- name: devcluster
  context:
    cluster: devcluster
    user: devcluster-admin
`;
}
