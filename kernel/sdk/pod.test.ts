import { describe, expect, test } from 'vitest';
import type { KubeObject, TraitContext } from './index.ts';
import { append, containerNamed, mainContainer, patchContainers, patchPod, podTemplateOf } from './index.ts';

const template = { metadata: {}, spec: { containers: [{ name: 'log' }, { name: 'web', image: 'a' }] } };

const workloads: [KubeObject, string[] | undefined][] = [
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CloneSet'].map((kind): [KubeObject, string[]] => [
    { apiVersion: 'x/v1', kind, metadata: {}, spec: { template } },
    ['spec', 'template'],
  ]),
  [
    { apiVersion: 'batch/v1', kind: 'CronJob', metadata: {}, spec: { jobTemplate: { spec: { template } } } },
    ['spec', 'jobTemplate', 'spec', 'template'],
  ],
  [{ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: template.spec }, []],
  [{ apiVersion: 'v1', kind: 'Service', metadata: {}, spec: { ports: [] } }, undefined],
  [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }, undefined],
  [
    { apiVersion: 'x/v1', kind: 'Template', metadata: {}, spec: { template: { spec: { containers: 'none' } } } },
    undefined,
  ],
];

function contextOf(workload: KubeObject): TraitContext {
  return { name: 'web', workload, auxiliaries: {} } as unknown as TraitContext;
}
const deployment = contextOf({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: {}, spec: { template } });

describe('podTemplateOf', () => {
  test.each(workloads.map(([workload, path]) => [workload.kind, workload, path] as const))(
    '%s',
    (_, workload, path) => {
      expect(podTemplateOf(workload)?.path).toEqual(path);
      if (path) expect(podTemplateOf(workload)?.template.spec.containers).toHaveLength(2);
    },
  );
});

describe('patches', () => {
  test('reach the pod template of each kind, beside what else changes', () => {
    const cronJob = contextOf(workloads[6]?.[0] as KubeObject);
    const patch = patchPod(
      cronJob,
      { spec: { volumes: append([{ name: 'a' }]) } },
      { metadata: { labels: { a: 'b' } } },
    );
    expect(patch).toEqual({
      type: 'merge',
      value: {
        metadata: { labels: { a: 'b' } },
        spec: { jobTemplate: { spec: { template: { spec: { volumes: { $append: [{ name: 'a' }] } } } } } },
      },
    });
  });

  test('join with what else changes on the same way', () => {
    expect(
      patchPod(deployment, { spec: { a: 1 } }, { spec: { replicas: 2, template: { metadata: { b: 2 } } } }),
    ).toEqual({
      type: 'merge',
      value: { spec: { replicas: 2, template: { metadata: { b: 2 }, spec: { a: 1 } } } },
    });
  });

  test('of containers go by name and fail where there is none', () => {
    expect(patchContainers(deployment, [{ name: 'web', image: 'b' }])).toEqual({
      type: 'merge',
      value: {
        spec: {
          template: {
            spec: { containers: { $merge: [{ name: 'web', image: 'b' }], $key: ['name'], $missing: 'error' } },
          },
        },
      },
    });
  });

  test('of a component without pods fail and say so', () => {
    const service = contextOf({ apiVersion: 'v1', kind: 'Service', metadata: {} });
    expect(() => patchPod(service, {})).toThrow('component "web" has no pods: it renders a Service');
  });
});

describe('containers', () => {
  test('the main one is named like the component, whatever the order', () => {
    expect(mainContainer(deployment).image).toBe('a');
  });

  test('or the first', () => {
    const context = { ...deployment, name: 'other' };
    expect(mainContainer(context).name).toBe('log');
  });

  test('are found by name; no name means the main one', () => {
    expect(containerNamed(deployment, 'log').name).toBe('log');
    expect(containerNamed(deployment, '').name).toBe('web');
    expect(containerNamed(deployment).name).toBe('web');
  });

  test('that are not there are told with those that are', () => {
    expect(() => containerNamed(deployment, 'wbe', 'containerName')).toThrow(
      expect.objectContaining({
        report: {
          message: 'container "wbe" not found in component "web"',
          parameter: 'containerName',
          expected: 'one of "log", "web"',
        },
      }),
    );
  });
});
