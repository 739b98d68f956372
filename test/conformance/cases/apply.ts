/** Server-side apply. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup } from '../harness/context.ts';
import { configMap, container, service } from './objects.ts';

interface ManagedFields {
  manager: string;
  operation: string;
  subresource?: string;
  fieldsV1: Record<string, unknown>;
}

function managers(body: { metadata: { managedFields?: ManagedFields[] } }): string[] {
  return (body.metadata.managedFields ?? []).map((one) => `${one.manager}:${one.operation}`).sort();
}

/** A body without what only full objects carry. */
function pod(spec: object): object {
  return { template: { metadata: { labels: { app: 'w' } }, spec } };
}

/** The least of a Deployment that an applier must own. */
function web(spec: object = {}, podSpec: object = { containers: [container('main')] }): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'w' },
    spec: { selector: { matchLabels: { app: 'w' } }, ...pod(podSpec), ...spec },
  };
}

async function listCrd(c: CaseContext): ReturnType<CaseContext['crd']> {
  return c.crd({
    kind: 'Lists',
    schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            atomic: { type: 'array', items: { type: 'string' } },
            set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
            numbers: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'integer' } },
            map: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
              items: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: { type: 'string' },
                  value: { type: 'string' },
                  inner: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['port', 'protocol'],
                    items: {
                      type: 'object',
                      required: ['port'],
                      properties: {
                        port: { type: 'integer' },
                        protocol: { type: 'string', default: 'TCP' },
                        note: { type: 'string' },
                      },
                    },
                  },
                },
              },
            },
            free: { type: 'object', additionalProperties: { type: 'string' } },
            struct: {
              type: 'object',
              'x-kubernetes-map-type': 'atomic',
              properties: { a: { type: 'string' }, b: { type: 'string' } },
            },
            any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            n: { type: 'integer' },
          },
        },
        status: {
          type: 'object',
          properties: {
            phase: { type: 'string' },
            conditions: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['type'],
              items: {
                type: 'object',
                required: ['type'],
                properties: { type: { type: 'string' }, status: { type: 'string' } },
              },
            },
          },
        },
      },
    },
    version: { subresources: { status: {} } },
  });
}

export const apply: CaseGroup = {
  name: 'apply',
  profile: 'machinery',
  cases: [
    {
      name: 'creates, is idempotent, and owns exactly what it sent',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'a');
        const created = await c.apply('create', path, 'one', configMap('a', { x: '1' }, { l: 'v' }));
        assert.equal(created.status, 201);
        assert.deepEqual(managers(created.body), ['one:Apply']);
        assert.deepEqual(created.body.metadata.managedFields[0].fieldsV1, {
          'f:data': { 'f:x': {} },
          'f:metadata': { 'f:labels': { 'f:l': {} } },
        });
        const again = await c.apply('again', path, 'one', configMap('a', { x: '1' }, { l: 'v' }));
        assert.equal(again.status, 200);
        assert.equal(again.body.metadata.resourceVersion, created.body.metadata.resourceVersion);
      },
    },
    {
      name: 'needs a manager, a matching body, and no managedFields',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'a');
        const type = 'application/apply-patch+yaml';
        const rows: [string, string, unknown][] = [
          ['no manager', path, configMap('a')],
          ['no apiVersion', `${path}?fieldManager=m`, { kind: 'ConfigMap', metadata: { name: 'a' } }],
          ['no kind', `${path}?fieldManager=m`, { apiVersion: 'v1', metadata: { name: 'a' } }],
          ['another kind', `${path}?fieldManager=m`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } }],
          ['another name', `${path}?fieldManager=m`, configMap('b')],
          ['no name', `${path}?fieldManager=m`, { apiVersion: 'v1', kind: 'ConfigMap' }],
          [
            'managedFields',
            `${path}?fieldManager=m`,
            {
              ...configMap('a'),
              metadata: { name: 'a', managedFields: [{ manager: 'm', operation: 'Apply', apiVersion: 'v1' }] },
            },
          ],
          ['unknown field', `${path}?fieldManager=m`, { ...configMap('a'), nonsense: 1 }],
          [
            'unknown field, strict',
            `${path}?fieldManager=m&fieldValidation=Strict`,
            { ...configMap('a'), nonsense: 1 },
          ],
          ['wrong type', `${path}?fieldManager=m`, { ...configMap('a'), data: { a: 1 } }],
          ['not an object', `${path}?fieldManager=m`, '[1, 2]'],
          ['broken YAML', `${path}?fieldManager=m`, 'a: [b'],
          [
            'doubled key',
            `${path}?fieldManager=m`,
            'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: "1", a: "2"}\n',
          ],
          [
            'stale resourceVersion',
            `${path}?fieldManager=m`,
            { ...configMap('a'), metadata: { name: 'a', resourceVersion: '1' } },
          ],
        ];
        for (const [step, target, body] of rows) await c.call(step, 'PATCH', target, { contentType: type, body });
      },
    },
    {
      name: 'YAML bodies, and a name left to the path',
      async run(c) {
        const yaml =
          'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y1\ndata:\n  a: "1"\n  b: |\n    two\n    lines\n';
        const answer = await c.apply('yaml', c.at('v1', 'configmaps', 'y1'), 'm', yaml);
        assert.equal(answer.status, 201);
        assert.equal(answer.body.data.b, 'two\nlines\n');
        await c.apply('no metadata at all', c.at('v1', 'configmaps', 'y2'), 'm', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          data: { a: '1' },
        });
      },
    },
    {
      name: 'a field of another applier conflicts; force takes it; equal values are shared',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'a');
        await c.apply('one', path, 'one', configMap('a', { x: '1', y: '1' }));
        const conflict = await c.apply('two differs', path, 'two', configMap('a', { x: '2' }));
        assert.equal(conflict.status, 409);
        assert.equal(conflict.body.reason, 'Conflict');
        assert.equal(conflict.body.details.causes[0].reason, 'FieldManagerConflict');
        assert.equal(conflict.body.details.causes[0].field, '.data.x');
        const shared = await c.apply('two agrees', path, 'two', configMap('a', { y: '1' }));
        assert.equal(shared.status, 200);
        const both = await c.apply('several conflicts', path, 'three', configMap('a', { x: '3', y: '3' }));
        assert.equal(both.status, 409);
        const forced = await c.apply('two forces', path, 'two', configMap('a', { x: '2' }), { force: true });
        assert.equal(forced.body.data.x, '2');
        const noForce = await c.call('force on another patch', 'PATCH', `${path}?force=true`, {
          contentType: 'application/merge-patch+json',
          body: {},
        });
        assert.equal(noForce.status, 422);
      },
    },
    {
      name: 'what an applier no longer sends goes, unless somebody else owns it',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'a');
        await c.apply('one', path, 'one', configMap('a', { x: '1', y: '1', z: '1' }, { l: '1' }));
        await c.apply('two', path, 'two', configMap('a', { y: '1' }));
        const less = await c.apply('one sends less', path, 'one', configMap('a', { x: '1' }));
        assert.deepEqual(less.body.data, { x: '1', y: '1' });
        assert.equal(less.body.metadata.labels, undefined);
        const last = await c.apply('two lets go', path, 'two', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'a' },
        });
        assert.deepEqual(last.body.data, { x: '1' });
        assert.deepEqual(managers(last.body), ['one:Apply']);
        const none = await c.apply('one lets go', path, 'one', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'a' },
        });
        assert.equal(none.body.data, undefined);
      },
    },
    {
      name: 'updates take ownership without asking, and apply meets them as conflicts',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'a');
        await c.apply('apply', path, 'applier', configMap('a', { x: '1', y: '1' }));
        const patched = await c.patch('patch', 'merge', `${path}?fieldManager=editor`, { data: { x: '2', z: '9' } });
        assert.deepEqual(managers(patched.body), ['applier:Apply', 'editor:Update']);
        const conflict = await c.apply('apply again', path, 'applier', configMap('a', { x: '1', y: '1' }));
        assert.equal(conflict.status, 409);
        const forced = await c.apply('force', path, 'applier', configMap('a', { x: '1', y: '1' }), { force: true });
        assert.equal(forced.body.data.z, '9');
        const same = await c.patch('the same value by an update', 'merge', `${path}?fieldManager=third`, {
          data: { y: '1' },
        });
        assert.ok(!managers(same.body).includes('third:Update'));
        const removed = await c.patch('removed by an update', 'merge', `${path}?fieldManager=editor`, {
          data: { y: null },
        });
        assert.equal(removed.body.data.y, undefined);
        const put = await c.call('put', 'PUT', `${path}?fieldManager=putter`, {
          body: configMap('a', { x: '7', q: '1' }),
        });
        assert.equal(put.status, 200);
      },
    },
    {
      name: 'handing a field over: update manager to applier, and back to nobody',
      async run(c) {
        const path = c.at('apps/v1', 'deployments', 'w');
        await c.apply('apply with replicas', path, 'team', web({ replicas: 3 }));
        await c.patch(
          'autoscaler scales',
          'merge',
          `${c.at('apps/v1', 'deployments', 'w', 'scale')}?fieldManager=hpa`,
          { spec: { replicas: 5 } },
        );
        const after = await c.call('get', 'GET', path);
        assert.equal(after.body.spec.replicas, 5);
        const conflict = await c.apply('team still wants three', path, 'team', web({ replicas: 3 }));
        assert.equal(conflict.status, 409);
        const without = await c.apply('team lets go', path, 'team', web());
        assert.equal(without.body.spec.replicas, 5);
      },
    },
    {
      name: 'removing the only owner of a defaulted field brings the default back',
      async run(c) {
        const path = c.at('apps/v1', 'deployments', 'w');
        await c.apply(
          'with',
          path,
          'team',
          web({ replicas: 3, revisionHistoryLimit: 4, strategy: { type: 'Recreate' } }),
        );
        const without = await c.apply('without', path, 'team', web());
        assert.equal(without.body.spec.replicas, 1);
        assert.equal(without.body.spec.revisionHistoryLimit, 10);
        assert.equal(without.body.spec.strategy.type, 'RollingUpdate');
      },
    },
    {
      name: 'containers, env, ports and volumes merge by key between appliers',
      async run(c) {
        const path = c.at('apps/v1', 'deployments', 'w');
        await c.apply(
          'one',
          path,
          'one',
          web(
            {},
            {
              containers: [
                {
                  ...container('main'),
                  env: [{ name: 'A', value: '1' }],
                  ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }],
                },
              ],
              volumes: [{ name: 'v', emptyDir: {} }],
            },
          ),
        );
        const two = await c.apply('two', path, 'two', {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'w' },
          spec: {
            template: {
              spec: {
                containers: [
                  {
                    name: 'main',
                    env: [{ name: 'B', value: '2' }],
                    ports: [{ containerPort: 53, protocol: 'TCP' }],
                    volumeMounts: [{ name: 'v', mountPath: '/v' }],
                  },
                  container('side', 'side:1'),
                ],
              },
            },
          },
        });
        assert.equal(two.status, 200, two.text);
        const containers = two.body.spec.template.spec.containers;
        assert.deepEqual(
          containers.map((one: { name: string }) => one.name),
          ['main', 'side'],
        );
        assert.equal(containers[0].ports.length, 3);
        const conflict = await c.apply('two wants the image', path, 'two', {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'w' },
          spec: { template: { spec: { containers: [{ name: 'main', image: 'other' }] } } },
        });
        assert.equal(conflict.status, 409);
        const gone = await c.apply('two lets go', path, 'two', {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'w' },
        });
        assert.equal(gone.body.spec.template.spec.containers.length, 1);
        const removed = await c.apply(
          'one drops a port',
          path,
          'one',
          web({}, { containers: [{ ...container('main'), ports: [{ containerPort: 53, protocol: 'UDP' }] }] }),
        );
        assert.equal(removed.body.spec.template.spec.containers[0].ports.length, 1);
      },
    },
    {
      name: 'reordering, and the same key twice',
      async run(c) {
        const path = c.at('apps/v1', 'deployments', 'w');
        await c.apply('a b c', path, 'one', web({}, { containers: [container('a'), container('b'), container('c')] }));
        const reordered = await c.apply(
          'c a b',
          path,
          'one',
          web({}, { containers: [container('c'), container('a'), container('b')] }),
        );
        assert.deepEqual(
          reordered.body.spec.template.spec.containers.map((one: { name: string }) => one.name),
          ['c', 'a', 'b'],
        );
        await c.apply('another adds first', path, 'two', {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'w' },
          spec: { template: { spec: { containers: [container('x'), { name: 'a' }] } } },
        });
        await c.apply('a key twice', path, 'one', web({}, { containers: [container('a'), container('a')] }));
        await c.apply(
          'env twice',
          path,
          'one',
          web(
            {},
            {
              containers: [
                {
                  ...container('a'),
                  env: [
                    { name: 'E', value: '1' },
                    { name: 'E', value: '2' },
                  ],
                },
              ],
            },
          ),
          { force: true },
        );
        await c.apply('no key', path, 'one', web({}, { containers: [{ image: 'x' }] }));
      },
    },
    {
      name: 'atomic parts have one owner: selectors, config of a probe, tolerations, args',
      async run(c) {
        const path = c.at('apps/v1', 'deployments', 'w');
        const main = (content: object): object => web({}, { containers: [{ ...container('main'), ...content }] });
        await c.apply(
          'one',
          path,
          'one',
          main({ args: ['a', 'b'], livenessProbe: { httpGet: { path: '/', port: 80 } } }),
        );
        const conflict = await c.apply('two appends an arg', path, 'two', main({ args: ['a', 'b', 'c'] }));
        assert.equal(conflict.status, 409);
        await c.apply('two, same args', path, 'two', main({ args: ['a', 'b'] }));
        await c.apply('one changes shared args', path, 'one', main({ args: ['z'] }));
        await c.apply('one forces', path, 'one', main({ args: ['z'], livenessProbe: { tcpSocket: { port: 80 } } }), {
          force: true,
        });
        await c.apply('tolerations', path, 'three', {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'w' },
          spec: { template: { spec: { tolerations: [{ key: 'a' }], nodeSelector: { disk: 'ssd' } } } },
        });
      },
    },
    {
      name: 'service ports: keys with a default',
      async run(c) {
        const path = c.at('v1', 'services', 's');
        const ports = (...list: object[]): object => ({ ...service('s', { ports: list, selector: { app: 'x' } }) });
        await c.apply(
          'one',
          path,
          'one',
          ports({ name: 'dns', port: 53 }, { name: 'dns-udp', port: 53, protocol: 'UDP' }),
        );
        await c.apply('two', path, 'two', {
          ...service('s', { ports: [{ name: 'web', port: 80, targetPort: 8080 }] }),
        });
        const explicit = await c.apply(
          'the default given',
          path,
          'one',
          ports({ name: 'dns', port: 53, protocol: 'TCP' }, { name: 'dns-udp', port: 53, protocol: 'UDP' }),
        );
        assert.equal(explicit.status, 200, explicit.text);
        await c.apply('one drops UDP', path, 'one', ports({ name: 'dns', port: 53 }));
        await c.apply('selector of another', path, 'two', {
          ...service('s', { ports: [{ name: 'web', port: 80, targetPort: 8080 }], selector: { tier: 'x' } }),
        });
      },
    },
    {
      name: 'custom resources: atomic lists, sets and maps',
      async run(c) {
        const crd = await listCrd(c);
        const path = `${crd.path}/x`;
        const body = (spec: object): object => crd.object('x', { spec });
        await c.apply(
          'one',
          path,
          'one',
          body({
            atomic: ['a'],
            set: ['a', 'b'],
            numbers: [1, 2],
            map: [{ name: 'm', value: '1' }],
            free: { a: '1' },
            struct: { a: '1' },
            any: { deep: { er: [1] } },
            n: 1,
          }),
        );
        const conflict = await c.apply('atomic list', path, 'two', body({ atomic: ['a', 'b'] }));
        assert.equal(conflict.status, 409);
        const set = await c.apply('set', path, 'two', body({ set: ['b', 'c'], numbers: [3] }));
        assert.deepEqual(set.body.spec.set, ['a', 'b', 'c']);
        const map = await c.apply('map', path, 'two', body({ set: ['b', 'c'], map: [{ name: 'm2', value: '2' }] }));
        assert.equal(map.body.spec.map.length, 2);
        await c.apply('field of a map entry', path, 'two', body({ map: [{ name: 'm', value: 'other' }] }));
        await c.apply('free map', path, 'three', body({ free: { b: '2' } }));
        const struct = await c.apply('atomic struct', path, 'three', body({ struct: { b: '2' } }));
        assert.equal(struct.status, 409);
        await c.apply('unknown content', path, 'three', body({ any: { deep: { more: 1 } } }));
        const less = await c.apply('one sends less of each', path, 'one', body({ set: ['a'], map: [], any: {} }));
        assert.equal(less.status, 200);
        // The map that is left without entries becomes null on its way, which its schema then refuses.
        const empty = await c.apply('one sends an empty map', path, 'one', body({ set: ['a'], free: {} }));
        await c.record('empty map', empty.status);
        await c.apply('one sends nothing', path, 'one', crd.object('x', {}));
        await c.apply('set with the same twice', path, 'four', body({ set: ['q', 'q'] }));
        await c.apply('map with the same key twice', path, 'four', body({ map: [{ name: 'q' }, { name: 'q' }] }));
        await c.apply('null', path, 'four', body({ n: null }));
      },
    },
    {
      name: 'custom resources: nested lists keyed by several fields, one with a default',
      async run(c) {
        const crd = await listCrd(c);
        const path = `${crd.path}/x`;
        const entry = (...inner: object[]): object => crd.object('x', { spec: { map: [{ name: 'm', inner }] } });
        const one = await c.apply('one', path, 'one', entry({ port: 53, protocol: 'UDP' }, { port: 53 }));
        assert.equal(one.status, 201, one.text);
        assert.equal(one.body.spec.map[0].inner[1].protocol, 'TCP');
        const two = await c.apply('two', path, 'two', entry({ port: 53, protocol: 'TCP', note: 'mine' }, { port: 80 }));
        assert.equal(two.status, 200, two.text);
        assert.equal(two.body.spec.map[0].inner.length, 3);
        await c.apply('conflict', path, 'three', entry({ port: 53, note: 'theirs' }));
        const dropped = await c.apply('one drops TCP', path, 'one', entry({ port: 53, protocol: 'UDP' }));
        assert.equal(dropped.body.spec.map[0].inner.length, 3);
        const last = await c.apply('two drops it too', path, 'two', entry({ port: 80 }));
        assert.equal(last.body.spec.map[0].inner.length, 2);
        const out = await c.apply('one lets go', path, 'one', crd.object('x', {}));
        assert.equal(out.body.spec.map[0].inner.length, 1);
      },
    },
    {
      name: 'status and spec are owned apart',
      async run(c) {
        const crd = await listCrd(c);
        const path = `${crd.path}/x`;
        await c.apply('spec', path, 'kernel', crd.object('x', { spec: { n: 1 }, status: { phase: 'ignored' } }));
        const status = await c.apply(
          'status',
          `${path}/status`,
          'kernel',
          crd.object('x', { status: { phase: 'Ready', conditions: [{ type: 'A', status: 'True' }] } }),
        );
        assert.equal(status.body.status.phase, 'Ready');
        assert.deepEqual(
          status.body.metadata.managedFields.map((one: ManagedFields) => one.subresource ?? ''),
          ['', 'status'],
        );
        const other = await c.apply(
          'status by another',
          `${path}/status`,
          'watcher',
          crd.object('x', { status: { conditions: [{ type: 'B', status: 'False' }] } }),
        );
        assert.equal(other.body.status.conditions.length, 2);
        const conflict = await c.apply(
          'status conflict',
          `${path}/status`,
          'watcher',
          crd.object('x', { status: { phase: 'Bad' } }),
        );
        assert.equal(conflict.status, 409);
        const spec = await c.apply('spec again', path, 'kernel', crd.object('x', { spec: { n: 2 } }));
        assert.equal(spec.body.status.phase, 'Ready');
        const missing = await c.apply(
          'status of what is not there',
          `${crd.path}/none/status`,
          'kernel',
          crd.object('none', { status: { phase: 'x' } }),
        );
        assert.equal(missing.status, 404);
        await c.patch('status by update', 'merge', `${path}/status?fieldManager=kernel`, {
          status: { phase: 'Updated' },
        });
      },
    },
    {
      name: 'status of a Deployment by apply',
      async run(c) {
        const path = c.at('apps/v1', 'deployments', 'w');
        await c.apply('spec', path, 'team', web());
        await c.apply('status', `${path}/status`, 'kubelet', {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'w' },
          status: { replicas: 1, conditions: [{ type: 'Available', status: 'True', reason: 'x', message: 'y' }] },
        });
        await c.call('get', 'GET', path);
      },
    },
    {
      name: 'labels, annotations, finalizers and owner references between appliers',
      async run(c) {
        const owner = await c.prepare('POST', c.at('v1', 'configmaps'), configMap('owner'));
        const path = c.at('v1', 'configmaps', 'm');
        const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.body.metadata.uid };
        const meta = (metadata: object): object => ({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'm', ...metadata },
        });
        await c.apply(
          'one',
          path,
          'one',
          meta({
            labels: { a: '1' },
            annotations: { x: '1' },
            finalizers: ['example.com/one'],
            ownerReferences: [reference],
          }),
        );
        const two = await c.apply('two', path, 'two', meta({ labels: { b: '2' }, finalizers: ['example.com/two'] }));
        assert.deepEqual(two.body.metadata.finalizers, ['example.com/one', 'example.com/two']);
        const other = await c.apply(
          'owner reference changed',
          path,
          'two',
          meta({ ownerReferences: [{ ...reference, controller: true, blockOwnerDeletion: true }] }),
        );
        assert.equal(other.status, 409); // an owner reference is one whole
        const one = await c.apply('one lets go', path, 'one', meta({}));
        assert.equal(one.body.metadata.ownerReferences, undefined);
        await c.apply('two lets go', path, 'two', meta({}));
      },
    },
    {
      name: 'managedFields: cleared by hand, corrupted, stripped from lists by request',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'a');
        await c.apply('one', path, 'one', configMap('a', { x: '1' }));
        const kept = await c.patch('an empty list keeps them', 'merge', path, { metadata: { managedFields: [] } });
        assert.equal(kept.status, 200);
        const cleared = await c.patch('one empty entry clears them', 'merge', path, {
          metadata: { managedFields: [{}] },
        });
        assert.equal(cleared.body.metadata.managedFields, undefined);
        const before = await c.apply('apply to what has none', path, 'two', configMap('a', { x: '2' }));
        await c.record('managers', managers(before.body));
        await c.patch('invalid entry', 'merge', path, {
          metadata: {
            managedFields: [
              { manager: 'x', operation: 'Guess', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} },
            ],
          },
        });
        await c.patch('invalid fields', 'merge', path, {
          metadata: {
            managedFields: [
              { manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { data: {} } },
            ],
          },
        });
      },
    },
    {
      name: 'the first apply on an object made by create',
      async run(c) {
        await c.prepare('POST', `${c.at('v1', 'configmaps')}?fieldManager=creator`, configMap('a', { x: '1', y: '1' }));
        const path = c.at('v1', 'configmaps', 'a');
        const same = await c.apply('same values', path, 'creator', configMap('a', { x: '1' }));
        assert.deepEqual(managers(same.body), ['creator:Apply', 'creator:Update']);
        const conflict = await c.apply('other values', path, 'creator', configMap('a', { x: '2' }));
        assert.equal(conflict.status, 409);
        await c.apply('forced', path, 'creator', configMap('a', { x: '2' }), { force: true });
      },
    },
    {
      name: 'what kubectl apply wrote once is handed to server-side apply',
      async run(c) {
        const object = configMap('h', { x: '1', y: '1' });
        const annotated = {
          ...object,
          metadata: {
            name: 'h',
            annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(object)}\n` },
          },
        };
        await c.prepare('POST', `${c.at('v1', 'configmaps')}?fieldManager=kubectl-client-side-apply`, annotated);
        const path = c.at('v1', 'configmaps', 'h');
        const applied = await c.apply('server-side', path, 'kubectl', configMap('h', { x: '1' }));
        assert.equal(applied.status, 200, applied.text);
        await c.apply('changed', path, 'kubectl', configMap('h', { x: '2' }), { force: true });
      },
    },
    {
      name: 'quantities, empty values and defaults compare as values',
      async run(c) {
        const path = c.at('apps/v1', 'deployments', 'w');
        const limits = (cpu: unknown): object =>
          web({}, { containers: [{ ...container('main'), resources: { limits: { cpu, memory: '1024Mi' } } }] });
        await c.apply('one', path, 'one', limits('1000m'));
        await c.apply('two, written otherwise', path, 'two', limits('1'));
        await c.apply('as a number', path, 'three', limits(1));
        await c.apply('empty maps and lists', c.at('v1', 'configmaps', 'e'), 'one', {
          ...configMap('e'),
          data: {},
          metadata: { name: 'e', labels: {}, annotations: {}, finalizers: [] },
        });
        await c.apply('nulls', c.at('v1', 'configmaps', 'e'), 'one', {
          ...configMap('e'),
          data: null,
          metadata: { name: 'e', labels: null },
        });
        await c.apply('empty text', c.at('v1', 'configmaps', 'e'), 'one', configMap('e', { empty: '' }));
      },
    },
    {
      name: 'applying over a deletion, and with preconditions',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'd');
        const created = await c.apply('create', path, 'one', {
          ...configMap('d', { a: '1' }),
          metadata: { name: 'd', finalizers: ['example.com/x'] },
        });
        await c.prepare('DELETE', path);
        const during = await c.apply('while it is being deleted', path, 'one', {
          ...configMap('d', { a: '2' }),
          metadata: { name: 'd', finalizers: ['example.com/x'] },
        });
        assert.ok(during.body.metadata.deletionTimestamp);
        await c.apply('the finalizer goes', path, 'one', configMap('d', { a: '2' }));
        const fresh = await c.apply('made anew', path, 'one', configMap('d', { a: '3' }));
        assert.equal(fresh.status, 201);
        const uid = await c.apply('with the old uid', path, 'one', {
          ...configMap('d', { a: '4' }),
          metadata: { name: 'd', uid: created.body.metadata.uid },
        });
        assert.equal(uid.status, 422);
        await c.apply('uid of nothing', c.at('v1', 'configmaps', 'none'), 'one', {
          ...configMap('none'),
          metadata: { name: 'none', uid: created.body.metadata.uid },
        });
      },
    },
  ],
};
