import { describe, expect, expectTypeOf, test } from 'vitest';
import { t } from './index.ts';

describe('a schema is the JSON Schema itself', () => {
  test('scalars, with their notes and limits', () => {
    expect(t.string()).toEqual({ type: 'string' });
    expect(t.string('Image')).toEqual({ type: 'string', description: 'Image' });
    expect(t.string({ title: 'A', pattern: '^a', format: 'uri', minLength: 1, maxLength: 2, examples: ['a'] })).toEqual(
      {
        type: 'string',
        title: 'A',
        pattern: '^a',
        format: 'uri',
        minLength: 1,
        maxLength: 2,
        examples: ['a'],
      },
    );
    expect(t.integer({ minimum: 0, maximum: 9 })).toEqual({ type: 'integer', minimum: 0, maximum: 9 });
    expect(t.number({ deprecated: true })).toEqual({ type: 'number', deprecated: true });
    expect(t.boolean({ ui: { widget: 'switch' } })).toEqual({ type: 'boolean', 'x-ui': { widget: 'switch' } });
  });

  test('choices', () => {
    expect(t.oneOf(['TCP', 'UDP'], 'Protocol')).toEqual({
      type: 'string',
      enum: ['TCP', 'UDP'],
      description: 'Protocol',
    });
    expect(t.oneOf([1, 'a', null])).toEqual({ enum: [1, 'a', null] });
  });

  test('lists and maps', () => {
    expect(t.array(t.string(), { minItems: 1, uniqueItems: true })).toEqual({
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      uniqueItems: true,
    });
    expect(t.record(t.nullable(t.string()))).toEqual({
      type: 'object',
      additionalProperties: { type: 'string', nullable: true },
    });
  });

  test('an object is closed, and requires what has neither default nor `optional`', () => {
    const schema = t.object({
      image: t.string(),
      tag: t.optional(t.string()),
      replicas: t.withDefault(t.integer(), 1),
    });
    expect(schema).toEqual({
      type: 'object',
      properties: { image: { type: 'string' }, tag: { type: 'string' }, replicas: { type: 'integer', default: 1 } },
      required: ['image'],
      additionalProperties: false,
    });
    expect(t.object({})).toEqual({ type: 'object', properties: {}, additionalProperties: false });
    expect(t.object({}, { open: true, description: 'Free' })).toEqual({
      type: 'object',
      properties: {},
      additionalProperties: true,
      description: 'Free',
    });
  });

  test('forms told apart by a key', () => {
    const single = t.object({ image: t.string() });
    const many = t.object({ containers: t.array(single) });
    expect(t.chooseBy('containers', many, single)).toEqual({ anyOf: [many, single], 'x-choose-by': 'containers' });
  });

  test('Kubernetes’ own', () => {
    expect(t.intOrString('Port')).toEqual({ 'x-kubernetes-int-or-string': true, description: 'Port' });
    expect(t.json()).toEqual({});
    expect(t.manifest()).toMatchObject({ required: ['apiVersion', 'kind'], additionalProperties: true });
  });

  test.each(['1', '0.5', '.5', '5.', '100m', '1.5Gi', '1e3', '1E-3', '+2', '-1', '10Ki', '5n', '7u'])(
    'quantity %s is one',
    (quantity) => {
      expect(quantity).toMatch(new RegExp(t.quantity().anyOf?.[0]?.pattern ?? 'none'));
    },
  );

  test.each(['', 'Gi', '1 Gi', '1GB', 'one', '1,5', '1..5', '1KI'])('quantity "%s" is none', (quantity) => {
    expect(quantity).not.toMatch(new RegExp(t.quantity().anyOf?.[0]?.pattern ?? ''));
  });

  test('it survives JSON as it is', () => {
    const schema = t.object({ a: t.optional(t.array(t.nullable(t.string()))), b: t.withDefault(t.json(), { c: [1] }) });
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });
});

describe('a schema gives the types', () => {
  const schema = t.object({
    image: t.string(),
    replicas: t.withDefault(t.integer(), 1),
    policy: t.optional(t.oneOf(['Always', 'Never'])),
    ports: t.optional(
      t.array(t.object({ port: t.integer(), protocol: t.withDefault(t.oneOf(['TCP', 'UDP']), 'TCP') })),
    ),
    labels: t.optional(t.record(t.nullable(t.string()))),
    target: t.intOrString(),
  });

  test('of what a render function is given', () => {
    expectTypeOf<t.Infer<typeof schema>>().toEqualTypeOf<{
      image: string;
      replicas: number;
      policy?: 'Always' | 'Never' | undefined;
      ports?: { port: number; protocol: 'TCP' | 'UDP' }[] | undefined;
      labels?: Record<string, string | null> | undefined;
      target: string | number;
    }>();
  });

  test('of what a user may write', () => {
    expectTypeOf<t.InferInput<typeof schema>>().toEqualTypeOf<{
      image: string;
      replicas?: number;
      policy?: 'Always' | 'Never' | undefined;
      ports?: { port: number; protocol?: 'TCP' | 'UDP' }[] | undefined;
      labels?: Record<string, string | null> | undefined;
      target: string | number;
    }>();
  });

  test('of a default that does not fit: none', () => {
    // @ts-expect-error a default is of the schema's own type
    t.withDefault(t.integer(), 'one');
  });
});
