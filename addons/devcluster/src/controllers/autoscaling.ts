/** HorizontalPodAutoscalers and PodDisruptionBudgets: their status. Nothing is ever scaled, since simulated pods use nothing. */
import { type Loose, same } from '../types/loose.ts';
import {
  type Context,
  controllerOf,
  countOf,
  isPodActive,
  isPodReady,
  keyOf,
  selects,
  timestamp,
  withCondition,
} from './kit.ts';

const AUTOSCALERS = 'autoscaling/v2/horizontalpodautoscalers';
const BUDGETS = 'policy/v1/poddisruptionbudgets';
const PODS = 'v1/pods';
const TARGETS: Record<string, string> = {
  Deployment: 'apps/v1/deployments',
  StatefulSet: 'apps/v1/statefulsets',
  ReplicaSet: 'apps/v1/replicasets',
};

/** The value of a metric that calls for no change: what its target is. */
function metricStatus(metric: Loose): Loose | undefined {
  const field = ({ Resource: 'resource', ContainerResource: 'containerResource' } as Record<string, string>)[
    metric.type
  ];
  if (!field) return undefined;
  const { target, ...rest } = metric[field] as Loose;
  const current =
    target.type === 'Utilization'
      ? { averageUtilization: target.averageUtilization, averageValue: '0' }
      : { averageValue: target.averageValue ?? '0' };
  return { type: metric.type, [field]: { ...rest, current } };
}

/** Starts the controller of HorizontalPodAutoscalers. */
export function autoscalerController(context: Context): void {
  const { cache, writer, clock, options } = context;

  const queue = context.queue('horizontalpodautoscalers', async (key) => {
    const autoscaler = cache.byKey(AUTOSCALERS, key);
    if (!autoscaler || autoscaler.metadata.deletionTimestamp) return;
    const { scaleTargetRef } = autoscaler.spec;
    const resource = TARGETS[scaleTargetRef.kind];
    const target = resource && cache.get(resource, autoscaler.metadata.namespace, scaleTargetRef.name);
    const now = timestamp(clock.now());
    let conditions: Loose[] = autoscaler.status?.conditions ?? [];
    const set = (type: string, status: string, reason: string, message: string): void => {
      conditions = withCondition(conditions, { type, status, reason, message }, now);
    };
    const status: Loose = { ...autoscaler.status };
    if (!target) {
      const text = `the HPA controller was unable to get the target's current scale: ${scaleTargetRef.kind.toLowerCase()}s "${scaleTargetRef.name}" not found`;
      set('AbleToScale', 'False', 'FailedGetScale', text);
    } else {
      const replicas: number = target.spec.replicas ?? 1;
      set('AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size');
      set(
        'ScalingActive',
        'True',
        'ValidMetricFound',
        'the HPA was able to successfully calculate a replica count (simulated)',
      );
      set('ScalingLimited', 'False', 'DesiredWithinRange', 'the desired count is within the acceptable range');
      status.currentReplicas = replicas;
      status.desiredReplicas = replicas;
      const metrics = ((autoscaler.spec.metrics as Loose[] | undefined) ?? []).map(metricStatus);
      status.currentMetrics = metrics.every((one) => one !== undefined) ? metrics : undefined;
    }
    status.conditions = conditions;
    if (!same(status, autoscaler.status)) await writer.update(AUTOSCALERS, { ...autoscaler, status }, 'status');
  });

  cache.watch(AUTOSCALERS, ({ type, object, before }) => {
    if (type === 'set' && (!before || !same(before.spec, object.spec))) queue.add(keyOf(object), options.batchMs);
  });
  for (const resource of Object.values(TARGETS)) {
    cache.watch(resource, ({ object, before, type }) => {
      if (controllerOf(object) || (type === 'set' && before?.spec.replicas === object.spec.replicas)) return;
      for (const autoscaler of cache.list(AUTOSCALERS, object.metadata.namespace)) {
        const { name, kind } = autoscaler.spec.scaleTargetRef;
        if (name === object.metadata.name && TARGETS[kind] === resource) queue.add(keyOf(autoscaler), options.batchMs);
      }
    });
  }
}

/** Starts the controller of PodDisruptionBudgets. */
export function budgetController(context: Context): void {
  const { cache, writer, clock, options } = context;

  const queue = context.queue('poddisruptionbudgets', async (key) => {
    const budget = cache.byKey(BUDGETS, key);
    if (!budget || budget.metadata.deletionTimestamp) return;
    const pods = [...cache.list(PODS, budget.metadata.namespace)].filter(
      (pod) => isPodActive(pod) && selects(budget.spec.selector, pod.metadata.labels),
    );
    const expected = pods.length;
    const { minAvailable, maxUnavailable } = budget.spec;
    const desired =
      maxUnavailable !== undefined
        ? Math.max(0, expected - countOf(maxUnavailable, expected, true))
        : countOf(minAvailable ?? 0, expected, true);
    const healthy = pods.filter(isPodReady).length;
    const allowed = expected > 0 ? Math.max(0, healthy - desired) : 0;
    const status = {
      ...budget.status,
      currentHealthy: healthy,
      desiredHealthy: desired,
      disruptionsAllowed: allowed,
      expectedPods: expected,
      observedGeneration: budget.metadata.generation,
      conditions: withCondition(
        budget.status?.conditions,
        {
          type: 'DisruptionAllowed',
          status: allowed > 0 ? 'True' : 'False',
          reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
          message: '',
        },
        timestamp(clock.now()),
      ).map((one) => ({ ...one, observedGeneration: budget.metadata.generation })),
    };
    if (!same(status, budget.status)) await writer.update(BUDGETS, { ...budget, status }, 'status');
  });

  cache.watch(BUDGETS, ({ type, object, before }) => {
    if (type === 'set' && before?.metadata.generation !== object.metadata.generation)
      queue.add(keyOf(object), options.batchMs);
  });
  cache.watch(PODS, ({ object, before, type }) => {
    if (
      type === 'set' &&
      before &&
      isPodReady(before) === isPodReady(object) &&
      isPodActive(before) === isPodActive(object)
    )
      return;
    for (const budget of cache.list(BUDGETS, object.metadata.namespace)) {
      if (selects(budget.spec.selector, object.metadata.labels)) queue.add(keyOf(budget), options.batchMs);
    }
  });
}
