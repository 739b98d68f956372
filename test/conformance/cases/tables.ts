/** Table output: the columns that `kubectl get` prints. */
import assert from 'node:assert/strict';
import type { CaseGroup } from '../harness/context.ts';
import { configMap, container, deployment, service } from './objects.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

const job = { template: { spec: { containers: [container('a')], restartPolicy: 'Never' } } };

/** Object to create, and its resource; a table of it is recorded. */
const rows: [apiVersion: string, resource: string, body: object][] = [
  ['v1', 'configmaps', configMap('t', { a: '1', b: '2' })],
  ['v1', 'secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 't' }, stringData: { a: 'b' } }],
  [
    'v1',
    'services',
    service('t', {
      ports: [{ port: 80 }, { port: 53, protocol: 'UDP', name: 'b' }].map((port, index) => ({
        name: `p${index}`,
        ...port,
      })),
      selector: { a: 'b' },
    }),
  ],
  ['v1', 'serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 't' } }],
  [
    'v1',
    'persistentvolumeclaims',
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 't' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ],
  ['apps/v1', 'deployments', deployment('t', { spec: { replicas: 3 } })],
  ['apps/v1', 'statefulsets', { ...deployment('t'), kind: 'StatefulSet' }],
  ['apps/v1', 'daemonsets', { ...deployment('t'), kind: 'DaemonSet' }],
  ['apps/v1', 'replicasets', { ...deployment('t'), kind: 'ReplicaSet' }],
  ['batch/v1', 'jobs', { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 't' }, spec: job }],
  [
    'batch/v1',
    'cronjobs',
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 't' },
      spec: { schedule: '0 0 * * *', jobTemplate: { spec: job } },
    },
  ],
  [
    'networking.k8s.io/v1',
    'ingresses',
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 't' },
      spec: { ingressClassName: 'c', rules: [{ host: 'a.example.com' }, { host: 'b.example.com' }] },
    },
  ],
  [
    'networking.k8s.io/v1',
    'networkpolicies',
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 't' },
      spec: { podSelector: { matchLabels: { a: 'b' } } },
    },
  ],
  [
    'autoscaling/v2',
    'horizontalpodautoscalers',
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 't' },
      spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
    },
  ],
  [
    'policy/v1',
    'poddisruptionbudgets',
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 't' },
      spec: { minAvailable: 1, selector: {} },
    },
  ],
  [
    'rbac.authorization.k8s.io/v1',
    'roles',
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 't' }, rules: [] },
  ],
  [
    'rbac.authorization.k8s.io/v1',
    'rolebindings',
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 't' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 't' },
      subjects: [{ kind: 'ServiceAccount', name: 'a', namespace: 'n' }],
    },
  ],
  [
    'coordination.k8s.io/v1',
    'leases',
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 't' }, spec: { holderIdentity: 'me' } },
  ],
];

export const tables: CaseGroup = {
  name: 'tables',
  profile: 'machinery',
  cases: [
    ...rows.map(([apiVersion, resource, body]) => ({
      name: `columns of ${resource}`,
      async run(c: Parameters<CaseGroup['cases'][number]['run']>[0]): Promise<void> {
        await c.prepare('POST', c.at(apiVersion, resource), body);
        const one = await c.call('one', 'GET', c.at(apiVersion, resource, 't'), { accept: TABLE });
        assert.equal(one.body.kind, 'Table');
        assert.equal(one.body.rows[0].cells[0], 't');
        assert.equal(one.body.rows[0].object.kind, 'PartialObjectMetadata');
      },
    })),
    {
      name: 'columns of pods',
      async run(c) {
        await c.until(
          'the default service account',
          async () => (await c.quiet('GET', c.at('v1', 'serviceaccounts', 'default'))).status === 200,
        );
        await c.prepare('POST', c.at('v1', 'pods'), {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 't' },
          spec: { containers: [container('a'), container('b')] },
        });
        await c.call('pending', 'GET', c.at('v1', 'pods', 't'), { accept: TABLE });
        const status = {
          phase: 'Running',
          podIP: '10.0.0.9',
          podIPs: [{ ip: '10.0.0.9' }],
          containerStatuses: [
            { name: 'a', ready: true, restartCount: 2, image: 'x', imageID: '', state: { running: {} } },
            {
              name: 'b',
              ready: false,
              restartCount: 1,
              image: 'x',
              imageID: '',
              state: { waiting: { reason: 'CrashLoopBackOff' } },
            },
          ],
        };
        await c.prepare(
          'PATCH',
          c.at('v1', 'pods', 't', 'status'),
          { status },
          { contentType: 'application/merge-patch+json' },
        );
        await c.call('crashing', 'GET', c.at('v1', 'pods', 't'), { accept: TABLE });
      },
    },
    {
      name: 'columns of a Deployment with status, and of a Job that ran',
      async run(c) {
        await c.prepare('POST', c.at('apps/v1', 'deployments'), deployment('t', { spec: { replicas: 3 } }));
        await c.prepare(
          'PATCH',
          c.at('apps/v1', 'deployments', 't', 'status'),
          { status: { replicas: 3, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 } },
          { contentType: 'application/merge-patch+json' },
        );
        const table = await c.call('deployment', 'GET', c.at('apps/v1', 'deployments', 't'), { accept: TABLE });
        assert.deepEqual(table.body.rows[0].cells.slice(0, 4), ['t', '2/3', 3, 1]);
      },
    },
    {
      name: 'a list as table, empty and with rows, and what objects it includes',
      async run(c) {
        const path = `${c.at('v1', 'configmaps')}?labelSelector=tab`;
        await c.call('empty', 'GET', path, { accept: TABLE });
        for (const name of ['a', 'b'])
          await c.prepare('POST', c.at('v1', 'configmaps'), configMap(name, { x: '1' }, { tab: 'yes' }));
        const list = await c.call('rows', 'GET', path, { accept: TABLE });
        assert.equal(list.body.rows.length, 2);
        const none = await c.call('includeObject None', 'GET', `${path}&includeObject=None`, { accept: TABLE });
        assert.equal(none.body.rows[0].object, null);
        const whole = await c.call('includeObject Object', 'GET', `${path}&includeObject=Object`, { accept: TABLE });
        assert.equal(whole.body.rows[0].object.data.x, '1');
        await c.call('paged', 'GET', `${path}&limit=1`, { accept: TABLE });
        const old = await c.call('unknown version', 'GET', path, {
          accept: 'application/json;as=Table;v=v9;g=meta.k8s.io',
        });
        assert.equal(old.status, 406);
        const error = await c.call('an error is a Status', 'GET', c.at('v1', 'configmaps', 'none'), { accept: TABLE });
        assert.equal(error.body.kind, 'Status');
      },
    },
    {
      name: 'namespaces and custom resource definitions',
      async run(c) {
        const crd = await c.crd({ kind: 'Tabled', schema: { type: 'object' } });
        await c.call('namespace', 'GET', `/api/v1/namespaces/${c.ns}`, { accept: TABLE });
        await c.call('crd', 'GET', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.name}`, {
          accept: TABLE,
        });
      },
    },
    {
      name: 'custom resources: name and age, or the printer columns of the CRD',
      async run(c) {
        const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
        const bare = await c.crd({ kind: 'Bare', schema });
        await c.prepare('POST', bare.path, bare.object('x', {}));
        await c.call('bare', 'GET', bare.path, { accept: TABLE });
        const crd = await c.crd({
          kind: 'Columned',
          schema,
          version: {
            additionalPrinterColumns: [
              { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where it is' },
              { name: 'Count', type: 'integer', jsonPath: '.spec.count', priority: 1 },
              { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
              { name: 'Names', type: 'string', jsonPath: '.spec.items[*].name' },
              { name: 'First', type: 'string', jsonPath: '.spec.items[0].name' },
              { name: 'Flag', type: 'boolean', jsonPath: '.spec.flag' },
              { name: 'Ratio', type: 'number', jsonPath: '.spec.ratio' },
              { name: 'Map', type: 'string', jsonPath: '.spec.map' },
              { name: 'Label', type: 'string', jsonPath: '.metadata.labels.a\\.b/c' },
              { name: 'When', type: 'date', jsonPath: '.spec.when' },
              { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
            ],
          },
        });
        await c.prepare('POST', crd.path, {
          ...crd.object('full', {
            spec: { count: 5, items: [{ name: 'a' }, { name: 'b' }], flag: true, ratio: 1.5, map: { k: 'v' } },
            status: {
              phase: 'Ready',
              conditions: [
                { type: 'Other', status: 'no' },
                { type: 'Ready', status: 'True' },
              ],
            },
          }),
          metadata: { name: 'full', labels: { 'a.b/c': 'labelled' } },
        });
        await c.prepare('POST', crd.path, crd.object('empty', { spec: { count: 'not a number', flag: 'no' } }));
        const table = await c.call('columns', 'GET', crd.path, { accept: TABLE });
        assert.equal(table.body.columnDefinitions.length, 12);
      },
    },
  ],
};
