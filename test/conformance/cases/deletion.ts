/** Finalizers, owner references and the three ways of propagation. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup } from '../harness/context.ts';
import { configMap, container } from './objects.ts';

const CONFIG_MAPS = 'configmaps';

function ownedBy(owner: { metadata: { name: string; uid: string } }, more: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid: owner.metadata.uid, ...more };
}

/** Creates an owner with children; `block` sets blockOwnerDeletion. */
async function family(c: CaseContext, owner: string, children: string[], block = false): Promise<void> {
  const parent = await c.prepare('POST', c.at('v1', CONFIG_MAPS), configMap(owner));
  for (const name of children) {
    await c.prepare('POST', c.at('v1', CONFIG_MAPS), {
      ...configMap(name),
      metadata: { name, ownerReferences: [ownedBy(parent.body, block ? { blockOwnerDeletion: true } : {})] },
    });
  }
}

function isGone(c: CaseContext, name: string, withinMs?: number): Promise<boolean> {
  const path = c.at('v1', CONFIG_MAPS, name);
  return c.until(`${name} is gone`, async () => (await c.quiet('GET', path)).status === 404, withinMs);
}

export const deletion: CaseGroup = {
  name: 'deletion',
  profile: 'machinery',
  cases: [
    {
      name: 'a finalizer holds an object, which then takes no new ones',
      async run(c) {
        const path = c.at('v1', CONFIG_MAPS, 'held');
        await c.prepare('POST', c.at('v1', CONFIG_MAPS), {
          ...configMap('held'),
          metadata: { name: 'held', finalizers: ['example.com/a', 'example.com/b'] },
        });
        const deleted = await c.call('delete', 'DELETE', path);
        assert.equal(deleted.status, 200);
        const again = await c.call('delete again', 'DELETE', path);
        assert.equal(again.status, 200);
        const held = await c.call('get', 'GET', path);
        assert.ok(held.body.metadata.deletionTimestamp);
        const more = await c.patch('one more finalizer', 'merge', path, {
          metadata: { finalizers: ['example.com/a', 'example.com/b', 'example.com/c'] },
        });
        assert.equal(more.status, 422);
        const data = await c.patch('content still changes', 'merge', path, { data: { a: '1' } });
        assert.equal(data.status, 200);
        const revive = await c.patch('no way back', 'merge', path, { metadata: { deletionTimestamp: null } });
        assert.ok(revive.body.metadata.deletionTimestamp);
        await c.patch('one less', 'merge', path, { metadata: { finalizers: ['example.com/b'] } });
        const last = await c.patch('the last', 'merge', path, { metadata: { finalizers: [] } });
        assert.equal(last.status, 200);
        assert.equal((await c.call('gone', 'GET', path)).status, 404);
      },
    },
    {
      name: 'background: the owner goes at once, its dependents follow',
      async run(c) {
        await family(c, 'bg', ['bg-1', 'bg-2']);
        const deleted = await c.call(
          'delete',
          'DELETE',
          `${c.at('v1', CONFIG_MAPS, 'bg')}?propagationPolicy=Background`,
        );
        assert.equal(deleted.body.status, 'Success');
        assert.equal((await c.call('owner', 'GET', c.at('v1', CONFIG_MAPS, 'bg'))).status, 404);
        await isGone(c, 'bg-1');
        await isGone(c, 'bg-2');
      },
    },
    {
      name: 'foreground: the owner waits for dependents that block it',
      async run(c) {
        await family(c, 'fg', ['fg-1'], true);
        await c.prepare(
          'PATCH',
          c.at('v1', CONFIG_MAPS, 'fg-1'),
          { metadata: { finalizers: ['example.com/x'] } },
          { contentType: 'application/merge-patch+json' },
        );
        const deleted = await c.call(
          'delete',
          'DELETE',
          `${c.at('v1', CONFIG_MAPS, 'fg')}?propagationPolicy=Foreground`,
        );
        assert.deepEqual(deleted.body.metadata?.finalizers, ['foregroundDeletion']);
        await c.until('the dependent is being deleted', async () => {
          const { body } = await c.quiet('GET', c.at('v1', CONFIG_MAPS, 'fg-1'));
          return Boolean(body.metadata?.deletionTimestamp);
        });
        const owner = await c.call('owner waits', 'GET', c.at('v1', CONFIG_MAPS, 'fg'));
        assert.equal(owner.status, 200);
        await c.prepare(
          'PATCH',
          c.at('v1', CONFIG_MAPS, 'fg-1'),
          { metadata: { finalizers: null } },
          { contentType: 'application/merge-patch+json' },
        );
        await isGone(c, 'fg-1');
        await isGone(c, 'fg');
      },
    },
    {
      name: 'foreground: dependents that do not block are deleted without being waited for',
      async run(c) {
        await family(c, 'fn', ['fn-1']);
        await c.prepare(
          'PATCH',
          c.at('v1', CONFIG_MAPS, 'fn-1'),
          { metadata: { finalizers: ['example.com/x'] } },
          { contentType: 'application/merge-patch+json' },
        );
        await c.call('delete', 'DELETE', c.at('v1', CONFIG_MAPS, 'fn'), {
          body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Foreground' },
        });
        await isGone(c, 'fn');
        await c.until('the dependent is being deleted', async () => {
          const { body } = await c.quiet('GET', c.at('v1', CONFIG_MAPS, 'fn-1'));
          return Boolean(body.metadata?.deletionTimestamp);
        });
        await c.prepare(
          'PATCH',
          c.at('v1', CONFIG_MAPS, 'fn-1'),
          { metadata: { finalizers: null } },
          { contentType: 'application/merge-patch+json' },
        );
        await isGone(c, 'fn-1');
      },
    },
    {
      name: 'orphan: dependents stay, without their owner',
      async run(c) {
        await family(c, 'or', ['or-1']);
        const deleted = await c.call('delete', 'DELETE', `${c.at('v1', CONFIG_MAPS, 'or')}?propagationPolicy=Orphan`);
        assert.equal(deleted.status, 200);
        await isGone(c, 'or');
        const orphan = await c.call('orphan', 'GET', c.at('v1', CONFIG_MAPS, 'or-1'));
        assert.equal(orphan.body.metadata.ownerReferences, undefined);
      },
    },
    {
      name: 'an object with two owners lives as long as one of them',
      async run(c) {
        const a = await c.prepare('POST', c.at('v1', CONFIG_MAPS), configMap('owner-a'));
        const b = await c.prepare('POST', c.at('v1', CONFIG_MAPS), configMap('owner-b'));
        await c.prepare('POST', c.at('v1', CONFIG_MAPS), {
          ...configMap('shared'),
          metadata: { name: 'shared', ownerReferences: [ownedBy(a.body), ownedBy(b.body)] },
        });
        await c.prepare('DELETE', c.at('v1', CONFIG_MAPS, 'owner-a'));
        await c.until('the reference is dropped', async () => {
          const { body } = await c.quiet('GET', c.at('v1', CONFIG_MAPS, 'shared'));
          return body.metadata?.ownerReferences?.length === 1;
        });
        await c.prepare('DELETE', c.at('v1', CONFIG_MAPS, 'owner-b'));
        await isGone(c, 'shared');
      },
    },
    {
      name: 'a dependent of an owner that never was is collected',
      async run(c) {
        await c.prepare('POST', c.at('v1', CONFIG_MAPS), {
          ...configMap('stray'),
          metadata: {
            name: 'stray',
            ownerReferences: [
              { apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: '99999999-8888-4777-8666-555555555555' },
            ],
          },
        });
        await isGone(c, 'stray');
      },
    },
    {
      name: 'chains are collected to their end, over kinds and custom resources',
      async run(c) {
        const crd = await c.crd({
          kind: 'Link',
          schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        });
        const first = await c.prepare('POST', crd.path, crd.object('first', {}));
        const second = await c.prepare('POST', crd.path, {
          ...crd.object('second', {}),
          metadata: {
            name: 'second',
            ownerReferences: [
              { apiVersion: crd.apiVersion, kind: crd.kind, name: 'first', uid: first.body.metadata.uid },
            ],
          },
        });
        await c.prepare('POST', c.at('v1', CONFIG_MAPS), {
          ...configMap('third'),
          metadata: {
            name: 'third',
            ownerReferences: [
              { apiVersion: crd.apiVersion, kind: crd.kind, name: 'second', uid: second.body.metadata.uid },
            ],
          },
        });
        await c.prepare('DELETE', `${crd.path}/first`);
        // A real garbage collector looks for new kinds every 30 s.
        await isGone(c, 'third', 90_000);
        assert.equal((await c.quiet('GET', `${crd.path}/second`)).status, 404);
      },
    },
    {
      name: 'what delete takes and refuses',
      async run(c) {
        await c.prepare('POST', c.at('v1', CONFIG_MAPS), configMap('opt'));
        const path = c.at('v1', CONFIG_MAPS, 'opt');
        const rows: [string, string, object | undefined, number][] = [
          ['unknown policy', `${path}?propagationPolicy=Sideways`, undefined, 422],
          [
            'unknown policy in the body',
            path,
            { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Sideways' },
            422,
          ],
          [
            'both policies',
            path,
            { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Orphan', orphanDependents: true },
            422,
          ],
          ['negative grace', path, { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: -5 }, 200],
        ];
        for (const [step, target, body, status] of rows) {
          const answer = await c.call(step, 'DELETE', target, { body });
          assert.equal(answer.status, status, answer.text);
        }
      },
    },
    {
      name: 'pods end with grace when they run on a node, at once when they do not',
      async run(c) {
        await c.until(
          'the default service account',
          async () => (await c.quiet('GET', c.at('v1', 'serviceaccounts', 'default'))).status === 200,
        );
        const pod = (name: string, more: object = {}): object => ({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name },
          spec: { containers: [container('a')], ...more },
        });
        await c.prepare('POST', c.at('v1', 'pods'), pod('free'));
        const free = await c.call('unscheduled', 'DELETE', c.at('v1', 'pods', 'free'));
        assert.equal(free.body.kind, 'Pod');
        assert.equal((await c.call('unscheduled is gone', 'GET', c.at('v1', 'pods', 'free'))).status, 404);
        await c.prepare('POST', c.at('v1', 'pods'), pod('bound', { nodeName: 'nowhere' }));
        const bound = await c.call('scheduled', 'DELETE', c.at('v1', 'pods', 'bound'));
        assert.equal(bound.body.metadata.deletionGracePeriodSeconds, 30);
        const now = await c.call('now', 'DELETE', c.at('v1', 'pods', 'bound'), { body: { gracePeriodSeconds: 0 } });
        assert.equal(now.status, 200);
        assert.equal((await c.call('scheduled is gone', 'GET', c.at('v1', 'pods', 'bound'))).status, 404);
      },
    },
  ],
};
