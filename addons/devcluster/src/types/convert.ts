/** Kinds that are served in two forms: Events (core and events.k8s.io) and HorizontalPodAutoscalers (v1 and v2). */
import type { KindInfo } from '../api/types.ts';
import type { Loose } from './loose.ts';

/** Fields of an Event: core name, name in events.k8s.io. */
const EVENT_FIELDS: [core: string, other: string][] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
];

function convertEvent(object: Loose, to: KindInfo): Loose {
  const forward = to.group === 'events.k8s.io';
  const result: Loose = { ...object };
  for (const pair of EVENT_FIELDS) {
    const [from, into] = forward ? pair : [pair[1], pair[0]];
    if (result[from] !== undefined && from !== into) {
      result[into] = result[from];
      delete result[from];
    }
  }
  return result;
}

const ANNOTATIONS = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  current: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
};

const isCpu = (metric: Loose): boolean =>
  metric.type === 'Resource' && metric.resource?.name === 'cpu' && metric.resource.target?.type === 'Utilization';

function autoscalerToV2(object: Loose): Loose {
  const { targetCPUUtilizationPercentage, ...spec } = object.spec ?? {};
  const { currentCPUUtilizationPercentage, ...status } = object.status ?? {};
  const annotations: Loose = { ...object.metadata?.annotations };
  const read = (name: string): unknown => {
    const text = annotations[name];
    delete annotations[name];
    if (typeof text !== 'string') return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  };
  const others = (read(ANNOTATIONS.metrics) as Loose[] | undefined) ?? [];
  const metrics = [
    ...(targetCPUUtilizationPercentage != null
      ? [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: targetCPUUtilizationPercentage } },
          },
        ]
      : []),
    ...others,
  ];
  const current = (read(ANNOTATIONS.current) as Loose[] | undefined) ?? [];
  const conditions = read(ANNOTATIONS.conditions);
  const behavior = read(ANNOTATIONS.behavior);
  const { annotations: _old, ...metadata } = object.metadata ?? {};
  return {
    ...object,
    metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata,
    spec: { ...spec, ...(metrics.length > 0 ? { metrics } : {}), ...(behavior ? { behavior } : {}) },
    status: {
      ...status,
      ...(current.length > 0 ? { currentMetrics: current } : {}),
      ...(currentCPUUtilizationPercentage != null && current.length === 0
        ? { currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: currentCPUUtilizationPercentage } } }] }
        : {}),
      ...(conditions ? { conditions } : {}),
    },
  };
}

function autoscalerToV1(object: Loose): Loose {
  const { metrics, behavior, ...spec } = object.spec ?? {};
  const { currentMetrics, conditions, ...status } = object.status ?? {};
  const list = (metrics as Loose[] | undefined) ?? [];
  const cpu = list.find(isCpu);
  const others = list.filter((metric) => metric !== cpu);
  const annotations: Loose = { ...object.metadata?.annotations };
  if (others.length > 0) annotations[ANNOTATIONS.metrics] = JSON.stringify(others);
  if (currentMetrics?.length) annotations[ANNOTATIONS.current] = JSON.stringify(currentMetrics);
  if (conditions?.length) annotations[ANNOTATIONS.conditions] = JSON.stringify(conditions);
  if (behavior) annotations[ANNOTATIONS.behavior] = JSON.stringify(behavior);
  const usage = ((currentMetrics as Loose[] | undefined) ?? []).find((one) => one.resource?.name === 'cpu')?.resource.current?.averageUtilization;
  return {
    ...object,
    metadata: Object.keys(annotations).length > 0 ? { ...object.metadata, annotations } : object.metadata,
    spec: { ...spec, ...(cpu ? { targetCPUUtilizationPercentage: cpu.resource.target.averageUtilization } : {}) },
    status: {
      currentReplicas: 0,
      desiredReplicas: 0,
      ...status,
      ...(usage !== undefined ? { currentCPUUtilizationPercentage: usage } : {}),
    },
  };
}

/** The object in the form of another kind of the same store. */
export function convertObject(object: Loose, from: KindInfo, to: KindInfo): Loose {
  if (from.group === to.group && from.version === to.version) return object;
  const apiVersion = to.group ? `${to.group}/${to.version}` : to.version;
  const converted = to.kind === 'Event' ? convertEvent(object, to) : to.version === 'v2' ? autoscalerToV2(object) : autoscalerToV1(object);
  return { ...converted, apiVersion, kind: to.kind };
}
