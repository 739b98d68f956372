/** Label and field selectors. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup } from '../harness/context.ts';
import { configMap, container } from './objects.ts';

const LABELS: Record<string, Record<string, string>> = {
  a: { sel: 'yes', tier: 'web', env: 'prod' },
  b: { sel: 'yes', tier: 'db', env: 'prod' },
  c: { sel: 'yes', tier: 'web', env: 'dev', 'example.com/x': '' },
  d: { sel: 'yes' },
};

async function names(c: CaseContext, step: string, path: string, query: string): Promise<string[]> {
  const answer = await c.call(step, 'GET', `${path}?${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.items.map((one: { metadata: { name: string } }) => one.metadata.name);
}

const labelRows: [selector: string, expected: string[]][] = [
  ['sel=yes', ['a', 'b', 'c', 'd']],
  ['sel==yes,tier=web', ['a', 'c']],
  ['sel=yes,tier!=web', ['b', 'd']],
  ['tier', ['a', 'b', 'c']],
  ['sel,!tier', ['d']],
  ['tier in (web,db),env notin (dev)', ['a', 'b']],
  ['tier in (web)', ['a', 'c']],
  ['sel,tier notin (web)', ['b', 'd']],
  ['sel , tier in ( web , db )', ['a', 'b', 'c']],
  ['example.com/x=', ['c']],
  ['example.com/x', ['c']],
  ['sel=yes,tier in (web,)', ['a', 'c']],
  ['nothing=here', []],
];

const badLabels = ['=', 'a=b=c', 'a in b', 'a in (', 'tier in web', 'a b', '!', 'sel=yes,', '-x=1', 'a=b!', 'sel>x'];

export const selectors: CaseGroup = {
  name: 'selectors',
  profile: 'machinery',
  cases: [
    {
      name: 'label selectors choose by equality, sets and existence',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        for (const [name, labels] of Object.entries(LABELS)) await c.prepare('POST', path, configMap(name, {}, labels));
        for (const [selector, expected] of labelRows) {
          const found = await names(c, selector, path, `labelSelector=${encodeURIComponent(selector)}`);
          assert.deepEqual(found, expected, selector);
        }
      },
    },
    {
      name: 'numeric label comparisons',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        for (const size of ['1', '5', '10', 'x']) {
          await c.prepare('POST', path, configMap(`size-${size}`, {}, { size }));
        }
        assert.deepEqual(await names(c, 'gt', path, `labelSelector=${encodeURIComponent('size>4')}`), [
          'size-10',
          'size-5',
        ]);
        assert.deepEqual(await names(c, 'lt', path, `labelSelector=${encodeURIComponent('size<10')}`), [
          'size-1',
          'size-5',
        ]);
      },
    },
    {
      name: 'label selectors that cannot be parsed answer 400',
      async run(c) {
        for (const selector of badLabels) {
          const answer = await c.call(
            selector,
            'GET',
            `${c.at('v1', 'configmaps')}?labelSelector=${encodeURIComponent(selector)}`,
          );
          assert.equal(answer.status, 400, `${selector}: ${answer.text}`);
        }
      },
    },
    {
      name: 'field selectors on metadata work for every kind',
      async run(c) {
        const path = c.at('v1', 'configmaps');
        for (const name of ['a', 'b']) await c.prepare('POST', path, configMap(name, {}, { f: 'yes' }));
        const rows: [string, string[]][] = [
          ['metadata.name=a', ['a']],
          ['metadata.name==b', ['b']],
          ['metadata.name=a,metadata.name=b', []],
          [`metadata.namespace=${c.ns},metadata.name!=a`, ['b']],
          ['metadata.namespace=elsewhere', []],
        ];
        for (const [selector, expected] of rows) {
          const query = `labelSelector=f&fieldSelector=${encodeURIComponent(selector)}`;
          assert.deepEqual(await names(c, selector, path, query), expected, selector);
        }
        const all = await c.call(
          'all namespaces',
          'GET',
          `/api/v1/configmaps?labelSelector=f&fieldSelector=metadata.namespace%3D${c.ns}`,
        );
        assert.equal(all.body.items.length, 2);
      },
    },
    {
      name: 'field selectors of kinds: pods, secrets, events, namespaces, custom resources',
      async run(c) {
        await c.until(
          'the default service account',
          async () => (await c.quiet('GET', c.at('v1', 'serviceaccounts', 'default'))).status === 200,
        );
        for (const [name, nodeName, restartPolicy] of [
          ['p1', 'n1', 'Always'],
          ['p2', 'n2', 'Never'],
        ]) {
          await c.prepare('POST', c.at('v1', 'pods'), {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name },
            spec: { nodeName, restartPolicy, containers: [container('main')] },
          });
        }
        const pods = c.at('v1', 'pods');
        const found = async (selector: string): Promise<string[]> => {
          const { body } = await c.quiet('GET', `${pods}?fieldSelector=${encodeURIComponent(selector)}`);
          return body.items.map((one: { metadata: { name: string } }) => one.metadata.name);
        };
        assert.deepEqual(await found('spec.nodeName=n1'), ['p1']);
        assert.deepEqual(await found('spec.restartPolicy=Never'), ['p2']);
        assert.deepEqual(await found('status.phase=Pending'), ['p1', 'p2']);
        assert.deepEqual(await found('status.phase!=Pending'), []);
        assert.deepEqual(await found('spec.serviceAccountName=default,spec.nodeName!=n1'), ['p2']);
        for (const type of ['Opaque', 'kubernetes.io/basic-auth']) {
          await c.prepare('POST', c.at('v1', 'secrets'), {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: type === 'Opaque' ? 'o' : 'b' },
            type,
            stringData: { username: 'u', password: 'p' },
          });
        }
        const secrets = await c.quiet('GET', `${c.at('v1', 'secrets')}?fieldSelector=type%3DOpaque`);
        assert.deepEqual(
          secrets.body.items.map((one: { metadata: { name: string } }) => one.metadata.name),
          ['o'],
        );
        const phase = await c.quiet(
          'GET',
          `/api/v1/namespaces?fieldSelector=status.phase%3DActive,metadata.name%3D${c.ns}`,
        );
        assert.equal(phase.body.items.length, 1);
      },
    },
    {
      name: 'field selectors on fields that a kind does not offer answer 400',
      async run(c) {
        const rows: [string, string][] = [
          ['configmaps', 'data.a=1'],
          ['pods', 'spec.nope=1'],
          ['configmaps', 'metadata.name'],
          ['configmaps', 'metadata.labels.x=1'],
          ['secrets', 'spec.type=1'],
        ];
        for (const [resource, selector] of rows) {
          const answer = await c.call(
            `${resource} ${selector}`,
            'GET',
            `${c.at('v1', resource)}?fieldSelector=${encodeURIComponent(selector)}`,
          );
          assert.equal(answer.status, 400);
        }
        const deployments = await c.call(
          'deployments',
          'GET',
          `${c.at('apps/v1', 'deployments')}?fieldSelector=spec.replicas%3D1`,
        );
        assert.equal(deployments.status, 400);
      },
    },
    {
      name: 'custom resources offer the fields that their CRD selects',
      async run(c) {
        const crd = await c.crd({
          kind: 'Shirt',
          schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { color: { type: 'string' }, size: { type: 'integer' } } },
            },
          },
          version: { selectableFields: [{ jsonPath: '.spec.color' }, { jsonPath: '.spec.size' }] },
        });
        for (const [name, color, size] of [
          ['s1', 'blue', 1],
          ['s2', 'red', 2],
        ]) {
          await c.prepare('POST', crd.path, crd.object(name as string, { spec: { color, size } }));
        }
        assert.deepEqual(await names(c, 'blue', crd.path, 'fieldSelector=spec.color%3Dblue'), ['s1']);
        assert.deepEqual(await names(c, 'two', crd.path, 'fieldSelector=spec.size%3D2'), ['s2']);
        assert.deepEqual(await names(c, 'name', crd.path, 'fieldSelector=metadata.name%3Ds2'), ['s2']);
        const bad = await c.call('other', 'GET', `${crd.path}?fieldSelector=spec.other%3D1`);
        assert.equal(bad.status, 400);
      },
    },
  ],
};
