/** Watches. */
import assert from 'node:assert/strict';
import type { WatchEvent } from '../harness/connection.ts';
import type { CaseContext, CaseGroup } from '../harness/context.ts';
import { configMap } from './objects.ts';

const notBookmark = (event: WatchEvent): boolean => event.type === 'BOOKMARK';

async function listVersion(c: CaseContext, path: string): Promise<string> {
  return (await c.quiet('GET', path)).body.metadata.resourceVersion;
}

export const watch: CaseGroup = {
  name: 'watch',
  profile: 'machinery',
  cases: [
    {
      name: 'from a list: added, modified, deleted, in order and with whole objects',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        await c.prepare('POST', path, configMap('before', {}, { w: 'yes' }));
        const from = await listVersion(c, path);
        const events = await c.watch('events', `${path}?watch=true&labelSelector=w&resourceVersion=${from}`, {
          count: 3,
          async during() {
            await c.prepare('POST', path, configMap('one', { a: '1' }, { w: 'yes' }));
            await c.prepare(
              'PATCH',
              `${path}/one`,
              { data: { a: '2' } },
              { contentType: 'application/merge-patch+json' },
            );
            await c.prepare('DELETE', `${path}/one`);
          },
        });
        assert.deepEqual(
          events.map((event) => event.type),
          ['ADDED', 'MODIFIED', 'DELETED'],
        );
        assert.equal(events[2]?.object.data.a, '2');
        assert.notEqual(events[2]?.object.metadata.resourceVersion, events[1]?.object.metadata.resourceVersion);
      },
    },
    {
      name: 'without a version: what is there comes first, as added',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        await c.prepare('POST', path, configMap('b', {}, { w: 'yes' }));
        await c.prepare('POST', path, configMap('a', {}, { w: 'yes' }));
        for (const version of ['', '&resourceVersion=0']) {
          const events = await c.watch(`events${version}`, `${path}?watch=1&labelSelector=w${version}`, {
            count: 3,
            async during() {
              const later = configMap(`later${version ? '-0' : ''}`, {}, { w: 'yes' });
              await c.prepare('POST', path, later);
              await c.prepare('DELETE', `${path}/${later.metadata.name}`);
            },
          });
          assert.equal(events[0]?.type, 'ADDED');
        }
      },
    },
    {
      name: 'a selector turns changes into added and deleted',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        await c.prepare('POST', path, configMap('s'));
        const from = await listVersion(c, path);
        const label = (value: string | null): Promise<unknown> =>
          c.prepare(
            'PATCH',
            `${path}/s`,
            { metadata: { labels: { on: value } } },
            { contentType: 'application/merge-patch+json' },
          );
        const events = await c.watch('events', `${path}?watch=true&labelSelector=on%3Dyes&resourceVersion=${from}`, {
          count: 3,
          async during() {
            await label('yes');
            await label('no');
            await label('yes');
          },
        });
        assert.deepEqual(
          events.map((event) => event.type),
          ['ADDED', 'DELETED', 'ADDED'],
        );
        assert.equal(events[1]?.object.metadata.labels.on, 'yes');
      },
    },
    {
      name: 'one object by field selector, and by the path of one',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        await c.prepare('POST', path, configMap('f'));
        const from = await listVersion(c, path);
        const events = await c.watch(
          'events',
          `${path}?watch=true&fieldSelector=metadata.name%3Df&resourceVersion=${from}`,
          {
            count: 1,
            async during() {
              await c.prepare('POST', path, configMap('other'));
              await c.prepare('DELETE', `${path}/f`);
            },
          },
        );
        assert.equal(events[0]?.type, 'DELETED');
      },
    },
    {
      name: 'bookmarks end the initial events of a streaming list',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        for (const name of ['a', 'b', 'c']) await c.prepare('POST', path, configMap(name, {}, { init: 'yes' }));
        const query =
          'watch=true&labelSelector=init&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
        const events = await c.watch('events', `${path}?${query}`, { until: (event) => event.type === 'BOOKMARK' });
        assert.deepEqual(
          events.map((event) => event.type),
          ['ADDED', 'ADDED', 'ADDED', 'BOOKMARK'],
        );
        assert.equal(events[3]?.object.metadata.annotations['k8s.io/initial-events-end'], 'true');
      },
    },
    {
      name: 'sendInitialEvents wants its companions',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        for (const query of [
          'watch=true&sendInitialEvents=true',
          'sendInitialEvents=true',
          'watch=true&sendInitialEvents=false&resourceVersionMatch=Exact',
          'watch=true&resourceVersionMatch=NotOlderThan&resourceVersion=0',
        ]) {
          await c.watch(query, `${path}?${query}`, { count: 0 });
        }
      },
    },
    {
      name: 'a version that is too old answers an ERROR event with 410',
      async run(c) {
        // What this kind has been through before it existed is remembered by nobody.
        const crd = await c.crd({
          kind: 'Young',
          schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        });
        const stream = await c.quiet('GET', `${crd.path}?watch=true&resourceVersion=1&timeoutSeconds=2`);
        const first = JSON.parse(stream.text.split('\n')[0] || '{}');
        assert.equal(first.type, 'ERROR');
        assert.equal(first.object.code, 410);
        assert.equal(first.object.reason, 'Expired');
        c.record('event', {
          ...first,
          object: { ...first.object, message: first.object.message.replace(/\d+/g, 'N') },
        });
      },
    },
    {
      name: 'bookmarks tell how far a silent watch has come, and only when asked for',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        const from = await listVersion(c, path);
        // A watch that is about to end gets one.
        const query = `watch=true&labelSelector=none&resourceVersion=${from}&timeoutSeconds=9`;
        const started = await c.prepare('POST', path, configMap('moves-the-version'));
        const events = await c.watch('asked for', `${path}?${query}&allowWatchBookmarks=true`, { count: 1 });
        const none = await c.watch('not asked for', `${path}?${query}`, {});
        const [bookmark] = events;
        assert.equal(bookmark?.type, 'BOOKMARK');
        const { metadata, ...rest } = bookmark.object;
        assert.ok(Number(metadata.resourceVersion) >= Number(started.body.metadata.resourceVersion));
        assert.deepEqual(rest, { kind: 'ConfigMap', apiVersion: 'v1' });
        assert.deepEqual(none, []);
      },
    },
    {
      name: 'timeoutSeconds ends the watch in order',
      async run(c) {
        const started = Date.now();
        const events = await c.watch(
          'events',
          `${c.at('v1', 'configmaps')}?watch=true&timeoutSeconds=1&labelSelector=none`,
          {},
        );
        assert.equal(events.length, 0);
        assert.ok(Date.now() - started >= 900, 'the watch ended too early');
      },
    },
    {
      name: 'watches over all namespaces, of cluster-scoped kinds and by the old path',
      async run(c) {
        const from = await listVersion(c, '/api/v1/configmaps');
        const all = await c.watch(
          'all',
          `/api/v1/configmaps?watch=true&labelSelector=run%3D${c.runId}-w&resourceVersion=${from}`,
          {
            count: 1,
            during: async () => {
              await c.prepare('POST', c.at('v1', 'configmaps'), configMap('x', {}, { run: `${c.runId}-w` }));
            },
          },
        );
        assert.equal(all[0]?.object.metadata.namespace, c.ns);
        const cluster = await c.watch(
          'cluster',
          `/api/v1/namespaces?watch=true&fieldSelector=metadata.name%3D${c.ns}`,
          { count: 1 },
        );
        assert.equal(cluster[0]?.object.kind, 'Namespace');
        const old = await c.watch('old path', `/api/v1/watch/namespaces/${c.ns}/configmaps?labelSelector=run`, {
          count: 1,
        });
        assert.equal(old[0]?.type, 'ADDED');
      },
    },
    {
      name: 'metadata only, and tables',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        await c.prepare('POST', path, configMap('m', { a: '1' }, { m: 'yes' }));
        const meta = await c.watch('metadata', `${path}?watch=true&labelSelector=m`, {
          count: 1,
          accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
        });
        assert.equal(meta[0]?.object.kind, 'PartialObjectMetadata');
        const table = await c.watch('table', `${path}?watch=true&labelSelector=m`, {
          count: 2,
          accept: 'application/json;as=Table;g=meta.k8s.io;v=v1',
          during: async () => {
            await c.prepare(
              'PATCH',
              `${path}/m`,
              { data: { b: '2' } },
              { contentType: 'application/merge-patch+json' },
            );
          },
        });
        assert.equal(table[0]?.object.kind, 'Table');
      },
    },
    {
      name: 'custom resources are watched like others; deleting the CRD ends their objects',
      async run(c) {
        const crd = await c.crd({
          kind: 'Seen',
          schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        });
        const events = await c.watch('events', `${crd.path}?watch=true`, {
          count: 2,
          async during() {
            await c.prepare('POST', crd.path, crd.object('x', { a: 1 }));
            await c.prepare('DELETE', `${crd.path}/x`);
          },
        });
        assert.deepEqual(
          events.map((event) => event.type),
          ['ADDED', 'DELETED'],
        );
      },
    },
    {
      name: 'a write that changes nothing makes no event',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        await c.prepare('POST', path, configMap('q', { a: '1' }));
        const from = await listVersion(c, path);
        const patch = (data: object): Promise<unknown> =>
          c.prepare('PATCH', `${path}/q`, { data }, { contentType: 'application/merge-patch+json' });
        const events = await c.watch(
          'events',
          `${path}?watch=true&fieldSelector=metadata.name%3Dq&resourceVersion=${from}`,
          {
            count: 1,
            ignore: notBookmark,
            async during() {
              await patch({ a: '1' });
              await patch({ a: '2' });
            },
          },
        );
        assert.equal(events[0]?.object.data.a, '2');
      },
    },
  ],
};
