/** What every cluster has of itself: nodes, ServiceAccounts, the CA in every namespace, aggregated roles, signed certificates. */
import { createPublicKey } from 'node:crypto';
import {
  type CertificateRequest,
  type ExtendedUsage,
  issueCertificate,
  type KeyPair,
  readCertificateRequest,
} from '../pki/certificates.ts';
import { type Loose, same } from '../types/loose.ts';
import { type Context, errorCode, keyOf, selects, timestamp } from './kit.ts';

const NAMESPACES = 'v1/namespaces';
const ACCOUNTS = 'v1/serviceaccounts';
const CONFIG_MAPS = 'v1/configmaps';
const SECRETS = 'v1/secrets';
const ROLES = 'rbac.authorization.k8s.io/v1/clusterroles';
const REQUESTS = 'certificates.k8s.io/v1/certificatesigningrequests';
const ROOT_CA = 'kube-root-ca.crt';

/** Ignores that something is there already, or that its namespace is going away. */
async function ensured(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (![403, 404, 409].includes(errorCode(error))) throw error;
  }
}

/** Keeps a ServiceAccount `default` and the ConfigMap with the CA in every namespace. */
export function accountController(context: Context, authority: string): void {
  const { cache, writer } = context;
  const queue = context.queue('serviceaccounts', async (name) => {
    const namespace = cache.get(NAMESPACES, '', name);
    if (!namespace || namespace.metadata.deletionTimestamp) return;
    if (!cache.get(ACCOUNTS, name, 'default')) {
      await ensured(
        writer.create(ACCOUNTS, {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: 'default', namespace: name },
        }),
      );
    }
    const data = { 'ca.crt': authority };
    const map = cache.get(CONFIG_MAPS, name, ROOT_CA);
    if (!map) {
      await ensured(
        writer.create(CONFIG_MAPS, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {
            name: ROOT_CA,
            namespace: name,
            annotations: {
              'kubernetes.io/description':
                'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
            },
          },
          data,
        }),
      );
    } else if (!same(map.data, data)) await ensured(writer.update(CONFIG_MAPS, { ...map, data }));
  });
  cache.watch(NAMESPACES, ({ type, object, before }) => {
    if (type === 'set' && !before) queue.add(object.metadata.name);
  });
  cache.watch(ACCOUNTS, ({ type, object }) => {
    if (type === 'gone' && object.metadata.name === 'default') queue.add(object.metadata.namespace);
  });
  cache.watch(CONFIG_MAPS, ({ object, before }) => {
    if (before && object.metadata.name === ROOT_CA) queue.add(object.metadata.namespace);
  });
}

/** Puts a token into Secrets that ask for one. @param tokenFor makes the token of an account for a Secret */
export function accountTokenController(
  context: Context,
  authority: string,
  tokenFor: (account: Loose, secret: Loose) => string,
): void {
  const { cache, writer } = context;
  const TYPE = 'kubernetes.io/service-account-token';
  const NAME = 'kubernetes.io/service-account.name';
  const UID = 'kubernetes.io/service-account.uid';
  const queue = context.queue('tokens', async (key) => {
    const secret = cache.byKey(SECRETS, key);
    const name = secret?.metadata.annotations?.[NAME];
    if (!secret || secret.type !== TYPE || !name || secret.metadata.deletionTimestamp) return;
    const account = cache.get(ACCOUNTS, secret.metadata.namespace, name);
    if (!account || secret.data?.token) return;
    const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
    await ensured(
      writer.update(SECRETS, {
        ...secret,
        metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [UID]: account.metadata.uid } },
        data: {
          ...secret.data,
          'ca.crt': base64(authority),
          namespace: base64(secret.metadata.namespace),
          token: base64(tokenFor(account, secret)),
        },
      }),
    );
  });
  cache.watch(SECRETS, ({ type, object }) => {
    if (type === 'set' && object.type === TYPE) queue.add(keyOf(object));
  });
}

/** Keeps the rules of aggregated ClusterRoles: those of the roles that they select. */
export function aggregationController(context: Context): void {
  const { cache, writer } = context;
  const queue = context.queue('clusterroles', async (name) => {
    const role = cache.get(ROLES, '', name);
    const selectors = role?.aggregationRule?.clusterRoleSelectors as Loose[] | undefined;
    if (!role || !selectors || role.metadata.deletionTimestamp) return;
    const rules: Loose[] = [];
    const others = [...cache.list(ROLES)].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    for (const other of others) {
      if (other === role || !selectors.some((one) => selects(one, other.metadata.labels))) continue;
      for (const rule of (other.rules as Loose[] | undefined) ?? [])
        if (!rules.some((one) => same(one, rule))) rules.push(rule);
    }
    if (!same(rules, role.rules ?? [])) await writer.update(ROLES, { ...role, rules });
  });
  cache.watch(ROLES, ({ type, object, before }) => {
    if (type === 'set' && object.aggregationRule && !before) queue.add(object.metadata.name);
    if (
      type === 'set' &&
      before &&
      same(before.rules, object.rules) &&
      same(before.metadata.labels, object.metadata.labels)
    )
      return;
    for (const role of cache.list(ROLES)) {
      if (role.aggregationRule && role.metadata.name !== object.metadata.name) queue.add(role.metadata.name, 2);
    }
  });
}

const SIGNERS: Record<string, ExtendedUsage[]> = {
  'kubernetes.io/kube-apiserver-client': ['clientAuth'],
  'kubernetes.io/kube-apiserver-client-kubelet': ['clientAuth'],
  'kubernetes.io/kubelet-serving': ['serverAuth'],
};
const YEAR_SECONDS = 365 * 24 * 3600;

/** Signs approved requests for client certificates. */
export function signingController(context: Context, authority: KeyPair): void {
  const { cache, writer, clock } = context;
  const queue = context.queue('certificatesigningrequests', async (name) => {
    const request = cache.get(REQUESTS, '', name);
    const conditions = (request?.status?.conditions as Loose[] | undefined) ?? [];
    const has = (type: string): boolean => conditions.some((one) => one.type === type);
    if (!request || request.status?.certificate || !has('Approved') || has('Denied') || has('Failed')) return;
    const usages = SIGNERS[request.spec.signerName];
    if (!usages) return;
    const parsed: CertificateRequest | { invalid: string } = readCertificateRequest(
      Buffer.from(request.spec.request, 'base64').toString('utf8'),
    );
    if ('invalid' in parsed) {
      const now = timestamp(clock.now());
      const condition = {
        type: 'Failed',
        status: 'True',
        reason: 'SignerValidationFailure',
        message: parsed.invalid,
        lastUpdateTime: now,
        lastTransitionTime: now,
      };
      await writer.update(
        REQUESTS,
        { ...request, status: { ...request.status, conditions: [...conditions, condition] } },
        'status',
      );
      return;
    }
    const seconds = Math.max(600, Math.min(YEAR_SECONDS, request.spec.expirationSeconds ?? YEAR_SECONDS));
    const certificate = issueCertificate(authority, {
      subject: parsed.subject,
      publicKey: createPublicKey(parsed.publicKey.export({ type: 'spki', format: 'pem' })),
      usages,
      // Five minutes back, for clients whose clock is behind.
      notBefore: clock.now() - 5 * 60 * 1000,
      notAfter: clock.now() + seconds * 1000,
    });
    const status = { ...request.status, certificate: Buffer.from(certificate, 'utf8').toString('base64') };
    await writer.update(REQUESTS, { ...request, status }, 'status');
  });
  cache.watch(REQUESTS, ({ type, object }) => {
    if (type === 'set' && !object.status?.certificate) queue.add(object.metadata.name);
  });
}

/** A simulated node, as a kubelet would report it. */
export function nodeObject(index: number, now: string, version: string): Loose {
  const name = `devcluster-node-${index}`;
  const capacity = { cpu: '64', memory: '256Gi', 'ephemeral-storage': '1Ti', pods: '5000' };
  const condition = (type: string, status: string, reason: string, message: string): Loose => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  });
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'devcluster.lateen.dev/simulated': 'true',
      },
    },
    spec: { podCIDR: `10.244.${index}.0/24`, podCIDRs: [`10.244.${index}.0/24`] },
    status: {
      addresses: [
        { type: 'InternalIP', address: `10.200.0.${index}` },
        { type: 'Hostname', address: name },
      ],
      allocatable: capacity,
      capacity,
      conditions: [
        condition(
          'MemoryPressure',
          'False',
          'KubeletHasSufficientMemory',
          'simulated node has sufficient memory available',
        ),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'simulated node has no disk pressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'simulated node has sufficient PID available'),
        condition('Ready', 'True', 'KubeletReady', 'simulated node is posting ready status'),
      ],
      nodeInfo: {
        architecture: 'amd64',
        bootID: '',
        containerRuntimeVersion: 'simulated://1',
        kernelVersion: '',
        kubeProxyVersion: '',
        kubeletVersion: version,
        machineID: '',
        operatingSystem: 'linux',
        osImage: 'simulated',
        systemUUID: '',
      },
    },
  };
}
