/** The kinds that sequences work on, and random content for each: few values, so that writers get in each other's way. */
import type { Random } from './random.ts';

export type KindName = 'ConfigMap' | 'Deployment' | 'Service' | 'Thing';

export interface Kind {
  name: KindName;
  apiVersion: string;
  resource: string;
  /** Everything but apiVersion, kind and metadata.name. */
  content(random: Random, whole: boolean): Record<string, unknown>;
  /** Content of the status subresource, where there is one. */
  status?(random: Random): Record<string, unknown>;
  /** Paths for JSON patches, each with values to put there. */
  paths: [path: string, values: unknown[]][];
  strategic: boolean;
  scale: boolean;
}

export const THING_GROUP = 'differential.example.com';

const text = { type: 'string' };

const port = {
  type: 'object',
  required: ['port'],
  properties: { port: { type: 'integer', minimum: 1 }, protocol: { type: 'string', default: 'TCP' }, note: text },
};

/** A custom resource with every kind of list and map that server-side apply tells apart. */
export const THING_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `things.${THING_GROUP}` },
  spec: {
    group: THING_GROUP,
    scope: 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {}, scale: { specReplicasPath: '.spec.count', statusReplicasPath: '.status.count' } },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  count: { type: 'integer', minimum: 0, maximum: 9 },
                  mode: { type: 'string', enum: ['fast', 'safe'], default: 'safe' },
                  atomic: { type: 'array', items: text },
                  set: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
                  entries: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: {
                        name: text,
                        value: text,
                        ports: {
                          type: 'array',
                          'x-kubernetes-list-type': 'map',
                          'x-kubernetes-list-map-keys': ['port', 'protocol'],
                          items: port,
                        },
                      },
                    },
                  },
                  free: { type: 'object', additionalProperties: text },
                  whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text, b: text } },
                  any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  either: { 'x-kubernetes-int-or-string': true },
                },
              },
              status: {
                type: 'object',
                properties: {
                  count: { type: 'integer' },
                  phase: text,
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: { type: 'object', required: ['type'], properties: { type: text, status: text } },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

/** An object of some of the fields; each field's value is made only when the field is taken. */
function someOf(random: Random, fields: Record<string, () => unknown>, probability = 0.5): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, make] of Object.entries(fields)) if (random.chance(probability)) result[name] = make();
  return result;
}

function strings(random: Random, keys: string[], values: string[]): Record<string, string> {
  return someOf(random, Object.fromEntries(keys.map((key) => [key, () => random.pick(values)]))) as Record<
    string,
    string
  >;
}

export function labels(random: Random): Record<string, string> {
  return strings(random, ['x', 'y'], ['1', '2']);
}

function containers(random: Random, whole: boolean): object[] {
  const names = whole ? ['main', ...random.some(['side'])] : random.some(['main', 'side'], 0.6);
  return names.map((name) => ({
    name,
    ...(whole || random.chance(0.6) ? { image: random.pick(['app:1', 'app:2', 'app']) } : {}),
    ...someOf(
      random,
      {
        env: () => random.some(['A', 'B', 'C']).map((key) => ({ name: key, value: random.pick(['1', '2', '']) })),
        ports: () =>
          random
            .some([
              { containerPort: 80 },
              { containerPort: 80, protocol: 'UDP' },
              { containerPort: 443, name: 'tls', protocol: 'TCP' },
            ])
            .map((one) => ({ ...one })),
        args: () => random.some(['a', 'b']),
        resources: () => ({ limits: strings(random, ['cpu', 'memory'], ['1', '500m', '1000m']) }),
        volumeMounts: () => [{ name: 'data', mountPath: random.pick(['/a', '/b']) }],
        readinessProbe: () => random.pick([{ httpGet: { path: '/', port: 80 } }, { tcpSocket: { port: 80 } }]),
      },
      0.3,
    ),
  }));
}

function deploymentContent(random: Random, whole: boolean): Record<string, unknown> {
  const list = containers(random, whole);
  const mounts = list.some((one) => 'volumeMounts' in one);
  const template = {
    ...(whole || random.chance(0.5)
      ? { metadata: { labels: { app: 'x', ...strings(random, ['t'], ['1', '2']) } } }
      : {}),
    spec: {
      ...(whole || list.length > 0 ? { containers: list } : {}),
      ...someOf(
        random,
        {
          nodeSelector: () => strings(random, ['disk', 'zone'], ['a', 'b']),
          tolerations: () =>
            random.some([
              { key: 'k', operator: 'Exists' },
              { key: 'l', value: 'v' },
            ]),
          terminationGracePeriodSeconds: () => random.pick([5, 30]),
        },
        0.2,
      ),
      ...(mounts || random.chance(0.1)
        ? { volumes: [{ name: 'data', ...random.pick([{ emptyDir: {} }, { configMap: { name: 'c' } }]) }] }
        : {}),
    },
  };
  return {
    spec: {
      ...(whole ? { selector: { matchLabels: { app: 'x' } } } : {}),
      ...(whole || random.chance(0.6) ? { template } : {}),
      ...someOf(
        random,
        {
          replicas: () => random.pick([0, 1, 2, 3]),
          strategy: () =>
            random.pick([
              { type: 'Recreate' },
              { type: 'RollingUpdate' },
              { rollingUpdate: { maxSurge: random.pick([1, '50%']) } },
            ]),
          minReadySeconds: () => random.pick([0, 5]),
          revisionHistoryLimit: () => random.pick([0, 10]),
          paused: () => random.chance(0.5),
        },
        0.3,
      ),
    },
  };
}

function serviceContent(random: Random, whole: boolean): Record<string, unknown> {
  const ports = random.some([
    { name: 'web', port: 80 },
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ]);
  if (whole && ports.length === 0) ports.push({ name: 'web', port: 80 });
  return {
    spec: {
      ...(ports.length > 0
        ? {
            ports: ports.map((one) => ({
              ...one,
              ...(random.chance(0.3) ? { targetPort: random.pick([8080, 'http']) } : {}),
            })),
          }
        : {}),
      ...someOf(
        random,
        {
          selector: () => strings(random, ['app', 'tier'], ['1', '2']),
          sessionAffinity: () => random.pick(['None', 'ClientIP']),
          publishNotReadyAddresses: () => true,
          internalTrafficPolicy: () => random.pick(['Cluster', 'Local']),
        },
        0.3,
      ),
    },
  };
}

function thingContent(random: Random): Record<string, unknown> {
  const entry = (name: string): object => ({
    name,
    ...someOf(random, {
      value: () => random.pick(['1', '2']),
      ports: () =>
        random.some([{ port: 53 }, { port: 53, protocol: 'UDP' }, { port: 80, note: random.pick(['a', 'b']) }]),
    }),
  });
  return {
    spec: someOf(
      random,
      {
        count: () => random.pick([0, 1, 5]),
        mode: () => random.pick(['fast', 'safe']),
        atomic: () => random.some(['a', 'b', 'c']),
        set: () => random.some(['a', 'b', 'c']),
        entries: () => random.some(['m', 'n', 'o']).map(entry),
        free: () => strings(random, ['a', 'b'], ['1', '2']),
        whole: () => strings(random, ['a', 'b'], ['1', '2']),
        any: () => random.pick([{ deep: { a: 1 } }, { deep: { b: [1, 2] } }, { flat: true }, { n: 1.5 }]),
        either: () => random.pick([80, 'http']),
      },
      0.4,
    ),
  };
}

export const KINDS: Readonly<Record<KindName, Kind>> = {
  ConfigMap: {
    name: 'ConfigMap',
    apiVersion: 'v1',
    resource: 'configmaps',
    content: (random) => ({ data: strings(random, ['a', 'b', 'c'], ['1', '2', '']) }),
    paths: [
      ['/data', [{}, { a: '1' }, null]],
      ['/data/a', ['1', '2', 5]],
      ['/data/b', ['1', '']],
      ['/metadata/labels', [{}, { x: '1' }]],
      ['/metadata/labels/x', ['1', '2']],
      ['/metadata/finalizers', [['example.com/f'], []]],
      ['/immutable', [false]],
    ],
    strategic: true,
    scale: false,
  },
  Deployment: {
    name: 'Deployment',
    apiVersion: 'apps/v1',
    resource: 'deployments',
    content: deploymentContent,
    status: (random) =>
      someOf(random, {
        replicas: () => random.pick([0, 2]),
        readyReplicas: () => random.pick([0, 1]),
        observedGeneration: () => random.pick([1, 2]),
        conditions: () =>
          random.some([
            { type: 'Available', status: 'True' },
            { type: 'Progressing', status: 'False', reason: 'r' },
          ]),
      }),
    paths: [
      ['/spec/replicas', [0, 2, '3', -1]],
      ['/spec/template/spec/containers/0/image', ['app:3', '']],
      ['/spec/template/spec/containers/-', [{ name: 'side', image: 'app:1' }]],
      ['/spec/template/spec/containers/0/env', [[], [{ name: 'A', value: '9' }]]],
      ['/spec/strategy', [{ type: 'Recreate' }, {}]],
      ['/spec/template/metadata/labels/t', ['3']],
      ['/metadata/labels', [{}, { x: '1' }]],
    ],
    strategic: true,
    scale: true,
  },
  Service: {
    name: 'Service',
    apiVersion: 'v1',
    resource: 'services',
    content: serviceContent,
    paths: [
      ['/spec/ports/0/port', [80, 81, 0]],
      ['/spec/ports/-', [{ name: 'more', port: 99 }]],
      ['/spec/ports/0', [{ name: 'web', port: 8080 }]],
      ['/spec/selector', [{ app: '1' }, {}]],
      ['/spec/sessionAffinity', ['None', 'ClientIP', 'Sometimes']],
      ['/metadata/annotations', [{ a: 'b' }]],
    ],
    strategic: true,
    scale: false,
  },
  Thing: {
    name: 'Thing',
    apiVersion: `${THING_GROUP}/v1`,
    resource: 'things',
    content: thingContent,
    status: (random) =>
      someOf(random, {
        count: () => random.pick([0, 3]),
        phase: () => random.pick(['a', 'b']),
        conditions: () =>
          random.some([
            { type: 'A', status: 'True' },
            { type: 'B', status: 'False' },
          ]),
      }),
    paths: [
      ['/spec', [{}, { count: 1 }]],
      ['/spec/count', [0, 7, 10, 'x']],
      ['/spec/mode', ['fast', 'odd', null]],
      ['/spec/set', [['a'], ['a', 'a']]],
      ['/spec/entries', [[{ name: 'm' }], [{ name: 'm' }, { name: 'm' }], [{}]]],
      ['/spec/entries/0/value', ['7']],
      ['/spec/any/deep', [{ c: 1 }, 5]],
      ['/spec/unknown', [1]],
      ['/metadata/finalizers', [['example.com/f'], []]],
    ],
    strategic: false,
    scale: true,
  },
};
