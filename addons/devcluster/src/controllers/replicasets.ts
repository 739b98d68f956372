/** ReplicaSets: as many pods as they ask for. */
import type { Loose } from '../types/loose.ts';
import { same } from '../types/loose.ts';
import {
  type Context,
  controllerOf,
  controllerReference,
  deleteIfThere,
  errorCode,
  isPodActive,
  isPodReady,
  keyOf,
  randomSuffix,
  selects,
  untilAvailable,
} from './kit.ts';

export const REPLICA_SETS = 'apps/v1/replicasets';
const PODS = 'v1/pods';

/** A pod of a controller's template. */
export function podOf(
  owner: Loose,
  apiVersion: string,
  kind: string,
  template: Loose,
  name: string,
  more: { labels?: Loose; annotations?: Loose } = {},
): Loose {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const allAnnotations = { ...annotations, ...more.annotations };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: owner.metadata.namespace,
      labels: { ...labels, ...more.labels },
      ...(Object.keys(allAnnotations).length > 0 ? { annotations: allAnnotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(owner, apiVersion, kind)],
    },
    spec: template.spec,
  };
}

/** Pods in the order in which they go first when there are too many. */
export function byDispensability(a: Loose, b: Loose): number {
  const rank = (pod: Loose): number =>
    (pod.spec.nodeName ? 4 : 0) + (pod.status?.phase === 'Running' ? 2 : 0) + (isPodReady(pod) ? 1 : 0);
  const cost = (pod: Loose): number =>
    Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0);
  return (
    rank(a) - rank(b) ||
    cost(a) - cost(b) ||
    String(b.metadata.creationTimestamp).localeCompare(String(a.metadata.creationTimestamp)) ||
    String(a.metadata.name).localeCompare(String(b.metadata.name))
  );
}

/** Numbers on the pods of a controller. */
export interface PodCounts {
  active: Loose[];
  ready: number;
  available: number;
  terminating: number;
  /** Milliseconds until one more becomes available, if one will. */
  nextMs?: number;
}

/** Counts the pods of a controller. */
export function countPods(pods: Loose[], minReadySeconds: number, now: number): PodCounts {
  const counts: PodCounts = { active: [], ready: 0, available: 0, terminating: 0 };
  for (const pod of pods) {
    if (!isPodActive(pod)) {
      if (pod.metadata.deletionTimestamp && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed')
        counts.terminating++;
      continue;
    }
    counts.active.push(pod);
    const wait = untilAvailable(pod, minReadySeconds, now);
    if (wait === undefined) continue;
    counts.ready++;
    if (wait === 0) counts.available++;
    else counts.nextMs = Math.min(counts.nextMs ?? Number.POSITIVE_INFINITY, wait);
  }
  return counts;
}

/** Starts the controller of ReplicaSets. */
export function replicaSetController(context: Context): void {
  const { cache, writer, clock, options } = context;

  const work = async (key: string): Promise<void> => {
    const set = cache.byKey(REPLICA_SETS, key);
    if (!set) return;
    const wanted: number = set.spec.replicas ?? 1;
    let counts = countPods(cache.controlled(PODS, set.metadata.uid), set.spec.minReadySeconds ?? 0, clock.now());
    if (!set.metadata.deletionTimestamp) {
      const missing = wanted - counts.active.length;
      for (let i = 0; i < missing; i++) {
        const name = `${set.metadata.name}-${randomSuffix(clock)}`;
        try {
          await writer.create(PODS, podOf(set, 'apps/v1', 'ReplicaSet', set.spec.template, name));
        } catch (error) {
          // The namespace is going away, and this set with it.
          if (errorCode(error) === 403) break;
          throw error;
        }
      }
      if (missing < 0) {
        for (const pod of counts.active.sort(byDispensability).slice(0, -missing))
          await deleteIfThere(writer, PODS, pod);
      }
    }
    counts = countPods(cache.controlled(PODS, set.metadata.uid), set.spec.minReadySeconds ?? 0, clock.now());
    const status = {
      ...set.status,
      replicas: counts.active.length,
      fullyLabeledReplicas: counts.active.length || undefined,
      readyReplicas: counts.ready || undefined,
      availableReplicas: counts.available || undefined,
      terminatingReplicas: counts.terminating,
      observedGeneration: set.metadata.generation,
    };
    const current = cache.byKey(REPLICA_SETS, key);
    if (current && !same(status, current.status)) await writer.update(REPLICA_SETS, { ...current, status }, 'status');
    if (counts.nextMs !== undefined) queue.add(key, counts.nextMs);
  };
  const queue = context.queue('replicasets', work);

  cache.watch(REPLICA_SETS, ({ type, object, before }) => {
    if (type === 'set' && (!before || before.metadata.generation !== object.metadata.generation)) {
      adopt(object);
      queue.add(keyOf(object));
    }
  });
  cache.watch(PODS, ({ type, object, before }) => {
    const owner = controllerOf(object) ?? (before && controllerOf(before));
    if (owner?.kind === 'ReplicaSet') {
      queue.add(`${object.metadata.namespace}/${owner.name}`, type === 'gone' || !before ? 0 : options.batchMs);
    }
  });

  /** Takes over pods that have lost their controller, such as after a deletion that left them behind. */
  function adopt(set: Loose): void {
    if (set.metadata.deletionTimestamp) return;
    for (const pod of cache.list(PODS, set.metadata.namespace)) {
      if (controllerOf(pod) || pod.metadata.deletionTimestamp || !selects(set.spec.selector, pod.metadata.labels))
        continue;
      const ownerReferences = [
        ...(pod.metadata.ownerReferences ?? []),
        controllerReference(set, 'apps/v1', 'ReplicaSet'),
      ];
      void writer
        .update(PODS, { ...pod, metadata: { ...pod.metadata, ownerReferences } })
        .catch(() => queue.add(keyOf(set), 100));
    }
  }
}
