/** Dry run and generated names. */
import assert from 'node:assert/strict';
import type { CaseGroup } from '../harness/context.ts';
import { configMap, deployment, service } from './objects.ts';

export const options: CaseGroup = {
  name: 'options',
  profile: 'machinery',
  cases: [
    {
      name: 'dry run answers as the write would and writes nothing',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        const created = await c.call('create', 'POST', `${path}?dryRun=All`, { body: configMap('dry', { a: '1' }) });
        assert.equal(created.status, 201);
        assert.ok(created.body.metadata.uid);
        assert.equal((await c.call('not there', 'GET', `${path}/dry`)).status, 404);
        await c.prepare('POST', path, configMap('dry', { a: '1' }));
        const patched = await c.patch('patch', 'merge', `${path}/dry?dryRun=All`, { data: { a: '2' } });
        assert.equal(patched.body.data.a, '2');
        const applied = await c.apply('apply', `${path}/dry`, 'dry', configMap('dry', { b: '3' }), { dryRun: true });
        assert.equal(applied.body.data.b, '3');
        const put = await c.call('put', 'PUT', `${path}/dry?dryRun=All`, { body: configMap('dry', { c: '3' }) });
        assert.equal(put.body.data.c, '3');
        const deleted = await c.call('delete', 'DELETE', `${path}/dry?dryRun=All`);
        assert.equal(deleted.status, 200);
        const collection = await c.call('delete all', 'DELETE', `${path}?dryRun=All&fieldSelector=metadata.name%3Ddry`);
        assert.equal(collection.status, 200);
        const after = await c.call('unchanged', 'GET', `${path}/dry`);
        assert.deepEqual(after.body.data, { a: '1' });
        assert.equal(after.body.metadata.managedFields.length, 1);
      },
    },
    {
      name: 'dry run validates, defaults and refuses like the write',
      async run(c) {
        const invalid = await c.call('invalid', 'POST', `${c.at('apps/v1', 'deployments')}?dryRun=All`, {
          body: deployment('x', { spec: { replicas: -1 } }),
        });
        assert.equal(invalid.status, 422);
        const defaulted = await c.call('defaulted', 'POST', `${c.at('apps/v1', 'deployments')}?dryRun=All`, {
          body: deployment('x'),
        });
        assert.equal(defaulted.body.spec.replicas, 1);
        const exists = await c.call('exists', 'POST', `${c.at('v1', 'namespaces')}`, {});
        assert.ok(exists.status >= 400);
        const unknown = await c.call('unknown mode', 'POST', `${c.at('v1', 'configmaps')}?dryRun=Some`, {
          body: configMap('u'),
        });
        assert.equal(unknown.status, 422);
        await c.call('service', 'POST', `${c.at('v1', 'services')}?dryRun=All`, {
          body: service('s', { type: 'NodePort', ports: [{ port: 80 }] }),
        });
      },
    },
    {
      name: 'dry run of custom resources',
      async run(c) {
        const crd = await c.crd({
          kind: 'Dry',
          schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { n: { type: 'integer', default: 5 } } } },
          },
        });
        const created = await c.call('create', 'POST', `${crd.path}?dryRun=All`, {
          body: crd.object('x', { spec: {} }),
        });
        assert.equal(created.body.spec.n, 5);
        const applied = await c.apply('apply', `${crd.path}/x`, 'm', crd.object('x', { spec: { n: 6 } }), {
          dryRun: true,
        });
        assert.equal(applied.status, 201);
        assert.equal((await c.quiet('GET', `${crd.path}/x`)).status, 404);
      },
    },
    {
      name: 'generateName appends five characters',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } };
        const first = await c.call('first', 'POST', path, { body });
        assert.match(first.body.metadata.name, /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
        const second = await c.call('second', 'POST', path, { body });
        assert.notEqual(first.body.metadata.name, second.body.metadata.name);
        const both = await c.call('name wins', 'POST', path, {
          body: { ...body, metadata: { generateName: 'gen-', name: 'given' } },
        });
        assert.equal(both.body.metadata.name, 'given');
        const dry = await c.call('dry run', 'POST', `${path}?dryRun=All`, { body });
        assert.equal(dry.status, 201);
        const long = await c.quiet('POST', path, {
          body: { ...body, metadata: { generateName: `${'x'.repeat(250)}-` } },
        });
        assert.equal(long.status, 201);
        c.record('long prefix is cut to', long.body.metadata.name.length);
        const bad = await c.quiet('POST', path, { body: { ...body, metadata: { generateName: 'Bad_' } } });
        c.record('bad prefix', bad.body.details.causes[0]);
        assert.equal(bad.status, 422);
      },
    },
    {
      name: 'field managers: given, derived from the agent, too long',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        const given = await c.call('given', 'POST', `${path}?fieldManager=me`, { body: configMap('a', { x: '1' }) });
        assert.equal(given.body.metadata.managedFields[0].manager, 'me');
        const agent = await c.call('agent', 'POST', path, {
          body: configMap('b', { x: '1' }),
          headers: { 'user-agent': 'tool/v1.2 (linux)' },
        });
        assert.equal(agent.body.metadata.managedFields[0].manager, 'tool');
        const long = await c.call('too long', 'POST', `${path}?fieldManager=${'m'.repeat(129)}`, {
          body: configMap('c'),
        });
        assert.equal(long.status, 422);
        await c.call('unprintable', 'POST', `${path}?fieldManager=a%07b`, { body: configMap('d') });
      },
    },
  ],
};
