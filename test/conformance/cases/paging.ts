/** limit and continue. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup } from '../harness/context.ts';
import { configMap } from './objects.ts';

interface Named {
  metadata: { name: string };
}

async function fill(c: CaseContext, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await c.prepare(
      'POST',
      c.at('v1', 'configmaps'),
      configMap(`item-${index}`, {}, { paged: 'yes', odd: `${index % 2}` }),
    );
  }
}

export const paging: CaseGroup = {
  name: 'paging',
  profile: 'machinery',
  cases: [
    {
      name: 'pages hold limit items of one snapshot and tell what remains',
      async run(c) {
        await fill(c, 5);
        const path = `${c.at('v1', 'secrets')}`;
        for (let index = 0; index < 5; index++) {
          await c.prepare('POST', path, { apiVersion: 'v1', kind: 'Secret', metadata: { name: `s-${index}` } });
        }
        const seen: string[] = [];
        let next = '';
        let version: string | undefined;
        for (let page = 1; page <= 3; page++) {
          const { body } = await c.call(
            `page ${page}`,
            'GET',
            `${path}?limit=2${next && `&continue=${encodeURIComponent(next)}`}`,
          );
          version ??= body.metadata.resourceVersion;
          assert.equal(body.metadata.resourceVersion, version);
          seen.push(...body.items.map((item: Named) => item.metadata.name));
          next = body.metadata.continue ?? '';
          // What comes in between is not of this snapshot.
          await c.prepare('POST', path, { apiVersion: 'v1', kind: 'Secret', metadata: { name: `s-0-${page}` } });
          await c.prepare('DELETE', `${path}/s-0-${page}`);
          if (page === 1) await c.prepare('DELETE', `${path}/s-4`);
        }
        assert.equal(next, '');
        assert.deepEqual(seen, ['s-0', 's-1', 's-2', 's-3', 's-4']);
      },
    },
    {
      name: 'with a selector no count of what remains is given',
      async run(c) {
        await fill(c, 6);
        const path = `${c.at('v1', 'configmaps')}?labelSelector=odd%3D1&limit=2`;
        const first = await c.call('first', 'GET', path);
        assert.equal(first.body.metadata.remainingItemCount, undefined);
        assert.equal(first.body.items.length, 2);
        const second = await c.call(
          'second',
          'GET',
          `${path}&continue=${encodeURIComponent(first.body.metadata.continue)}`,
        );
        assert.equal(second.body.items.length, 1);
        assert.equal(second.body.metadata.continue ?? '', '');
      },
    },
    {
      name: 'continue tokens that are no tokens, and versions beside them, are refused',
      async run(c) {
        await fill(c, 3);
        const path = `${c.at('v1', 'configmaps')}?labelSelector=paged&limit=1`;
        const first = await c.quiet('GET', path);
        const token = encodeURIComponent(first.body.metadata.continue);
        const rows: [string, string, number][] = [
          ['nonsense', `${path}&continue=abc`, 400],
          ['with a version', `${path}&continue=${token}&resourceVersion=5`, 400],
          ['with a match', `${path}&continue=${token}&resourceVersionMatch=Exact`, 422],
          ['negative limit', `${c.at('v1', 'configmaps')}?limit=-1&labelSelector=paged`, 200],
          ['limit is text', `${c.at('v1', 'configmaps')}?limit=ten`, 400],
        ];
        for (const [step, target, status] of rows) {
          const answer = await c.call(step, 'GET', target);
          assert.equal(answer.status, status, `${step}: ${answer.text}`);
        }
      },
    },
    {
      name: 'a token whose snapshot is forgotten answers 410 with a token to go on without it',
      async run(c) {
        await fill(c, 3);
        const path = `${c.at('v1', 'configmaps')}?labelSelector=paged&limit=1`;
        const first = await c.quiet('GET', path);
        const token = encodeURIComponent(first.body.metadata.continue);
        const expired = await c.until('the snapshot is forgotten', async () => {
          // History only moves on when something is written.
          await c.prepare(
            'PATCH',
            c.at('v1', 'configmaps', 'item-2'),
            { data: { at: `${Date.now()}` } },
            { contentType: 'application/merge-patch+json' },
          );
          const answer = await c.quiet('GET', `${path}&continue=${token}`);
          return answer.status === 410 ? answer : undefined;
        });
        assert.equal(expired.body.reason, 'Expired');
        const goOn = expired.body.metadata.continue;
        c.record('expired', { ...expired.body, metadata: { ...expired.body.metadata, continue: Boolean(goOn) } });
        const rest = await c.call('go on', 'GET', `${path}&continue=${encodeURIComponent(goOn)}`);
        assert.equal(rest.status, 200);
        assert.equal(rest.body.items[0].metadata.name, 'item-1');
      },
    },
  ],
};
