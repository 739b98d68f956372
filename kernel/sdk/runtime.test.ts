import { describe, expect, test } from 'vitest';
import { defineAddon, defineComponent, defineTrait, fail, type LiveObject, merge, t, warn } from './index.ts';
import { answerer } from './runtime.ts';

const component = (render: () => unknown) =>
  defineComponent({
    name: 'thing',
    description: 'A thing.',
    workload: { apiVersion: 'v1', kind: 'Thing' },
    parameters: t.object({ size: t.withDefault(t.integer(), 1) }),
    render: render as () => { workload: { apiVersion: string; kind: string } },
    health: (object: LiveObject<{ status?: { ready?: boolean } }>, { key }) => ({
      healthy: object.status?.ready === true,
      message: key,
    }),
    examples: [{ title: 'Small', parameters: {} }],
  });

const trait = defineTrait({
  name: 'size',
  description: 'Sizes.',
  appliesTo: ['things.example.com'],
  podDisruptive: true,
  parameters: t.object({ size: t.integer() }),
  render: ({ size }) => ({ patch: merge({ spec: { size } }) }),
});

function ask(request: object, render: () => unknown = () => ({})): unknown {
  return JSON.parse(
    answerer(defineAddon({ components: [component(render)], traits: [trait] }))(JSON.stringify(request)),
  );
}

const RENDER = { method: 'render', kind: 'component', name: 'thing', parameters: {}, context: {} };

describe('describe', () => {
  test('tells everything that a manifest needs, and no more', () => {
    expect(ask({ method: 'describe' })).toEqual([
      {
        kind: 'component',
        name: 'thing',
        description: 'A thing.',
        parameters: {
          type: 'object',
          properties: { size: { type: 'integer', default: 1 } },
          additionalProperties: false,
        },
        workload: { apiVersion: 'v1', kind: 'Thing' },
        health: true,
        examples: [{ title: 'Small', parameters: {} }],
      },
      {
        kind: 'trait',
        name: 'size',
        description: 'Sizes.',
        parameters: {
          type: 'object',
          properties: { size: { type: 'integer' } },
          required: ['size'],
          additionalProperties: false,
        },
        appliesTo: ['things.example.com'],
        podDisruptive: true,
        health: false,
      },
    ]);
  });

  test('two definitions of one name are refused where they are declared', () => {
    expect(() => defineAddon({ traits: [trait, trait] })).toThrow('the addon defines trait "size" twice');
  });
});

describe('render', () => {
  test('fields and elements that are undefined are left out', () => {
    expect(
      ask(RENDER, () => ({ workload: { kind: 'A', a: undefined, list: [1, undefined, { b: undefined }] } })),
    ).toEqual({
      workload: { kind: 'A', list: [1, {}] },
    });
  });

  test('fail becomes an error with what was said before it', () => {
    const answer = ask(RENDER, () => {
      warn('so so', 'size');
      return fail('too large', 'ports[0].size', { expected: 'less', hint: 'take less' });
    });
    expect(answer).toEqual({
      errors: [{ message: 'too large', parameter: 'ports[0].size', expected: 'less', hint: 'take less' }],
      warnings: [{ message: 'so so', parameter: 'size' }],
    });
  });

  test('warn adds to the result', () => {
    const answer = ask(RENDER, () => {
      warn('one');
      return { workload: { kind: 'A' }, warnings: [{ message: 'zero' }] };
    });
    expect(answer).toEqual({ workload: { kind: 'A' }, warnings: [{ message: 'zero' }, { message: 'one' }] });
  });

  test('warnings of one render do not reach the next', () => {
    const answer = answerer(defineAddon({ components: [component(() => warn('once'))] }));
    const texts = [1, 2].map(() => answer(JSON.stringify(RENDER)));
    expect(texts[1]).toBe(texts[0]);
  });

  test('other exceptions go out as they are', () => {
    expect(() => ask(RENDER, () => (undefined as unknown as { a: { b: 1 } }).a.b)).toThrow(TypeError);
  });

  test.each([
    ['a function', { workload: { spec: { replicas: () => 1 } } }, 'workload.spec.replicas is a function'],
    ['a symbol', { workload: { a: [Symbol('x')] } }, 'workload.a[0] is a symbol'],
    ['a BigInt', { workload: { a: 1n } }, 'workload.a is a bigint'],
    ['NaN', { workload: { a: Number.NaN } }, 'workload.a is NaN'],
    ['a Map', { workload: new Map() }, 'workload is an instance of Map'],
    ['nothing', undefined, 'the answer is undefined'],
  ])('%s is refused by its path', (_, answer, message) => {
    expect(() => ask(RENDER, () => answer)).toThrow(
      expect.objectContaining({ name: 'NotPlainData', message: expect.stringContaining(message) }),
    );
  });

  test('a cycle is refused', () => {
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    expect(() => ask(RENDER, () => ({ workload: cycle }))).toThrow(expect.objectContaining({ name: 'NotPlainData' }));
  });

  test('keys that name prototypes stay plain keys', () => {
    const parameters = JSON.parse('{"__proto__":{"polluted":true}}') as object;
    const answer = ask(RENDER, () => ({ workload: { list: [undefined, parameters] } }));
    expect(JSON.stringify(answer)).toBe('{"workload":{"list":[{"__proto__":{"polluted":true}}]}}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('health', () => {
  test('is asked with the object and its key', () => {
    const request = {
      method: 'health',
      kind: 'component',
      name: 'thing',
      input: { key: 'workload', object: { status: { ready: true } } },
    };
    expect(ask(request)).toEqual({ healthy: true, message: 'workload' });
  });

  test('of a definition without is a mistake', () => {
    expect(() => ask({ method: 'health', kind: 'trait', name: 'size', input: {} })).toThrow(
      '"size" has no health function',
    );
  });
});

test.each([
  [{ ...RENDER, name: 'nothing' }, 'the addon has no component "nothing"'],
  [{ ...RENDER, kind: 'policy' }, 'the addon has no policy "thing"'],
  [{ ...RENDER, kind: '__proto__' }, 'the addon has no __proto__ "thing"'],
  [{ method: 'constructor' }, 'unknown method "constructor"'],
])('%j is refused', (request, message) => {
  expect(() => ask(request)).toThrow(message);
});
