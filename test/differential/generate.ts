/** Sequences of operations, made from a seed alone. */
import { KINDS, type Kind, type KindName, labels } from './kinds.ts';
import { createRandom, type Random } from './random.ts';

export type OperationKind =
  | 'create'
  | 'update'
  | 'apply'
  | 'json'
  | 'merge'
  | 'strategic'
  | 'delete'
  | 'get'
  | 'list'
  | 'scale';

/** One request, as data. Names are short; the run makes them unique. */
export interface Operation {
  op: OperationKind;
  kind: KindName;
  name: string;
  manager: string;
  subresource?: 'status' | 'scale';
  body?: unknown;
  /** For updates: which resourceVersion to send. */
  version?: 'current' | 'stale' | 'none';
  force?: boolean;
  dryRun?: boolean;
  /** More of the query. */
  query?: string;
}

const NAMES = ['a', 'b'];
const MANAGERS = ['one', 'two', 'three'];

function metadata(random: Random): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  if (random.chance(0.3)) result.labels = labels(random);
  if (random.chance(0.15)) result.annotations = random.chance(0.5) ? { note: random.pick(['p', 'q']) } : {};
  if (random.chance(0.1)) result.finalizers = random.some(['example.com/f', 'example.com/g']);
  return result;
}

function object(random: Random, kind: Kind, name: string, whole: boolean): Record<string, unknown> {
  return {
    apiVersion: kind.apiVersion,
    kind: kind.name,
    metadata: { name, ...metadata(random) },
    ...kind.content(random, whole),
  };
}

/** Puts a fault into a body, rarely: what servers refuse, they must refuse alike. */
function spoil(random: Random, body: Record<string, unknown>): Record<string, unknown> {
  if (!random.chance(0.06)) return body;
  return random.pick<() => Record<string, unknown>>([
    () => ({ ...body, nonsense: 1 }),
    () => ({ ...body, spec: 'text' }),
    () => ({ ...body, metadata: { ...(body.metadata as object), labels: { 'bad key': 'v' } } }),
    () => ({ ...body, metadata: { ...(body.metadata as object), labels: { x: 5 } } }),
    () => ({ ...body, kind: 'Other' }),
    () => ({ ...body, data: { a: 1 } }),
    () => ({ ...body, spec: { ...(body.spec as object), unknown: { a: 1 }, replicas: null } }),
  ])();
}

/** A merge patch: content with nulls in it. */
function mergePatch(random: Random, kind: Kind): Record<string, unknown> {
  const { apiVersion: _apiVersion, kind: _kind, metadata: meta, ...rest } = object(random, kind, '', false);
  const { name: _name, ...others } = meta as Record<string, unknown>;
  const patch: Record<string, unknown> = { ...rest };
  if (Object.keys(others).length > 0) patch.metadata = others;
  for (const part of Object.values(patch)) {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) continue;
    for (const key of Object.keys(part)) if (random.chance(0.2)) (part as Record<string, unknown>)[key] = null;
  }
  return patch;
}

/** A strategic patch: a merge patch with directives where lists have keys. */
function strategicPatch(random: Random, kind: Kind): Record<string, unknown> {
  const patch = mergePatch(random, kind);
  if (kind.name === 'Deployment' && random.chance(0.5)) {
    patch.spec = {
      ...(patch.spec as object | null),
      template: {
        spec: random.pick<object>([
          { containers: [{ name: 'side', $patch: 'delete' }] },
          {
            containers: [
              {
                name: 'main',
                env: [
                  { name: 'A', $patch: 'delete' },
                  { name: 'D', value: '4' },
                ],
              },
            ],
          },
          { containers: [{ $patch: 'replace' }, { name: 'main', image: 'app:9' }] },
          {
            $setElementOrder: undefined,
            '$setElementOrder/containers': [{ name: 'side' }, { name: 'main' }],
            containers: [{ name: 'side', image: 'app:8' }],
          },
          { containers: [{ name: 'main', ports: [{ containerPort: 80, $patch: 'delete' }] }] },
          { nodeSelector: { $patch: 'replace', only: 'this' } },
          { nodeSelector: { $patch: 'delete' } },
          { volumes: [{ name: 'data', $retainKeys: ['name', 'emptyDir'], emptyDir: {} }] },
        ]),
      },
    };
  }
  if (kind.name === 'Service' && random.chance(0.4)) {
    patch.spec = {
      ports: random.pick<object[]>([
        [{ port: 80, $patch: 'delete' }],
        [{ port: 53, targetPort: 5353 }],
        [{ $patch: 'replace' }, { name: 'web', port: 80 }],
      ]),
    };
  }
  if (random.chance(0.15)) {
    patch.metadata = random.pick<object>([
      { '$deleteFromPrimitiveList/finalizers': ['example.com/f'] },
      { finalizers: ['example.com/h'] },
      { labels: { $patch: 'replace', z: '1' } },
    ]);
  }
  return patch;
}

function jsonPatch(random: Random, kind: Kind): unknown[] {
  return Array.from({ length: 1 + random.int(2) }, () => {
    const [path, values] = random.pick(kind.paths);
    const op = random.weighted([
      [4, 'add'],
      [3, 'replace'],
      [2, 'remove'],
      [1, 'test'],
    ] as const);
    return op === 'remove' ? { op, path } : { op, path, value: random.pick(values) };
  });
}

function operation(random: Random, kind: Kind): Operation {
  const name = random.pick(NAMES);
  const base = { kind: kind.name, name, manager: random.pick(MANAGERS) };
  const dryRun = random.chance(0.05) ? { dryRun: true } : {};
  const op = random.weighted<OperationKind>([
    [2, 'create'],
    [3, 'update'],
    [9, 'apply'],
    [2, 'json'],
    [3, 'merge'],
    [kind.strategic ? 3 : 0.2, 'strategic'],
    [1, 'delete'],
    [1, 'get'],
    [1, 'list'],
    [kind.scale ? 0.7 : 0, 'scale'],
  ]);
  const status = kind.status && random.chance(0.15) ? kind.status(random) : undefined;
  switch (op) {
    case 'create':
      return { ...base, op, body: spoil(random, object(random, kind, name, random.chance(0.95))), ...dryRun };
    case 'update': {
      const body = status
        ? { ...object(random, kind, name, true), status }
        : spoil(random, object(random, kind, name, true));
      const version = random.weighted([
        [5, 'current'],
        [1, 'stale'],
        [2, 'none'],
      ] as const);
      return { ...base, op, body, version, ...(status ? { subresource: 'status' as const } : {}), ...dryRun };
    }
    case 'apply': {
      const force = random.chance(0.35) ? { force: true } : {};
      if (status) {
        const body = { apiVersion: kind.apiVersion, kind: kind.name, metadata: { name }, status };
        return { ...base, op, body, subresource: 'status', ...force, ...dryRun };
      }
      return { ...base, op, body: spoil(random, object(random, kind, name, random.chance(0.5))), ...force, ...dryRun };
    }
    case 'json':
      return { ...base, op, body: jsonPatch(random, kind), ...dryRun };
    case 'merge':
      if (status) return { ...base, op, body: { status }, subresource: 'status', ...dryRun };
      return { ...base, op, body: mergePatch(random, kind), ...dryRun };
    case 'strategic':
      return { ...base, op, body: strategicPatch(random, kind), ...dryRun };
    case 'delete':
      return {
        ...base,
        op,
        ...(random.chance(0.3)
          ? { query: `propagationPolicy=${random.pick(['Background', 'Foreground', 'Orphan'])}` }
          : {}),
        ...dryRun,
      };
    case 'list':
      return { ...base, op, query: random.pick(['', '&limit=1', '&fieldSelector=metadata.name%3DNAME']) };
    case 'scale':
      return { ...base, op, subresource: 'scale', body: { spec: { replicas: random.pick([0, 1, 4, -1]) } } };
    case 'get':
      return { ...base, op };
  }
}

/** The sequence of a seed: 3 to 12 operations on two objects of one kind, the first of which makes one. */
export function generateSequence(seed: number): Operation[] {
  const random = createRandom(seed);
  const kind =
    KINDS[
      random.weighted<KindName>([
        [2, 'ConfigMap'],
        [4, 'Deployment'],
        [2, 'Service'],
        [4, 'Thing'],
      ])
    ];
  const first: Operation = {
    op: random.pick(['create', 'apply'] as const),
    kind: kind.name,
    name: 'a',
    manager: random.pick(MANAGERS),
    body: object(random, kind, 'a', true),
  };
  // Undefined members would not survive the way through JSON: what is printed must be what was sent.
  return JSON.parse(
    JSON.stringify([first, ...Array.from({ length: 2 + random.int(10) }, () => operation(random, kind))]),
  ) as Operation[];
}
