/** Create, read, replace, delete, and what each answers. */
import assert from 'node:assert/strict';
import type { CaseGroup } from '../harness/context.ts';
import { configMap } from './objects.ts';

export const crud: CaseGroup = {
  name: 'crud',
  profile: 'machinery',
  cases: [
    {
      name: 'create answers 201 with server-set metadata and reads back the same',
      async run(c) {
        const created = await c.call('create', 'POST', c.at('v1', 'configmaps'), {
          body: configMap('one', { a: '1' }),
        });
        assert.equal(created.status, 201);
        assert.match(created.body.metadata.uid, /^[0-9a-f-]{36}$/);
        assert.ok(created.body.metadata.creationTimestamp);
        assert.equal(created.body.metadata.generation, undefined);
        const read = await c.call('get', 'GET', c.at('v1', 'configmaps', 'one'));
        assert.equal(read.status, 200);
        assert.deepEqual(read.body, created.body);
      },
    },
    {
      name: 'fields that a client may not set are dropped or replaced on create',
      async run(c) {
        const body = configMap('two');
        const { status, body: created } = await c.call('create', 'POST', c.at('v1', 'configmaps'), {
          body: {
            ...body,
            metadata: {
              name: 'two',
              uid: '11111111-2222-3333-4444-555555555555',
              creationTimestamp: '2001-01-01T00:00:00Z',
              deletionTimestamp: '2001-01-01T00:00:00Z',
              deletionGracePeriodSeconds: 5,
              generation: 17,
              selfLink: '/api/v1/none',
              labels: { kept: 'yes' },
            },
          },
        });
        assert.equal(status, 201);
        assert.notEqual(created.metadata.uid, '11111111-2222-3333-4444-555555555555');
        assert.equal(created.metadata.deletionTimestamp, undefined);
      },
    },
    {
      name: 'create again answers 409 AlreadyExists',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('same'));
        const again = await c.call('again', 'POST', c.at('v1', 'configmaps'), { body: configMap('same') });
        assert.equal(again.status, 409);
        assert.equal(again.body.reason, 'AlreadyExists');
        assert.equal(again.body.message, 'configmaps "same" already exists');
      },
    },
    {
      name: 'replace needs the current resourceVersion when it gives one',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'r');
        const created = await c.prepare('POST', c.at('v1', 'configmaps'), configMap('r', { a: '1' }));
        const replaced = await c.call('replace', 'PUT', path, {
          body: { ...created.body, data: { a: '2' } },
        });
        assert.equal(replaced.status, 200);
        const stale = await c.call('replace stale', 'PUT', path, { body: { ...created.body, data: { a: '3' } } });
        assert.equal(stale.status, 409);
        assert.equal(stale.body.reason, 'Conflict');
        const unconditional = await c.call('replace without a version', 'PUT', path, {
          body: configMap('r', { a: '4' }),
        });
        assert.equal(unconditional.status, 200);
        const other = {
          ...replaced.body,
          metadata: { ...replaced.body.metadata, uid: '11111111-2222-3333-4444-555555555555' },
        };
        const wrongUid = await c.call('replace with another uid', 'PUT', path, { body: other });
        assert.equal(wrongUid.status, 409);
        await c.call('replace with a version that is no number', 'PUT', path, {
          body: { ...configMap('r'), metadata: { name: 'r', resourceVersion: 'abc' } },
        });
        await c.call('create with a version', 'POST', c.at('v1', 'configmaps'), {
          body: { ...configMap('rv'), metadata: { name: 'rv', resourceVersion: '5' } },
        });
      },
    },
    {
      name: 'replace of what is not there: create on update where the kind allows it, else 404',
      async run(c) {
        const missing = await c.call('configmap', 'PUT', c.at('v1', 'configmaps', 'none'), { body: configMap('none') });
        assert.equal(missing.status, 404);
        const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec: {} };
        const created = await c.call('lease', 'PUT', c.at('coordination.k8s.io/v1', 'leases', 'l'), { body: lease });
        assert.equal(created.status, 201);
        const versioned = { ...lease, metadata: { name: 'l2', resourceVersion: '7' } };
        await c.call('lease with a version', 'PUT', c.at('coordination.k8s.io/v1', 'leases', 'l2'), {
          body: versioned,
        });
      },
    },
    {
      name: 'delete answers with a Status for kinds without grace and is final',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'd');
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('d'));
        const deleted = await c.call('delete', 'DELETE', path);
        assert.equal(deleted.status, 200);
        assert.equal(deleted.body.kind, 'Status');
        assert.equal(deleted.body.status, 'Success');
        const gone = await c.call('get', 'GET', path);
        assert.equal(gone.status, 404);
        const again = await c.call('delete again', 'DELETE', path);
        assert.equal(again.status, 404);
      },
    },
    {
      name: 'delete honours preconditions on uid and resourceVersion',
      async run(c) {
        const path = c.at('v1', 'configmaps', 'p');
        const created = await c.prepare('POST', c.at('v1', 'configmaps'), configMap('p'));
        const options = (preconditions: object): object => ({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions });
        const otherUid = await c.call('other uid', 'DELETE', path, {
          body: options({ uid: '11111111-2222-3333-4444-555555555555' }),
        });
        assert.equal(otherUid.status, 409);
        const otherVersion = await c.call('other version', 'DELETE', path, { body: options({ resourceVersion: '1' }) });
        assert.equal(otherVersion.status, 409);
        const { uid, resourceVersion } = created.body.metadata;
        const right = await c.call('right', 'DELETE', path, { body: options({ uid, resourceVersion }) });
        assert.equal(right.status, 200);
      },
    },
    {
      name: 'deletecollection deletes what the selector matches',
      async run(c) {
        for (const [name, app] of [
          ['a', 'x'],
          ['b', 'x'],
          ['c', 'y'],
        ] as const) {
          await c.prepare('POST', c.at('v1', 'configmaps'), configMap(name, {}, { app }));
        }
        const answer = await c.call('delete', 'DELETE', `${c.at('v1', 'configmaps')}?labelSelector=app%3Dx`);
        assert.equal(answer.status, 200);
        const left = await c.call('list', 'GET', `${c.at('v1', 'configmaps')}?labelSelector=app`);
        assert.deepEqual(
          left.body.items.map((one: { metadata: { name: string } }) => one.metadata.name),
          ['c'],
        );
      },
    },
    {
      name: 'lists are sorted by name and items carry no apiVersion and kind',
      async run(c) {
        for (const name of ['b', 'c', 'a', 'a-1', 'b.x', 'a0']) {
          await c.prepare('POST', c.at('v1', 'configmaps'), configMap(name, {}, { sorted: 'yes' }));
        }
        const { body } = await c.call('list', 'GET', `${c.at('v1', 'configmaps')}?labelSelector=sorted`);
        assert.equal(body.kind, 'ConfigMapList');
        assert.equal(body.items[0].kind, undefined);
        assert.deepEqual(
          body.items.map((one: { metadata: { name: string } }) => one.metadata.name),
          ['a', 'a-1', 'a0', 'b', 'b.x', 'c'],
        );
      },
    },
    {
      name: 'a list over all namespaces is sorted by namespace and name',
      async run(c) {
        const other = c.unique('other');
        await c.prepare('POST', '/api/v1/namespaces', {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: other },
        });
        const label = { spread: c.runId };
        for (const [ns, name] of [
          [other, 'a'],
          [c.ns, 'z'],
          [other, 'c'],
          [c.ns, 'b'],
        ] as const) {
          await c.prepare('POST', `/api/v1/namespaces/${ns}/configmaps`, configMap(name, {}, label));
        }
        const { body } = await c.call('list', 'GET', `/api/v1/configmaps?labelSelector=spread%3D${c.runId}`);
        assert.equal(body.items.length, 4);
        await c.prepare('DELETE', `/api/v1/namespaces/${other}`);
      },
    },
    {
      name: 'YAML is accepted and answered on request',
      async run(c) {
        const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n';
        const created = await c.call('create', 'POST', c.at('v1', 'configmaps'), {
          body,
          contentType: 'application/yaml',
        });
        assert.equal(created.status, 201);
        const read = await c.quiet('GET', c.at('v1', 'configmaps', 'yaml'), { accept: 'application/yaml' });
        assert.match(read.text, /^apiVersion: v1\ndata:\n {2}a: "1"\nkind: ConfigMap\n/);
        c.record('content type', read.headers['content-type'] ?? '');
        const plain = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y\n';
        const yes = await c.call('a plain y is a boolean', 'POST', c.at('v1', 'configmaps'), {
          body: plain,
          contentType: 'application/yaml',
        });
        assert.equal(yes.status, 400);
      },
    },
    {
      name: 'PartialObjectMetadata on request, for one and for lists',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('m', { a: '1' }, { meta: 'yes' }));
        const accept = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1`;
        const one = await c.call('one', 'GET', c.at('v1', 'configmaps', 'm'), {
          accept: accept('PartialObjectMetadata'),
        });
        assert.equal(one.body.kind, 'PartialObjectMetadata');
        assert.equal(one.body.data, undefined);
        const list = await c.call('list', 'GET', `${c.at('v1', 'configmaps')}?labelSelector=meta`, {
          accept: accept('PartialObjectMetadataList'),
        });
        assert.equal(list.body.kind, 'PartialObjectMetadataList');
        assert.equal(list.body.items.length, 1);
        const unknown = await c.call('unknown kind', 'GET', c.at('v1', 'configmaps', 'm'), {
          accept: 'application/json;as=Nothing;g=meta.k8s.io;v=v1',
        });
        assert.equal(unknown.status, 406);
        const fallback = await c.call('fallback', 'GET', c.at('v1', 'configmaps', 'm'), {
          accept: `${accept('PartialObjectMetadata')},application/json`,
        });
        assert.equal(fallback.body.kind, 'PartialObjectMetadata');
      },
    },
    {
      name: 'namespaces: created active, deleted with what they hold',
      async run(c) {
        const name = c.unique('doomed');
        const created = await c.call('create', 'POST', '/api/v1/namespaces', {
          body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        });
        assert.equal(created.body.status.phase, 'Active');
        assert.deepEqual(created.body.spec.finalizers, ['kubernetes']);
        assert.equal(created.body.metadata.labels['kubernetes.io/metadata.name'], name);
        await c.prepare('POST', `/api/v1/namespaces/${name}/configmaps`, {
          ...configMap('held'),
          metadata: { name: 'held', finalizers: ['example.com/hold'] },
        });
        const deleted = await c.call('delete', 'DELETE', `/api/v1/namespaces/${name}`);
        assert.equal(deleted.status, 200);
        assert.equal(deleted.body.status.phase, 'Terminating');
        await c.until('the configmap is being deleted', async () => {
          const held = await c.quiet('GET', `/api/v1/namespaces/${name}/configmaps/held`);
          return held.body.metadata?.deletionTimestamp !== undefined;
        });
        const refused = await c.call(
          'create in a namespace that ends',
          'POST',
          `/api/v1/namespaces/${name}/configmaps`,
          {
            body: configMap('late'),
          },
        );
        assert.equal(refused.status, 403);
        await c.prepare(
          'PATCH',
          `/api/v1/namespaces/${name}/configmaps/held`,
          [{ op: 'remove', path: '/metadata/finalizers' }],
          {
            contentType: 'application/json-patch+json',
          },
        );
        await c.until(
          'the namespace is gone',
          async () => (await c.quiet('GET', `/api/v1/namespaces/${name}`)).status === 404,
        );
      },
    },
    {
      name: 'an object in a namespace that does not exist is refused',
      async run(c) {
        const answer = await c.call('create', 'POST', '/api/v1/namespaces/no-such-namespace/configmaps', {
          body: configMap('lost'),
        });
        assert.equal(answer.status, 404);
        assert.equal(answer.body.message, 'namespaces "no-such-namespace" not found');
        const list = await c.call('list', 'GET', '/api/v1/namespaces/no-such-namespace/configmaps');
        assert.deepEqual(list.body.items, []);
      },
    },
  ],
};
