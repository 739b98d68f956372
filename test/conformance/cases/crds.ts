/** CustomResourceDefinitions: establishment, validation, defaulting, pruning. */
import assert from 'node:assert/strict';
import type { CaseGroup } from '../harness/context.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const text = { type: 'string' };
const integer = { type: 'integer' };

function spec(properties: object, more: object = {}): object {
  return { type: 'object', properties: { spec: { type: 'object', properties, ...more } } };
}

const validationRows: [step: string, content: object][] = [
  ['wrong type', { text: 5 }],
  ['wrong type deep', { list: [{ name: 'a' }, { name: 7 }] }],
  ['missing required', { list: [{}] }],
  ['pattern', { pattern: 'ABC' }],
  ['enum', { choice: 'c' }],
  ['minimum', { number: 0 }],
  ['maximum', { number: 11 }],
  ['exclusive bound', { exclusive: 10 }],
  ['multipleOf', { multiple: 7 }],
  ['minLength', { short: '' }],
  ['maxLength', { short: 'abcdef' }],
  ['minItems', { items: [] }],
  ['maxItems', { items: ['a', 'b', 'c', 'd'] }],
  ['uniqueItems by set', { set: ['a', 'a'] }],
  ['map key twice', { list: [{ name: 'a' }, { name: 'a' }] }],
  ['minProperties', { free: {} }],
  ['additionalProperties', { free: { a: 5 } }],
  ['int-or-string', { port: true }],
  ['number for integer', { number: 1.5 }],
  ['format date-time', { when: 'yesterday' }],
  ['format of bytes', { bytes: '***' }],
  ['oneOf', { either: { a: 'x', b: 'y' } }],
  ['anyOf', { any: {} }],
  ['not', { never: 'forbidden' }],
  ['several faults', { text: 5, choice: 'q', number: 99, list: [{}] }],
  ['object for text', { text: { a: 1 } }],
  ['list for object', { free: [] }],
];

const goodRows: [step: string, content: object][] = [
  [
    'all is well',
    { text: 'a', number: 5, choice: 'a', port: 80, list: [{ name: 'a' }], free: { a: 'b' }, items: ['a'] },
  ],
  ['int-or-string as text', { port: 'http' }],
  ['nullable', { nullable: null }],
  ['null where not nullable: dropped', { text: null }],
  ['whole number written as fraction', { ratio: 2.0, number: 3 }],
  ['one of', { either: { a: 'x' } }],
];

const everything = spec({
  text,
  number: { type: 'integer', minimum: 1, maximum: 10 },
  exclusive: { type: 'integer', maximum: 10, exclusiveMaximum: true },
  multiple: { type: 'integer', multipleOf: 5 },
  ratio: { type: 'number' },
  short: { type: 'string', minLength: 1, maxLength: 5 },
  pattern: { type: 'string', pattern: '^[a-z]+$' },
  choice: { type: 'string', enum: ['a', 'b'] },
  items: { type: 'array', minItems: 1, maxItems: 3, items: text },
  set: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
  list: {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: { type: 'object', required: ['name'], properties: { name: text } },
  },
  free: { type: 'object', minProperties: 1, additionalProperties: text },
  port: { 'x-kubernetes-int-or-string': true },
  nullable: { type: 'string', nullable: true },
  when: { type: 'string', format: 'date-time' },
  bytes: { type: 'string', format: 'byte' },
  either: { type: 'object', properties: { a: text, b: text }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
  any: { type: 'object', properties: { a: text, b: text }, anyOf: [{ required: ['a'] }, { required: ['b'] }] },
  never: { type: 'string', not: { enum: ['forbidden'] } },
});

function definition(
  plural: string,
  group: string,
  more: { spec?: object; version?: object; names?: object } = {},
): object {
  const kind = plural[0]?.toUpperCase() + plural.slice(1, -1);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: plural.slice(0, -1), kind, ...more.names },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } }, ...more.version },
      ],
      ...more.spec,
    },
  };
}

export const crds: CaseGroup = {
  name: 'crds',
  profile: 'machinery',
  cases: [
    {
      name: 'establishment: conditions, accepted names, stored versions, discovery',
      async run(c) {
        const group = `${c.runId}-est.example.com`;
        const created = await c.call('create', 'POST', CRDS, {
          body: definition('gadgets', group, {
            names: { shortNames: ['gd'], categories: ['all'], listKind: 'GadgetList' },
          }),
        });
        assert.equal(created.status, 201);
        await c.until('established', async () => {
          const { body } = await c.quiet('GET', `${CRDS}/gadgets.${group}`);
          return body.status.conditions?.some(
            (one: { type: string; status: string }) => one.type === 'Established' && one.status === 'True',
          );
        });
        const established = await c.call('established', 'GET', `${CRDS}/gadgets.${group}`);
        assert.deepEqual(established.body.status.storedVersions, ['v1']);
        await c.until('served', async () => (await c.quiet('GET', `/apis/${group}/v1`)).status === 200);
        await c.call('group', 'GET', `/apis/${group}`);
        await c.call('resources', 'GET', `/apis/${group}/v1`);
        // Between discovery and the first list, storage may still be starting.
        await c.until(
          'storage is ready',
          async () => (await c.quiet('GET', `/apis/${group}/v1/gadgets`)).status === 200,
        );
        await c.call('empty list', 'GET', `/apis/${group}/v1/gadgets`);
        const deleted = await c.call('delete', 'DELETE', `${CRDS}/gadgets.${group}`);
        assert.equal(deleted.status, 200);
        await c.until('gone', async () => (await c.quiet('GET', `${CRDS}/gadgets.${group}`)).status === 404);
        await c.until(
          'no longer served',
          async () => (await c.quiet('GET', `/apis/${group}/v1/gadgets`)).status === 404,
        );
      },
    },
    {
      name: 'deleting a CRD deletes its objects, finalizers held',
      async run(c) {
        const crd = await c.crd({ kind: 'Doomed', schema: { type: 'object' } });
        await c.prepare('POST', crd.path, {
          ...crd.object('x', {}),
          metadata: { name: 'x', finalizers: ['example.com/x'] },
        });
        await c.prepare('DELETE', `${CRDS}/${crd.name}`);
        await c.until('the object is being deleted', async () =>
          Boolean((await c.quiet('GET', `${crd.path}/x`)).body.metadata?.deletionTimestamp),
        );
        const waiting = await c.quiet('GET', `${CRDS}/${crd.name}`);
        assert.equal(waiting.status, 200);
        const terminating = waiting.body.status.conditions.find((one: { type: string }) => one.type === 'Terminating');
        c.record('terminating', { status: terminating.status, finalizers: waiting.body.metadata.finalizers });
        const refused = await c.call('create while it ends', 'POST', crd.path, { body: crd.object('y', {}) });
        assert.equal(refused.status, 403);
        await c.prepare(
          'PATCH',
          `${crd.path}/x`,
          { metadata: { finalizers: null } },
          { contentType: 'application/merge-patch+json' },
        );
        await c.until('the CRD is gone', async () => (await c.quiet('GET', `${CRDS}/${crd.name}`)).status === 404);
      },
    },
    {
      name: 'definitions that are refused',
      async run(c) {
        const group = `${c.runId}-bad.example.com`;
        const schema = (openAPIV3Schema: object): object => ({ version: { schema: { openAPIV3Schema } } });
        const rows: [string, object][] = [
          ['name does not match', { ...definition('things', group), metadata: { name: `others.${group}` } }],
          ['no schema', definition('things', group, { version: { schema: undefined } })],
          ['schema without type', definition('things', group, schema({ properties: { spec: {} } }))],
          ['not an object at the root', definition('things', group, schema({ type: 'array', items: text }))],
          ['no storage version', definition('things', group, { version: { storage: false } })],
          ['scope unknown', definition('things', group, { spec: { scope: 'Galaxy' } })],
          [
            'list-map without keys',
            definition(
              'things',
              group,
              schema(spec({ l: { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } } })),
            ),
          ],
          [
            'default of the wrong type',
            definition('things', group, schema(spec({ n: { type: 'integer', default: 'x' } }))),
          ],
          ['unknown type', definition('things', group, schema(spec({ n: { type: 'float' } })))],
          ['array without items', definition('things', group, schema(spec({ n: { type: 'array' } })))],
          ['kind in lower case', definition('things', group, { names: { kind: 'thing_x' } })],
          ['group without a dot', definition('things', 'nodot')],
          [
            'printer column of unknown type',
            definition('things', group, {
              version: { additionalPrinterColumns: [{ name: 'x', type: 'colour', jsonPath: '.spec.x' }] },
            }),
          ],
          [
            'printer column path',
            definition('things', group, {
              version: { additionalPrinterColumns: [{ name: 'x', type: 'string', jsonPath: 'spec.x' }] },
            }),
          ],
          ['api approval', definition('things', 'things.k8s.io')],
        ];
        for (const [step, body] of rows) {
          const answer = await c.call(step, 'POST', CRDS, { body });
          assert.ok(answer.status >= 400, step);
        }
      },
    },
    {
      name: 'names that another CRD holds are not accepted',
      async run(c) {
        const group = `${c.runId}-names.example.com`;
        await c.prepare('POST', CRDS, definition('firsts', group));
        await c.until('established', async () => (await c.quiet('GET', `/apis/${group}/v1/firsts`)).status === 200);
        await c.prepare('POST', CRDS, definition('seconds', group, { names: { kind: 'First' } }));
        const conditions = await c.until('judged', async () => {
          const { body } = await c.quiet('GET', `${CRDS}/seconds.${group}`);
          return body.status.conditions?.find((one: { type: string }) => one.type === 'NamesAccepted');
        });
        c.record('NamesAccepted', conditions);
        for (const name of ['firsts', 'seconds']) await c.prepare('DELETE', `${CRDS}/${name}.${group}`);
      },
    },
    {
      name: 'validation of custom resources: what is refused, in which words',
      async run(c) {
        const crd = await c.crd({ kind: 'Strict', schema: everything });
        for (const [step, content] of validationRows) {
          const answer = await c.call(step, 'POST', crd.path, { body: crd.object('x', { spec: content }) });
          assert.equal(answer.status, 422, `${step}: ${answer.text}`);
        }
      },
    },
    {
      name: 'validation of custom resources: what is accepted',
      async run(c) {
        const crd = await c.crd({ kind: 'Lenient', schema: everything });
        for (const [index, [step, content]] of goodRows.entries()) {
          const answer = await c.call(step, 'POST', crd.path, { body: crd.object(`x-${index}`, { spec: content }) });
          assert.equal(answer.status, 201, `${step}: ${answer.text}`);
        }
      },
    },
    {
      name: 'required fields at the root and immutability by CEL',
      async run(c) {
        const crd = await c.crd({
          kind: 'Ruled',
          schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: integer,
                  max: integer,
                  name: {
                    type: 'string',
                    'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'name is immutable' }],
                  },
                },
                'x-kubernetes-validations': [
                  { rule: '!has(self.max) || self.size <= self.max', message: 'size must not exceed max' },
                ],
              },
            },
          },
        });
        await c.call('no spec', 'POST', crd.path, { body: crd.object('x', {}) });
        await c.call('no size', 'POST', crd.path, { body: crd.object('x', { spec: {} }) });
        const rule = await c.call('rule', 'POST', crd.path, { body: crd.object('x', { spec: { size: 5, max: 3 } }) });
        assert.equal(rule.status, 422);
        await c.prepare('POST', crd.path, crd.object('x', { spec: { size: 1, name: 'a' } }));
        const change = await c.patch('transition rule', 'merge', `${crd.path}/x`, { spec: { name: 'b' } });
        assert.equal(change.status, 422);
      },
    },
    {
      name: 'pruning: unknown fields go, unless they are preserved, and warn or refuse when asked',
      async run(c) {
        const crd = await c.crd({
          kind: 'Pruned',
          schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  known: text,
                  any: {
                    type: 'object',
                    'x-kubernetes-preserve-unknown-fields': true,
                    properties: { typed: { type: 'object', properties: { a: text } } },
                  },
                  embedded: {
                    type: 'object',
                    'x-kubernetes-embedded-resource': true,
                    'x-kubernetes-preserve-unknown-fields': true,
                  },
                  list: { type: 'array', items: { type: 'object', properties: { a: text } } },
                  map: { type: 'object', additionalProperties: { type: 'object', properties: { a: text } } },
                },
              },
            },
          },
        });
        const content = {
          spec: {
            known: 'a',
            unknown: 'b',
            any: { x: 1, typed: { a: 'a', b: 'b' } },
            list: [{ a: 'a', b: 'b' }],
            map: { k: { a: 'a', b: 'b' } },
          },
          beside: 1,
        };
        const created = await c.call('create', 'POST', crd.path, { body: crd.object('x', content) });
        assert.equal(created.body.spec.unknown, undefined);
        assert.equal(created.body.beside, undefined);
        assert.equal(created.body.spec.any.x, 1);
        const strict = await c.call('strict', 'POST', `${crd.path}?fieldValidation=Strict`, {
          body: crd.object('y', content),
        });
        assert.equal(strict.status, 400);
        const warn = await c.call('warn', 'POST', `${crd.path}?fieldValidation=Warn`, {
          body: crd.object('y', content),
        });
        assert.equal(warn.status, 201);
        await c.patch('patch', 'merge', `${crd.path}/x`, { spec: { unknown: 'c', any: { y: 2 } } });
        const embedded = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'e', odd: 1 }, data: { a: 1 } };
        await c.call('embedded', 'POST', crd.path, { body: crd.object('z', { spec: { embedded } }) });
        await c.call('embedded without kind', 'POST', crd.path, {
          body: crd.object('zz', { spec: { embedded: { data: 1 } } }),
        });
        const preserved = await c.crd({
          kind: 'Kept',
          schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        });
        const kept = await c.call('preserved at the root', 'POST', preserved.path, {
          body: preserved.object('x', { any: { thing: [1, 'a', null] } }),
        });
        assert.deepEqual(kept.body.any, { thing: [1, 'a', null] });
      },
    },
    {
      name: 'defaulting: nested, in lists, of null, and on read after the schema changed',
      async run(c) {
        const properties = {
          n: { type: 'integer', default: 5 },
          deep: { type: 'object', default: {}, properties: { a: { type: 'string', default: 'x' } } },
          bare: { type: 'object', properties: { a: { type: 'string', default: 'x' } } },
          list: { type: 'array', items: { type: 'object', properties: { p: { type: 'string', default: 'TCP' } } } },
          map: {
            type: 'object',
            additionalProperties: { type: 'object', properties: { p: { type: 'integer', default: 1 } } },
          },
          nulled: { type: 'string', default: 'd' },
          nullable: { type: 'string', nullable: true, default: 'd' },
          flags: { type: 'array', items: text, default: ['a', 'b'] },
        };
        const crd = await c.crd({ kind: 'Defaulted', schema: spec(properties) });
        await c.call('no spec', 'POST', crd.path, { body: crd.object('none', {}) });
        const created = await c.call('create', 'POST', crd.path, {
          body: crd.object('x', {
            spec: { bare: {}, list: [{}, { p: 'UDP' }], map: { k: {} }, nulled: null, nullable: null },
          }),
        });
        assert.deepEqual(created.body.spec.list, [{ p: 'TCP' }, { p: 'UDP' }]);
        assert.equal(created.body.spec.nulled, 'd');
        assert.equal(created.body.spec.nullable, null);
        const patched = await c.patch('removing brings it back', 'merge', `${crd.path}/x`, {
          spec: { n: null, deep: null },
        });
        assert.equal(patched.body.spec.n, 5);
        await c.prepare(
          'PATCH',
          `${CRDS}/${crd.name}`,
          [
            {
              op: 'add',
              path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/late',
              value: { type: 'string', default: 'new' },
            },
          ],
          {
            contentType: 'application/json-patch+json',
          },
        );
        const read = await c.until('the new schema is served', async () => {
          const answer = await c.quiet('GET', `${crd.path}/x`);
          return answer.body.spec.late !== undefined ? answer : undefined;
        });
        assert.equal(read.body.spec.late, 'new');
      },
    },
    {
      name: 'several versions: each served, objects move between them unchanged',
      async run(c) {
        const group = `${c.runId}-multi.example.com`;
        const open = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
        await c.prepare(
          'POST',
          CRDS,
          definition('moves', group, {
            spec: {
              versions: [
                { name: 'v1alpha1', served: true, storage: false, schema: open, deprecated: true },
                { name: 'v1', served: true, storage: true, schema: open },
                { name: 'v2beta1', served: true, storage: false, schema: open },
                { name: 'v0', served: false, storage: false, schema: open },
              ],
            },
          }),
        );
        const at = (version: string): string => `/apis/${group}/${version}/namespaces/${c.ns}/moves`;
        await c.until('served', async () => (await c.quiet('GET', at('v1'))).status === 200);
        await c.call('create in the old', 'POST', at('v1alpha1'), {
          body: { apiVersion: `${group}/v1alpha1`, kind: 'Move', metadata: { name: 'x' }, a: 1 },
        });
        const read = await c.call('read in the new', 'GET', `${at('v1')}/x`);
        assert.equal(read.body.apiVersion, `${group}/v1`);
        await c.apply('apply in another', `${at('v2beta1')}/x`, 'm', {
          apiVersion: `${group}/v2beta1`,
          kind: 'Move',
          metadata: { name: 'x' },
          b: 2,
        });
        await c.call('list in a third', 'GET', at('v2beta1'));
        const hidden = await c.call('not served', 'GET', at('v0'));
        assert.equal(hidden.status, 404);
        await c.call('group', 'GET', `/apis/${group}`);
        await c.prepare('DELETE', `${CRDS}/moves.${group}`);
      },
    },
    {
      name: 'cluster-scoped custom resources',
      async run(c) {
        const crd = await c.crd({
          kind: 'Global',
          schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          cluster: true,
        });
        const created = await c.call('create', 'POST', crd.path, { body: crd.object('x', { a: 1 }) });
        assert.equal(created.body.metadata.namespace, undefined);
        const wrong = await c.call(
          'in a namespace',
          'POST',
          `/apis/${crd.apiVersion}/namespaces/${c.ns}/${crd.plural}`,
          { body: crd.object('y', {}) },
        );
        assert.equal(wrong.status, 404);
        await c.call('with a namespace', 'POST', crd.path, {
          body: { ...crd.object('z', {}), metadata: { name: 'z', namespace: c.ns } },
        });
        await c.call('list', 'GET', crd.path);
      },
    },
    {
      name: 'custom resource bodies: wrong kind, wrong version, bad name',
      async run(c) {
        const crd = await c.crd({ kind: 'Body', schema: { type: 'object' } });
        const rows: [string, object][] = [
          ['wrong kind', { apiVersion: crd.apiVersion, kind: 'Other', metadata: { name: 'x' } }],
          ['wrong version', { apiVersion: `${crd.group}/v2`, kind: 'Body', metadata: { name: 'x' } }],
          ['no kind', { metadata: { name: 'x' } }],
          ['bad name', crd.object('Not_Good', {})],
          ['bad label', { ...crd.object('x', {}), metadata: { name: 'x', labels: { 'a b': 'c' } } }],
          ['label of another type', { ...crd.object('x', {}), metadata: { name: 'x', labels: { a: 1 } } }],
          ['no name', { apiVersion: crd.apiVersion, kind: 'Body', metadata: {} }],
        ];
        for (const [step, body] of rows) {
          const answer = await c.call(step, 'POST', crd.path, { body });
          assert.ok(answer.status >= 400, `${step}: ${answer.text}`);
        }
      },
    },
  ],
};
