/** Built-in kinds: what a server fills in. */
import assert from 'node:assert/strict';
import type { CaseGroup } from '../harness/context.ts';
import { container, deployment, service, type TestObject } from './objects.ts';

const podSpec = { containers: [container('main')] };
const full = {
  serviceAccountName: 'default',
  initContainers: [{ ...container('init', 'busybox'), restartPolicy: 'Always', command: ['sh'] }],
  containers: [
    {
      ...container('main', 'registry.example.com:5000/a/b:v1'),
      ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP', name: 'dns' }],
      env: [
        { name: 'A', value: '1' },
        { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      ],
      envFrom: [{ configMapRef: { name: 'c' } }],
      resources: { limits: { cpu: '1000m', memory: '1Gi' } },
      livenessProbe: { httpGet: { path: '/live', port: 80 } },
      readinessProbe: { tcpSocket: { port: 'dns' }, periodSeconds: 3 },
      startupProbe: { exec: { command: ['true'] } },
      lifecycle: { preStop: { httpGet: { port: 80 } } },
      volumeMounts: [{ name: 'config', mountPath: '/c' }],
    },
    container('latest', 'nginx'),
    container('digest', 'nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000'),
  ],
  volumes: [
    { name: 'config', configMap: { name: 'c' } },
    { name: 'secret', secret: { secretName: 's' } },
    { name: 'empty', emptyDir: { sizeLimit: '1024Mi' } },
    { name: 'host', hostPath: { path: '/tmp' } },
    {
      name: 'projected',
      projected: { sources: [{ serviceAccountToken: { path: 't' } }, { configMap: { name: 'c' } }] },
    },
    { name: 'down', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    { name: 'claim', persistentVolumeClaim: { claimName: 'p' } },
  ],
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, podAffinityTerm: { topologyKey: 'x', labelSelector: { matchLabels: { a: 'b' } } } },
      ],
    },
  },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { a: 'b' } } },
  ],
  tolerations: [{ key: 'a', operator: 'Exists' }],
};

function workload(kind: string, spec: object, apiVersion = 'apps/v1'): TestObject {
  const name = kind.toLowerCase();
  return {
    apiVersion,
    kind,
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec },
      ...spec,
    },
  };
}

const plain = (apiVersion: string, kind: string, content: object = {}): TestObject => ({
  apiVersion,
  kind,
  metadata: { name: kind.toLowerCase() },
  ...content,
});

const job = { template: { spec: { ...podSpec, restartPolicy: 'Never' } } };

/** What is created, in which resource. */
const rows: [name: string, resource: string, body: TestObject][] = [
  ['Deployment, the least', 'deployments', deployment('least')],
  ['Deployment, everything', 'deployments', deployment('all', { pod: full })],
  [
    'Deployment, rolling update given',
    'deployments',
    deployment('ru', { spec: { strategy: { rollingUpdate: { maxSurge: 1 } } } }),
  ],
  ['Deployment, recreate', 'deployments', deployment('rc', { spec: { strategy: { type: 'Recreate' }, replicas: 0 } })],
  ['ReplicaSet', 'replicasets', workload('ReplicaSet', {})],
  ['StatefulSet, the least', 'statefulsets', workload('StatefulSet', { serviceName: 's' })],
  [
    'StatefulSet with claims',
    'statefulsets',
    workload('StatefulSet', {
      serviceName: 's',
      updateStrategy: { type: 'RollingUpdate' },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    }),
  ],
  ['DaemonSet', 'daemonsets', workload('DaemonSet', {})],
  ['Job', 'jobs', plain('batch/v1', 'Job', { spec: job })],
  [
    'Job, indexed',
    'jobs',
    plain('batch/v1', 'Job', { spec: { ...job, completions: 3, completionMode: 'Indexed', parallelism: 2 } }),
  ],
  [
    'CronJob',
    'cronjobs',
    plain('batch/v1', 'CronJob', { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: job } } }),
  ],
  ['Pod, the least', 'pods', plain('v1', 'Pod', { spec: podSpec })],
  ['Service, ClusterIP', 'services', service('cip')],
  [
    'Service, headless',
    'services',
    service('headless', { clusterIP: 'None', ports: [{ port: 80, targetPort: 'web' }], selector: { a: 'b' } }),
  ],
  ['Service, NodePort', 'services', service('np', { type: 'NodePort', ports: [{ port: 80 }] })],
  [
    'Service, LoadBalancer',
    'services',
    service('lb', {
      type: 'LoadBalancer',
      ports: [
        { port: 80, name: 'a' },
        { port: 53, protocol: 'UDP', name: 'b' },
      ],
    }),
  ],
  ['Service, ExternalName', 'services', service('en', { type: 'ExternalName', externalName: 'example.com' })],
  ['Service, affinity', 'services', service('aff', { sessionAffinity: 'ClientIP', ports: [{ port: 1 }] })],
  ['ConfigMap, binary', 'configmaps', plain('v1', 'ConfigMap', { binaryData: { a: 'AAEC' } })],
  ['Secret, from text', 'secrets', plain('v1', 'Secret', { stringData: { a: 'b' }, data: { c: 'ZA==' } })],
  ['ServiceAccount', 'serviceaccounts', plain('v1', 'ServiceAccount')],
  [
    'PersistentVolumeClaim',
    'persistentvolumeclaims',
    plain('v1', 'PersistentVolumeClaim', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }),
  ],
  [
    'Ingress',
    'ingresses',
    plain('networking.k8s.io/v1', 'Ingress', {
      spec: {
        rules: [
          {
            host: 'a.example.com',
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }],
            },
          },
        ],
      },
    }),
  ],
  [
    'NetworkPolicy',
    'networkpolicies',
    plain('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] } }),
  ],
  [
    'HorizontalPodAutoscaler',
    'horizontalpodautoscalers',
    plain('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: {
        maxReplicas: 5,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
      },
    }),
  ],
  [
    'HorizontalPodAutoscaler, the least',
    'horizontalpodautoscalers',
    plain('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
    }),
  ],
  [
    'PodDisruptionBudget',
    'poddisruptionbudgets',
    plain('policy/v1', 'PodDisruptionBudget', {
      spec: { maxUnavailable: '50%', selector: { matchLabels: { a: 'b' } } },
    }),
  ],
  [
    'Role',
    'roles',
    plain('rbac.authorization.k8s.io/v1', 'Role', {
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    }),
  ],
  [
    'RoleBinding',
    'rolebindings',
    plain('rbac.authorization.k8s.io/v1', 'RoleBinding', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'ServiceAccount', name: 'a' },
        { kind: 'User', name: 'u' },
        { kind: 'Group', name: 'g' },
      ],
    }),
  ],
  [
    'ResourceQuota',
    'resourcequotas',
    plain('v1', 'ResourceQuota', { spec: { hard: { pods: '10', 'requests.cpu': '2000m' } } }),
  ],
  [
    'LimitRange',
    'limitranges',
    plain('v1', 'LimitRange', { spec: { limits: [{ type: 'Container', max: { cpu: '2' } }] } }),
  ],
  [
    'Endpoints',
    'endpoints',
    plain('v1', 'Endpoints', { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }] }),
  ],
  [
    'EndpointSlice',
    'endpointslices',
    plain('discovery.k8s.io/v1', 'EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.2.3'] }],
      ports: [{ port: 80 }],
    }),
  ],
  [
    'Lease',
    'leases',
    plain('coordination.k8s.io/v1', 'Lease', {
      spec: { holderIdentity: 'me', leaseDurationSeconds: 15, acquireTime: '2024-01-01T00:00:00.000000Z' },
    }),
  ],
  [
    'ControllerRevision',
    'controllerrevisions',
    plain('apps/v1', 'ControllerRevision', { revision: 1, data: { a: 1 } }),
  ],
];

const clusterRows: [name: string, resource: string, body: TestObject][] = [
  [
    'ClusterRole',
    'clusterroles',
    plain('rbac.authorization.k8s.io/v1', 'ClusterRole', { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] }),
  ],
  ['StorageClass', 'storageclasses', plain('storage.k8s.io/v1', 'StorageClass', { provisioner: 'example.com/x' })],
  ['PriorityClass', 'priorityclasses', plain('scheduling.k8s.io/v1', 'PriorityClass', { value: 5 })],
  [
    'IngressClass',
    'ingressclasses',
    plain('networking.k8s.io/v1', 'IngressClass', { spec: { controller: 'example.com/x' } }),
  ],
  [
    'PersistentVolume',
    'persistentvolumes',
    plain('v1', 'PersistentVolume', {
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
    }),
  ],
  ['Node', 'nodes', plain('v1', 'Node', { spec: { podCIDR: '10.9.0.0/24' } })],
  [
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    plain('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', { webhooks: [] }),
  ],
];

export const types: CaseGroup = {
  name: 'types',
  profile: 'machinery',
  cases: [
    ...rows.map(([name, resource, body]) => ({
      name,
      async run(c: Parameters<CaseGroup['cases'][number]['run']>[0]): Promise<void> {
        if (resource === 'pods') {
          await c.until(
            'the default service account',
            async () => (await c.quiet('GET', c.at('v1', 'serviceaccounts', 'default'))).status === 200,
          );
        }
        const created = await c.call('create', 'POST', c.at(body.apiVersion, resource), { body });
        assert.equal(created.status, 201, created.text);
        const path = c.at(body.apiVersion, resource, body.metadata.name);
        await c.call('put back what came', 'PUT', path, { body: created.body });
        // Defaults inside atomic lists make this a conflict, for some.
        await c.apply('apply the same', path, 'applier', body);
        const applied = await c.apply('apply the same by force', path, 'applier', body, { force: true });
        assert.equal(applied.status, 200, applied.text);
      },
    })),
    ...clusterRows.map(([name, resource, body]) => ({
      name: `${name} (cluster-scoped)`,
      clusterScoped: true,
      async run(c: Parameters<CaseGroup['cases'][number]['run']>[0]): Promise<void> {
        const object = { ...body, metadata: { ...body.metadata, name: c.unique(body.metadata.name) } };
        const created = await c.call('create', 'POST', c.atCluster(body.apiVersion, resource), { body: object });
        assert.equal(created.status, 201, created.text);
        const applied = await c.apply(
          'apply the same',
          c.atCluster(body.apiVersion, resource, object.metadata.name),
          'applier',
          object,
        );
        assert.equal(applied.status, 200, applied.text);
        await c.quiet('DELETE', c.atCluster(body.apiVersion, resource, object.metadata.name));
      },
    })),
  ],
};
