/** What servers answer to bad requests: code, reason, details, causes, message. */
import assert from 'node:assert/strict';
import type { CaseGroup } from '../harness/context.ts';
import { configMap, container, deployment, service } from './objects.ts';

const invalidRows: [step: string, apiVersion: string, resource: string, body: object][] = [
  ['name with capitals', 'v1', 'configmaps', configMap('Bad_Name')],
  ['name too long', 'v1', 'configmaps', configMap('x'.repeat(260))],
  ['bad label key', 'v1', 'configmaps', configMap('l', {}, { '-x': 'y' })],
  ['bad label value', 'v1', 'configmaps', configMap('l', {}, { x: 'a b' })],
  ['bad data key', 'v1', 'configmaps', configMap('d', { 'a/b': '1' })],
  [
    'bad annotation key',
    'v1',
    'configmaps',
    { ...configMap('a'), metadata: { name: 'a', annotations: { 'a b': 'x' } } },
  ],
  ['bad finalizer', 'v1', 'configmaps', { ...configMap('f'), metadata: { name: 'f', finalizers: ['nodomain'] } }],
  [
    'owner reference without fields',
    'v1',
    'configmaps',
    {
      ...configMap('o'),
      metadata: { name: 'o', ownerReferences: [{ apiVersion: 'v1', kind: '', name: '', uid: '' }] },
    },
  ],
  ['service name with dots', 'v1', 'services', service('a.b')],
  ['service without ports', 'v1', 'services', service('np', { ports: [] })],
  ['service port out of range', 'v1', 'services', service('pr', { ports: [{ port: 70000 }] })],
  ['two unnamed ports', 'v1', 'services', service('two', { ports: [{ port: 1 }, { port: 2 }] })],
  ['service type unknown', 'v1', 'services', service('t', { type: 'Magic', ports: [{ port: 1 }] })],
  ['port protocol unknown', 'v1', 'services', service('p', { ports: [{ port: 1, protocol: 'QUIC' }] })],
  [
    'selector does not match template',
    'apps/v1',
    'deployments',
    deployment('sel', { spec: { selector: { matchLabels: { app: 'other' } } } }),
  ],
  ['no containers', 'apps/v1', 'deployments', deployment('nc', { pod: { containers: [] } })],
  ['negative replicas', 'apps/v1', 'deployments', deployment('nr', { spec: { replicas: -1 } })],
  ['container without image', 'apps/v1', 'deployments', deployment('ni', { pod: { containers: [{ name: 'main' }] } })],
  [
    'two containers of one name',
    'apps/v1',
    'deployments',
    deployment('dup', { pod: { containers: [container('a'), container('a')] } }),
  ],
  ['bad container name', 'apps/v1', 'deployments', deployment('bcn', { pod: { containers: [container('Bad_Name')] } })],
  [
    'bad resources',
    'apps/v1',
    'deployments',
    deployment('res', {
      pod: { containers: [{ ...container('a'), resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }] },
    }),
  ],
  [
    'mount without volume',
    'apps/v1',
    'deployments',
    deployment('mnt', {
      pod: { containers: [{ ...container('a'), volumeMounts: [{ name: 'none', mountPath: '/x' }] }] },
    }),
  ],
  ['restart policy Never', 'apps/v1', 'deployments', deployment('rp', { pod: { restartPolicy: 'Never' } })],
  [
    'pull policy unknown',
    'apps/v1',
    'deployments',
    deployment('pp', { pod: { containers: [{ ...container('a'), imagePullPolicy: 'Perhaps' }] } }),
  ],
  [
    'probe without handler',
    'apps/v1',
    'deployments',
    deployment('pb', { pod: { containers: [{ ...container('a'), livenessProbe: { periodSeconds: 1 } }] } }),
  ],
  [
    'env name empty',
    'apps/v1',
    'deployments',
    deployment('en', { pod: { containers: [{ ...container('a'), env: [{ name: '', value: 'x' }] }] } }),
  ],
  [
    'several faults at once',
    'apps/v1',
    'deployments',
    deployment('many', { spec: { replicas: -2 }, pod: { containers: [{ name: 'A' }], restartPolicy: 'Sometimes' } }),
  ],
  [
    'job restart policy Always',
    'batch/v1',
    'jobs',
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'j' },
      spec: { template: { spec: { restartPolicy: 'Always', containers: [container('a')] } } },
    },
  ],
  [
    'cron schedule',
    'batch/v1',
    'cronjobs',
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'cj' },
      spec: {
        schedule: 'whenever',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [container('a')] } } } },
      },
    },
  ],
  [
    'ingress path type missing',
    'networking.k8s.io/v1',
    'ingresses',
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'i' },
      spec: {
        rules: [
          {
            host: 'Bad Host',
            http: { paths: [{ path: 'x', backend: { service: { name: 's', port: { number: 80 } } } }] },
          },
        ],
      },
    },
  ],
  [
    'hpa bounds',
    'autoscaling/v2',
    'horizontalpodautoscalers',
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h' },
      spec: {
        minReplicas: 5,
        maxReplicas: 2,
        scaleTargetRef: { kind: 'Deployment', name: 'x', apiVersion: 'apps/v1' },
      },
    },
  ],
  [
    'pvc without size',
    'v1',
    'persistentvolumeclaims',
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'v' },
      spec: { accessModes: ['ReadWriteOnce'] },
    },
  ],
  [
    'secret of a type that wants keys',
    'v1',
    'secrets',
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, type: 'kubernetes.io/tls', data: {} },
  ],
  [
    'role binding without role',
    'rbac.authorization.k8s.io/v1',
    'rolebindings',
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'b' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: '' },
      subjects: [],
    },
  ],
];

const badRows: [step: string, body: unknown][] = [
  ['not JSON', '{"apiVersion": "v1", '],
  ['empty body', ''],
  ['another kind', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }],
  ['another version', { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'x' } }],
  ['another group', { apiVersion: 'example.com/v1', kind: 'ConfigMap', metadata: { name: 'x' } }],
  ['no metadata', { apiVersion: 'v1', kind: 'ConfigMap' }],
  ['no name', { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }],
  ['wrong type of data', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: 1 } }],
  ['wrong type of labels', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', labels: ['a'] } }],
  ['data is a list', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: [] }],
  ['an array', [1, 2]],
  ['another namespace', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'elsewhere' } }],
];

export const errors: CaseGroup = {
  name: 'errors',
  profile: 'machinery',
  cases: [
    ...invalidRows.map(([step, apiVersion, resource, body]) => ({
      name: `invalid: ${step}`,
      async run(c: Parameters<CaseGroup['cases'][number]['run']>[0]): Promise<void> {
        const answer = await c.call('create', 'POST', c.at(apiVersion, resource), { body });
        assert.equal(answer.status, 422, answer.text);
        assert.equal(answer.body.reason, 'Invalid');
        assert.ok(answer.body.details.causes.length > 0);
      },
    })),
    {
      name: 'bodies that cannot be read as the kind answer 400 or 422',
      async run(c) {
        for (const [step, body] of badRows) {
          const answer = await c.call(step, 'POST', c.at('v1', 'configmaps'), { body });
          assert.ok([400, 422].includes(answer.status), `${step}: ${answer.text}`);
        }
      },
    },
    {
      name: 'apiVersion and kind may be left out of a body: the path tells them',
      async run(c) {
        const created = await c.call('create', 'POST', c.at('v1', 'configmaps'), {
          body: { metadata: { name: 'bare' } },
        });
        assert.equal(created.status, 201);
        assert.equal(created.body.kind, 'ConfigMap');
        const half = await c.call('no kind', 'POST', c.at('v1', 'configmaps'), {
          body: { apiVersion: 'v1', metadata: { name: 'bare-2' } },
        });
        assert.equal(half.status, 201);
      },
    },
    {
      name: 'wrong types deep in built-in kinds answer 400 and name the field',
      async run(c) {
        const rows: [string, object][] = [
          ['replicas is text', deployment('x', { spec: { replicas: '3' } })],
          ['containers is an object', deployment('x', { pod: { containers: {} } })],
          [
            'port is text',
            deployment('x', { pod: { containers: [{ ...container('a'), ports: [{ containerPort: '80' }] }] } }),
          ],
          [
            'env value is a number',
            deployment('x', { pod: { containers: [{ ...container('a'), env: [{ name: 'A', value: 1 }] }] } }),
          ],
          ['replicas is a fraction', deployment('x', { spec: { replicas: 1.5 } })],
        ];
        for (const [step, body] of rows) {
          const answer = await c.call(step, 'POST', c.at('apps/v1', 'deployments'), { body });
          assert.equal(answer.status, 400, answer.text);
        }
        const quantity = deployment('q', {
          pod: { containers: [{ ...container('a'), resources: { limits: { cpu: 'lots' } } }] },
        });
        await c.call('a quantity that is none', 'POST', c.at('apps/v1', 'deployments'), { body: quantity });
      },
    },
    {
      name: 'field validation: strict refuses unknown and doubled fields, warn warns, ignore is silent',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        const unknown = { ...configMap('u'), nonsense: 1, metadata: { name: 'u', more: true } };
        const strict = await c.call('strict', 'POST', `${path}?fieldValidation=Strict`, { body: unknown });
        assert.equal(strict.status, 400);
        const warn = await c.call('warn', 'POST', `${path}?fieldValidation=Warn`, { body: unknown });
        assert.equal(warn.status, 201);
        assert.ok(warn.headers.warning);
        await c.call('default', 'POST', path, { body: { ...unknown, metadata: { name: 'u2', more: true } } });
        const ignore = await c.call('ignore', 'POST', `${path}?fieldValidation=Ignore`, {
          body: { ...unknown, metadata: { name: 'u3', more: true } },
        });
        assert.equal(ignore.headers.warning, undefined);
        const doubled =
          '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"dd"},"data":{"a":"1"},"data":{"a":"2"}}';
        await c.call('doubled strict', 'POST', `${path}?fieldValidation=Strict`, { body: doubled });
        await c.call('doubled default', 'POST', path, { body: doubled });
        const other = await c.call('no such mode', 'POST', `${path}?fieldValidation=Maybe`, { body: configMap('u4') });
        assert.equal(other.status, 422);
      },
    },
    {
      name: 'paths that do not exist',
      async run(c) {
        for (const path of [
          '/api/v1/nothings',
          c.at('v1', 'nothings'),
          '/apis/none.example.com/v1/things',
          '/apis/apps/v7/deployments',
          '/nothing',
          '/api/v1/namespaces/x/y/z/a/b',
          '/apis/apps/v1/deployments/named-without-namespace',
        ]) {
          const answer = await c.call(path.replace(c.ns, 'NS'), 'GET', path);
          assert.equal(answer.status, 404);
        }
      },
    },
    {
      name: 'methods that a path does not take answer 405',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('m'));
        const rows: [string, string][] = [
          ['POST', c.at('v1', 'configmaps', 'm')],
          ['PUT', c.at('v1', 'configmaps')],
          ['PATCH', c.at('v1', 'configmaps')],
          ['POST', '/api/v1/configmaps'],
          ['DELETE', '/api/v1/namespaces'],
        ];
        for (const [method, path] of rows) {
          const answer = await c.call(`${method} ${path.replace(c.ns, 'NS')}`, method, path, {
            body: method === 'DELETE' ? undefined : {},
          });
          assert.equal(answer.status, 405);
        }
      },
    },
    {
      name: 'bodies in a format that is not understood answer 415, unwanted answers 406',
      async run(c) {
        const type = await c.call('text', 'POST', c.at('v1', 'configmaps'), {
          body: 'hello',
          contentType: 'text/plain',
        });
        assert.equal(type.status, 415);
        const accept = await c.call('accept', 'GET', c.at('v1', 'configmaps'), { accept: 'image/png' });
        assert.equal(accept.status, 406);
      },
    },
    {
      name: 'immutable fields',
      async run(c) {
        await c.prepare('POST', c.at('apps/v1', 'deployments'), deployment('im'));
        const selector = await c.patch('deployment selector', 'merge', c.at('apps/v1', 'deployments', 'im'), {
          spec: { selector: { matchLabels: { app: 'else' } }, template: { metadata: { labels: { app: 'else' } } } },
        });
        assert.equal(selector.status, 422);
        const frozen = { ...configMap('fz', { a: '1' }), immutable: true };
        await c.prepare('POST', c.at('v1', 'configmaps'), frozen);
        const data = await c.patch('immutable configmap', 'merge', c.at('v1', 'configmaps', 'fz'), {
          data: { a: '2' },
        });
        assert.equal(data.status, 422);
        const thaw = await c.patch('immutable again mutable', 'merge', c.at('v1', 'configmaps', 'fz'), {
          immutable: false,
        });
        assert.equal(thaw.status, 422);
        const svc = await c.prepare('POST', c.at('v1', 'services'), service('ip'));
        const ip = await c.patch('clusterIP', 'merge', c.at('v1', 'services', 'ip'), {
          spec: { clusterIP: '10.96.0.77' },
        });
        assert.equal(ip.status, 422);
        assert.ok(svc.body.spec.clusterIP);
        const set = {
          apiVersion: 'apps/v1',
          kind: 'StatefulSet',
          metadata: { name: 'st' },
          spec: { ...(deployment('st').spec as object), serviceName: 'st' },
        };
        await c.prepare('POST', c.at('apps/v1', 'statefulsets'), set);
        const setAnswer = await c.patch('statefulset serviceName', 'merge', c.at('apps/v1', 'statefulsets', 'st'), {
          spec: { serviceName: 'other' },
        });
        assert.equal(setAnswer.status, 422);
        const job = {
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { name: 'jb' },
          spec: { template: { spec: { restartPolicy: 'Never', containers: [container('a')] } } },
        };
        await c.prepare('POST', c.at('batch/v1', 'jobs'), job);
        const jobAnswer = await c.patch('job template', 'strategic', c.at('batch/v1', 'jobs', 'jb'), {
          spec: { template: { spec: { containers: [{ name: 'a', image: 'other' }] } } },
        });
        assert.equal(jobAnswer.status, 422);
        const typed = await c.prepare('POST', c.at('v1', 'secrets'), {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'ty' },
        });
        assert.equal(typed.body.type, 'Opaque');
        await c.patch('secret type', 'merge', c.at('v1', 'secrets', 'ty'), { type: 'example.com/x' });
      },
    },
  ],
};
