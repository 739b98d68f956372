/** Status and scale. */
import assert from 'node:assert/strict';
import type { CaseGroup } from '../harness/context.ts';
import { configMap, deployment } from './objects.ts';

export const subresources: CaseGroup = {
  name: 'subresources',
  profile: 'machinery',
  cases: [
    {
      name: 'status is written by the status subresource only, of a built-in kind',
      async run(c) {
        const path = c.at('apps/v1', 'deployments', 'd');
        const created = await c.call('create with status', 'POST', c.at('apps/v1', 'deployments'), {
          body: { ...deployment('d'), status: { replicas: 7 } },
        });
        assert.equal(created.body.status.replicas, undefined);
        const main = await c.patch('patch status by the object', 'merge', path, { status: { replicas: 7 } });
        assert.equal(main.body.status.replicas, undefined);
        const status = await c.patch('patch the subresource', 'merge', `${path}/status`, {
          status: { replicas: 7, readyReplicas: 5, observedGeneration: 1 },
          spec: { replicas: 9 },
          metadata: { labels: { ignored: 'maybe' } },
        });
        assert.equal(status.body.status.replicas, 7);
        assert.equal(status.body.spec.replicas, 1);
        assert.equal(status.body.metadata.generation, 1);
        const read = await c.call('get the subresource', 'GET', `${path}/status`);
        assert.deepEqual(read.body, status.body);
        const put = await c.call('put the subresource', 'PUT', `${path}/status`, {
          body: { ...read.body, status: { replicas: 3 }, spec: { ...read.body.spec, replicas: 4 } },
        });
        assert.equal(put.body.status.readyReplicas, undefined);
        const kept = await c.patch('patch the object keeps status', 'merge', path, { spec: { replicas: 2 } });
        assert.equal(kept.body.status.replicas, 3);
        assert.equal(kept.body.metadata.generation, 2);
      },
    },
    {
      name: 'status of a custom resource, with and without the subresource',
      async run(c) {
        const schema = {
          type: 'object',
          properties: {
            spec: { type: 'object', properties: { n: { type: 'integer' } } },
            status: { type: 'object', properties: { phase: { type: 'string' } } },
          },
        };
        const withStatus = await c.crd({ kind: 'Tracked', schema, version: { subresources: { status: {} } } });
        const created = await c.call('create', 'POST', withStatus.path, {
          body: withStatus.object('x', { spec: { n: 1 }, status: { phase: 'dropped' } }),
        });
        assert.equal(created.body.status, undefined);
        const main = await c.patch('patch the object', 'merge', `${withStatus.path}/x`, {
          status: { phase: 'dropped' },
        });
        assert.equal(main.body.status, undefined);
        const status = await c.patch('patch the subresource', 'merge', `${withStatus.path}/x/status`, {
          status: { phase: 'Ready' },
          spec: { n: 5 },
          metadata: { labels: { l: 'x' }, annotations: { a: 'x' } },
        });
        assert.equal(status.body.status.phase, 'Ready');
        assert.equal(status.body.spec.n, 1);
        assert.equal(status.body.metadata.generation, 1);
        await c.patch('invalid status', 'merge', `${withStatus.path}/x/status`, { status: { phase: 5 } });

        const without = await c.crd({ kind: 'Untracked', schema });
        const stored = await c.call('create untracked', 'POST', without.path, {
          body: without.object('x', { spec: { n: 1 }, status: { phase: 'kept' } }),
        });
        assert.equal(stored.body.status.phase, 'kept');
        const none = await c.call('no subresource', 'GET', `${without.path}/x/status`);
        assert.equal(none.status, 404);
        const bumped = await c.patch('status counts as content', 'merge', `${without.path}/x`, {
          status: { phase: 'other' },
        });
        assert.equal(bumped.body.metadata.generation, 2);
      },
    },
    {
      name: 'scale of a Deployment: read, put, patch, conflict',
      async run(c) {
        await c.prepare('POST', c.at('apps/v1', 'deployments'), deployment('s', { spec: { replicas: 2 } }));
        const path = c.at('apps/v1', 'deployments', 's', 'scale');
        const scale = await c.call('get', 'GET', path);
        assert.equal(scale.body.kind, 'Scale');
        assert.equal(scale.body.spec.replicas, 2);
        assert.equal(scale.body.status.selector, 'app=s');
        const put = await c.call('put', 'PUT', path, { body: { ...scale.body, spec: { replicas: 5 } } });
        assert.equal(put.body.spec.replicas, 5);
        const stale = await c.call('stale put', 'PUT', path, { body: { ...scale.body, spec: { replicas: 6 } } });
        assert.equal(stale.status, 409);
        const patched = await c.patch('patch', 'merge', path, { spec: { replicas: 0 } });
        assert.equal(patched.body.spec.replicas, undefined); // zero is left out of a Scale
        const negative = await c.patch('negative', 'merge', path, { spec: { replicas: -1 } });
        assert.equal(negative.status, 422);
        const owner = await c.call('the deployment', 'GET', c.at('apps/v1', 'deployments', 's'));
        assert.equal(owner.body.spec.replicas, 0);
        const missing = await c.call('of none', 'GET', c.at('apps/v1', 'deployments', 'none', 'scale'));
        assert.equal(missing.status, 404);
      },
    },
    {
      name: 'scale of a custom resource follows the paths of its CRD',
      async run(c) {
        const crd = await c.crd({
          kind: 'Fleet',
          schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer' } } },
              status: { type: 'object', properties: { size: { type: 'integer' }, selector: { type: 'string' } } },
            },
          },
          version: {
            subresources: {
              status: {},
              scale: {
                specReplicasPath: '.spec.size',
                statusReplicasPath: '.status.size',
                labelSelectorPath: '.status.selector',
              },
            },
          },
        });
        await c.prepare('POST', crd.path, crd.object('f', { spec: { size: 3 } }));
        await c.prepare(
          'PATCH',
          `${crd.path}/f/status`,
          { status: { size: 2, selector: 'a=b' } },
          { contentType: 'application/merge-patch+json' },
        );
        const scale = await c.call('get', 'GET', `${crd.path}/f/scale`);
        assert.deepEqual(
          [scale.body.spec.replicas, scale.body.status.replicas, scale.body.status.selector],
          [3, 2, 'a=b'],
        );
        await c.patch('patch', 'merge', `${crd.path}/f/scale`, { spec: { replicas: 4 } });
        const after = await c.call('the object', 'GET', `${crd.path}/f`);
        assert.equal(after.body.spec.size, 4);
        await c.prepare('POST', crd.path, crd.object('g', { spec: {} }));
        await c.call('without a size', 'GET', `${crd.path}/g/scale`);
      },
    },
    {
      name: 'kinds without the subresource, and unknown subresources, answer 404',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('c'));
        for (const sub of ['status', 'scale', 'nothing']) {
          const answer = await c.call(sub, 'GET', c.at('v1', 'configmaps', 'c', sub));
          assert.equal(answer.status, 404);
        }
      },
    },
    {
      name: 'namespace status and finalize',
      async run(c) {
        const name = c.unique('fin');
        await c.prepare('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
        const got = await c.call('status', 'GET', `/api/v1/namespaces/${name}/status`);
        assert.equal(got.body.status.phase, 'Active');
        await c.prepare('DELETE', `/api/v1/namespaces/${name}`);
      },
    },
  ],
};
