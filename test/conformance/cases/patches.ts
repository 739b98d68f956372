/** JSON patch, JSON merge patch, strategic merge patch. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup, PatchType } from '../harness/context.ts';
import { configMap, container, deployment, service } from './objects.ts';

interface Row {
  step: string;
  type: PatchType;
  patch: unknown;
  status?: number;
}

async function patchInTurn(c: CaseContext, path: string, rows: Row[]): Promise<void> {
  for (const { step, type, patch, status = 200 } of rows) {
    const answer = await c.patch(step, type, path, patch);
    assert.equal(answer.status, status, `${step}: ${answer.text}`);
  }
}

export const patches: CaseGroup = {
  name: 'patches',
  profile: 'machinery',
  cases: [
    {
      name: 'JSON patch: every operation, in turn',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'configmaps'), {
          ...configMap('j', { a: '1', b: '2' }),
          metadata: { name: 'j', annotations: { 'x.io/y': '3' } },
        });
        const op = (name: string, path: string, more: object = {}): object => ({ op: name, path, ...more });
        await patchInTurn(c, c.at('v1', 'configmaps', 'j'), [
          {
            step: 'test and replace',
            type: 'json',
            patch: [op('test', '/data/a', { value: '1' }), op('replace', '/data/a', { value: '9' })],
          },
          { step: 'add', type: 'json', patch: [op('add', '/data/c', { value: 'new' })] },
          { step: 'escapes', type: 'json', patch: [op('replace', '/metadata/annotations/x.io~1y', { value: 's' })] },
          { step: 'remove', type: 'json', patch: [op('remove', '/data/b')] },
          {
            step: 'copy and move',
            type: 'json',
            patch: [op('copy', '/data/d', { from: '/data/a' }), op('move', '/data/e', { from: '/data/c' })],
          },
          {
            step: 'labels where there are none',
            type: 'json',
            patch: [op('add', '/metadata/labels', { value: { k: 'v' } })],
          },
          { step: 'nothing', type: 'json', patch: [] },
          { step: 'test that fails', type: 'json', patch: [op('test', '/data/a', { value: 'no' })], status: 422 },
          {
            step: 'test of what is missing',
            type: 'json',
            patch: [op('test', '/data/zzz', { value: 'no' })],
            status: 422,
          },
          { step: 'remove what is missing', type: 'json', patch: [op('remove', '/data/zzz')], status: 422 },
          // RFC 6902 asks for a failure; the library that every API server uses adds the member instead.
          { step: 'replace what is missing', type: 'json', patch: [op('replace', '/data/zzz', { value: '1' })] },
          { step: 'remove it again', type: 'json', patch: [op('remove', '/data/zzz')] },
          {
            step: 'add under what is missing',
            type: 'json',
            patch: [op('add', '/spec/deep/er', { value: '1' })],
            status: 422,
          },
          { step: 'unknown operation', type: 'json', patch: [op('frob', '/data/a')], status: 422 },
          { step: 'no array', type: 'json', patch: { op: 'remove' }, status: 400 },
          { step: 'not JSON', type: 'json', patch: '[{', status: 400 },
        ]);
      },
    },
    {
      name: 'JSON patch on arrays: index, end, insertion',
      async run(c) {
        await c.prepare(
          'POST',
          c.at('v1', 'services'),
          service('arr', {
            ports: [
              { name: 'a', port: 1 },
              { name: 'b', port: 2 },
            ],
            selector: { app: 'x' },
          }),
        );
        await patchInTurn(c, c.at('v1', 'services', 'arr'), [
          {
            step: 'append',
            type: 'json',
            patch: [{ op: 'add', path: '/spec/ports/-', value: { name: 'c', port: 3 } }],
          },
          {
            step: 'insert',
            type: 'json',
            patch: [{ op: 'add', path: '/spec/ports/0', value: { name: 'z', port: 9 } }],
          },
          { step: 'replace one', type: 'json', patch: [{ op: 'replace', path: '/spec/ports/1/port', value: 11 }] },
          { step: 'remove one', type: 'json', patch: [{ op: 'remove', path: '/spec/ports/2' }] },
          {
            step: 'out of range',
            type: 'json',
            patch: [{ op: 'add', path: '/spec/ports/9', value: { name: 'q', port: 4 } }],
            status: 422,
          },
        ]);
      },
    },
    {
      name: 'merge patch: sets, removes by null, replaces lists',
      async run(c) {
        await c.prepare('POST', c.at('apps/v1', 'deployments'), deployment('m', { spec: { replicas: 2 } }));
        await patchInTurn(c, c.at('apps/v1', 'deployments', 'm'), [
          { step: 'set', type: 'merge', patch: { spec: { replicas: 3 }, metadata: { labels: { a: 'b' } } } },
          { step: 'null removes, default comes back', type: 'merge', patch: { spec: { replicas: null } } },
          { step: 'labels gone', type: 'merge', patch: { metadata: { labels: null } } },
          {
            step: 'lists are replaced whole',
            type: 'merge',
            patch: { spec: { template: { spec: { containers: [container('other', 'busybox')] } } } },
          },
          { step: 'empty', type: 'merge', patch: {} },
          { step: 'a wrong type', type: 'merge', patch: { spec: { replicas: 'many' } }, status: 422 },
          { step: 'not an object', type: 'merge', patch: '[1]', status: 400 },
          { step: 'another name', type: 'merge', patch: { metadata: { name: 'other' } }, status: 400 },
          { step: 'another namespace', type: 'merge', patch: { metadata: { namespace: 'other' } }, status: 400 },
          {
            step: 'stale version',
            type: 'merge',
            patch: { metadata: { resourceVersion: '1' }, spec: { replicas: 4 } },
            status: 409,
          },
        ]);
      },
    },
    {
      name: 'strategic merge: containers, ports, env and volumes merge by key',
      async run(c) {
        await c.prepare(
          'POST',
          c.at('apps/v1', 'deployments'),
          deployment('s', {
            pod: {
              containers: [
                {
                  ...container('main'),
                  env: [
                    { name: 'A', value: '1' },
                    { name: 'B', value: '2' },
                  ],
                  ports: [{ containerPort: 80, name: 'http' }],
                  volumeMounts: [{ name: 'v', mountPath: '/v' }],
                  args: ['x', 'y'],
                },
                container('side'),
              ],
              volumes: [{ name: 'v', emptyDir: {} }],
              tolerations: [{ key: 'k', operator: 'Exists' }],
            },
          }),
        );
        const pod = (spec: object): object => ({ spec: { template: { spec } } });
        const main = (content: object): object => pod({ containers: [{ name: 'main', ...content }] });
        await patchInTurn(c, c.at('apps/v1', 'deployments', 's'), [
          { step: 'change one container', type: 'strategic', patch: main({ image: 'nginx:2' }) },
          {
            step: 'merge env',
            type: 'strategic',
            patch: main({
              env: [
                { name: 'B', value: 'two' },
                { name: 'C', value: '3' },
              ],
            }),
          },
          { step: 'add a port', type: 'strategic', patch: main({ ports: [{ containerPort: 443, name: 'https' }] }) },
          { step: 'change a port', type: 'strategic', patch: main({ ports: [{ containerPort: 80, name: 'web' }] }) },
          { step: 'delete env', type: 'strategic', patch: main({ env: [{ name: 'A', $patch: 'delete' }] }) },
          {
            step: 'replace env',
            type: 'strategic',
            patch: main({ env: [{ $patch: 'replace' }, { name: 'Z', value: 'z' }] }),
          },
          { step: 'args are replaced', type: 'strategic', patch: main({ args: ['z'] }) },
          { step: 'new container goes first', type: 'strategic', patch: pod({ containers: [container('third')] }) },
          {
            step: 'order by directive',
            type: 'strategic',
            patch: pod({
              '$setElementOrder/containers': [{ name: 'side' }, { name: 'main' }, { name: 'third' }],
              containers: [{ name: 'side', image: 'side:2' }],
            }),
          },
          {
            step: 'delete a container',
            type: 'strategic',
            patch: pod({ containers: [{ name: 'side', $patch: 'delete' }] }),
          },
          {
            step: 'retain keys',
            type: 'strategic',
            patch: pod({ volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'cm' } }] }),
          },
          {
            step: 'delete a volume and its mount',
            type: 'strategic',
            patch: pod({
              volumes: [{ name: 'v', $patch: 'delete' }],
              containers: [{ name: 'main', volumeMounts: [{ mountPath: '/v', $patch: 'delete' }] }],
            }),
          },
          {
            step: 'tolerations are replaced',
            type: 'strategic',
            patch: pod({ tolerations: [{ key: 'k2', operator: 'Exists' }] }),
          },
          {
            step: 'strategy with retain keys',
            type: 'strategic',
            patch: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
          },
          {
            step: 'replace a map',
            type: 'strategic',
            patch: { metadata: { labels: { $patch: 'replace', only: 'this' } } },
          },
          { step: 'delete a map', type: 'strategic', patch: { metadata: { labels: { $patch: 'delete' } } } },
          { step: 'null', type: 'strategic', patch: { spec: { revisionHistoryLimit: null } } },
          {
            step: 'no key in a keyed list',
            type: 'strategic',
            patch: pod({ containers: [{ image: 'x' }] }),
            status: 500,
          },
        ]);
      },
    },
    {
      name: 'strategic merge: finalizers and other sets of scalars merge, and delete by directive',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'configmaps'), {
          ...configMap('f'),
          metadata: { name: 'f', finalizers: ['example.com/a', 'example.com/b'], labels: { x: '1' } },
        });
        await patchInTurn(c, c.at('v1', 'configmaps', 'f'), [
          { step: 'add a finalizer', type: 'strategic', patch: { metadata: { finalizers: ['example.com/c'] } } },
          { step: 'the same again', type: 'strategic', patch: { metadata: { finalizers: ['example.com/c'] } } },
          {
            step: 'delete one',
            type: 'strategic',
            patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] } },
          },
          {
            step: 'order',
            type: 'strategic',
            patch: { metadata: { '$setElementOrder/finalizers': ['example.com/c', 'example.com/b'] } },
          },
          {
            step: 'delete all',
            type: 'strategic',
            patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/b', 'example.com/c'] } },
          },
        ]);
      },
    },
    {
      name: 'strategic merge: owner references merge by uid, service ports by port',
      async run(c) {
        const owner = await c.prepare('POST', c.at('v1', 'configmaps'), configMap('owner'));
        await c.prepare('POST', c.at('v1', 'services'), service('sp', { ports: [{ name: 'a', port: 80 }] }));
        const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.body.metadata.uid };
        await patchInTurn(c, c.at('v1', 'services', 'sp'), [
          { step: 'add a port', type: 'strategic', patch: { spec: { ports: [{ name: 'b', port: 81 }] } } },
          { step: 'change a port', type: 'strategic', patch: { spec: { ports: [{ port: 80, targetPort: 'http' }] } } },
          { step: 'delete a port', type: 'strategic', patch: { spec: { ports: [{ port: 81, $patch: 'delete' }] } } },
          { step: 'owner', type: 'strategic', patch: { metadata: { ownerReferences: [reference] } } },
          {
            step: 'owner again, changed',
            type: 'strategic',
            patch: { metadata: { ownerReferences: [{ ...reference, controller: true }] } },
          },
          {
            step: 'owner gone',
            type: 'strategic',
            patch: { metadata: { ownerReferences: [{ $patch: 'delete', uid: reference.uid }] } },
          },
        ]);
      },
    },
    {
      name: 'custom resources take JSON and merge patches, not strategic ones',
      async run(c) {
        const crd = await c.crd({
          kind: 'Plain',
          schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { list: { type: 'array', items: { type: 'string' } }, n: { type: 'integer' } },
              },
            },
          },
        });
        await c.prepare('POST', crd.path, crd.object('x', { spec: { list: ['a'], n: 1 } }));
        await patchInTurn(c, `${crd.path}/x`, [
          { step: 'merge', type: 'merge', patch: { spec: { list: ['b', 'c'] } } },
          { step: 'json', type: 'json', patch: [{ op: 'replace', path: '/spec/n', value: 2 }] },
          { step: 'strategic', type: 'strategic', patch: { spec: { n: 3 } }, status: 415 },
          {
            step: 'invalid result',
            type: 'json',
            patch: [{ op: 'replace', path: '/spec/n', value: 'two' }],
            status: 422,
          },
        ]);
      },
    },
    {
      name: 'patching what is not there, and with unknown content types',
      async run(c) {
        const missing = await c.patch('missing', 'merge', c.at('v1', 'configmaps', 'none'), { data: {} });
        assert.equal(missing.status, 404);
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('t'));
        const type = await c.call('content type', 'PATCH', c.at('v1', 'configmaps', 't'), {
          contentType: 'application/json',
          body: { data: { a: '1' } },
        });
        assert.equal(type.status, 415);
      },
    },
    {
      name: 'a patch that changes nothing writes nothing',
      async run(c) {
        const created = await c.prepare('POST', c.at('v1', 'configmaps'), configMap('n', { a: '1' }));
        const path = c.at('v1', 'configmaps', 'n');
        for (const type of ['merge', 'strategic'] as const) {
          const answer = await c.patch(type, type, path, { data: { a: '1' } });
          assert.equal(answer.body.metadata.resourceVersion, created.body.metadata.resourceVersion);
        }
        const put = await c.call('put', 'PUT', path, { body: created.body });
        assert.equal(put.body.metadata.resourceVersion, created.body.metadata.resourceVersion);
      },
    },
  ],
};
