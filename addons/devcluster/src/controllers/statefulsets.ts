/** StatefulSets: pods with stable names and claims, started, updated and stopped in order. */
import { type Loose, same } from '../types/loose.ts';
import { podBehaviour } from './images.ts';
import {
  type Context,
  controllerOf,
  controllerReference,
  deleteIfThere,
  errorCode,
  hashName,
  keyOf,
  untilAvailable,
} from './kit.ts';
import { podOf } from './replicasets.ts';
import { forgetRevisions, presentRevision, REVISIONS } from './revisions.ts';

export const STATEFUL_SETS = 'apps/v1/statefulsets';
const PODS = 'v1/pods';
const CLAIMS = 'v1/persistentvolumeclaims';
const REVISION_LABEL = 'controller-revision-hash';

/** Starts the controller of StatefulSets. */
export function statefulSetController(context: Context): void {
  const { cache, writer, clock, options } = context;

  const ordinalOf = (set: Loose, pod: Loose): number => {
    const name: string = pod.metadata.name;
    const prefix = `${set.metadata.name}-`;
    const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    return /^\d+$/.test(rest) ? Number(rest) : -1;
  };

  const claimName = (set: Loose, template: Loose, ordinal: number): string =>
    `${template.metadata.name}-${set.metadata.name}-${ordinal}`;

  const createClaims = async (set: Loose, ordinal: number): Promise<void> => {
    for (const template of (set.spec.volumeClaimTemplates as Loose[] | undefined) ?? []) {
      const name = claimName(set, template, ordinal);
      if (cache.get(CLAIMS, set.metadata.namespace, name)) continue;
      const retention = set.spec.persistentVolumeClaimRetentionPolicy;
      const { status: _status, ...claim } = template;
      await writer.create(CLAIMS, {
        ...claim,
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          ...template.metadata,
          name,
          namespace: set.metadata.namespace,
          labels: { ...template.metadata.labels, ...set.spec.selector?.matchLabels },
          ...(retention?.whenDeleted === 'Delete'
            ? { ownerReferences: [controllerReference(set, 'apps/v1', 'StatefulSet')] }
            : {}),
        },
      });
    }
  };

  const create = async (set: Loose, ordinal: number, template: Loose, revision: string): Promise<void> => {
    await createClaims(set, ordinal);
    const name = `${set.metadata.name}-${ordinal}`;
    const pod = podOf(set, 'apps/v1', 'StatefulSet', template, name, {
      labels: {
        'apps.kubernetes.io/pod-index': String(ordinal),
        [REVISION_LABEL]: revision,
        'statefulset.kubernetes.io/pod-name': name,
      },
    });
    const claims = ((set.spec.volumeClaimTemplates as Loose[] | undefined) ?? []).map((one) => ({
      name: one.metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, one, ordinal) },
    }));
    const own = ((pod.spec.volumes as Loose[] | undefined) ?? []).filter(
      (volume) => !claims.some((claim) => claim.name === volume.name),
    );
    await writer.create(PODS, {
      ...pod,
      spec: {
        ...pod.spec,
        hostname: name,
        ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}),
        ...(claims.length > 0 || own.length > 0 ? { volumes: [...claims, ...own] } : {}),
      },
    });
  };

  /** One step; the pods change, and their changes bring the set back here. */
  const step = async (
    set: Loose,
    present: string,
    current: string,
    templateOf: (revision: string) => Loose,
  ): Promise<void> => {
    const wanted: number = set.spec.replicas;
    const start: number = set.spec.ordinals?.start ?? 0;
    const parallel = set.spec.podManagementPolicy === 'Parallel';
    const pods = new Map(cache.controlled(PODS, set.metadata.uid).map((pod) => [ordinalOf(set, pod), pod]));
    const minReady: number = set.spec.minReadySeconds ?? 0;
    const partition: number = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
    const rolling = set.spec.updateStrategy?.type !== 'OnDelete';
    for (let ordinal = start; ordinal < start + wanted; ordinal++) {
      const pod = pods.get(ordinal);
      if (!pod) {
        const revision = rolling && ordinal < partition ? current : present;
        await create(set, ordinal, templateOf(revision), revision);
        if (!parallel) return;
        continue;
      }
      if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') {
        await deleteIfThere(writer, PODS, pod);
        if (!parallel) return;
        continue;
      }
      if (parallel) continue;
      if (pod.metadata.deletionTimestamp) return;
      const wait = untilAvailable(pod, minReady, clock.now());
      if (wait !== 0) {
        // A pod that does not become ready holds up the others, but may itself be replaced by one of a newer template.
        if (wait !== undefined) queue.add(keyOf(set), wait);
        if (
          rolling &&
          ordinal >= partition &&
          pod.metadata.labels?.[REVISION_LABEL] !== present &&
          wait === undefined
        ) {
          await deleteIfThere(writer, PODS, pod);
        }
        return;
      }
    }
    const surplus = [...pods]
      .filter(([ordinal]) => ordinal < start || ordinal >= start + wanted)
      .sort(([a], [b]) => b - a);
    for (const [ordinal, pod] of surplus) {
      if (pod.metadata.deletionTimestamp) {
        if (!parallel) return;
        continue;
      }
      await deleteIfThere(writer, PODS, pod);
      if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete') {
        for (const template of (set.spec.volumeClaimTemplates as Loose[] | undefined) ?? []) {
          const claim = cache.get(CLAIMS, set.metadata.namespace, claimName(set, template, ordinal));
          if (claim) await deleteIfThere(writer, CLAIMS, claim);
        }
      }
      if (!parallel) return;
    }
    if (surplus.length > 0 || !rolling) return;
    // From the last to the first, one at a time.
    for (let ordinal = start + wanted - 1; ordinal >= Math.max(start, partition); ordinal--) {
      const pod = pods.get(ordinal);
      if (!pod) return;
      if (pod.metadata.labels?.[REVISION_LABEL] !== present) {
        if (!pod.metadata.deletionTimestamp) await deleteIfThere(writer, PODS, pod);
        return;
      }
      if (untilAvailable(pod, minReady, clock.now()) !== 0) return;
    }
  };

  const saveStatus = async (set: Loose, status: Loose): Promise<void> => {
    const current = cache.byKey(STATEFUL_SETS, keyOf(set));
    if (!current || current.metadata.uid !== set.metadata.uid || same(status, current.status)) return;
    await writer.update(STATEFUL_SETS, { ...current, status }, 'status');
  };

  const workStatusOnly = async (set: Loose): Promise<void> => {
    const wanted: number = set.spec.replicas;
    const ready = podBehaviour(set.spec.template.spec).behaviour === 'runs' ? wanted : 0;
    const revision = `${set.metadata.name}-${hashName(set.spec.template)}`;
    await saveStatus(set, {
      ...set.status,
      observedGeneration: set.metadata.generation,
      replicas: wanted,
      readyReplicas: ready || undefined,
      availableReplicas: ready,
      currentReplicas: wanted || undefined,
      updatedReplicas: wanted || undefined,
      currentRevision: revision,
      updateRevision: revision,
      collisionCount: 0,
    });
  };

  const work = async (key: string): Promise<void> => {
    const set = cache.byKey(STATEFUL_SETS, key);
    if (!set || set.metadata.deletionTimestamp) return;
    if (options.workloads === 'status-only') return workStatusOnly(set);
    const history = await presentRevision(context, set, 'StatefulSet');
    const present: string = history.current.metadata.name;
    const before: string | undefined = set.status?.currentRevision;
    const current = history.all.some((one) => one.metadata.name === before) ? before! : present;
    const templateOf = (name: string): Loose => {
      const found = history.all.find((one) => one.metadata.name === name);
      if (!found) return set.spec.template;
      const { $patch: _patch, ...template } = found.data.spec.template;
      return template;
    };
    try {
      await step(set, present, current, templateOf);
    } catch (error) {
      if (errorCode(error) === 403) return;
      throw error;
    }
    const pods = cache
      .controlled(PODS, set.metadata.uid)
      .filter((pod) => !pod.metadata.deletionTimestamp && ordinalOf(set, pod) >= 0);
    const revision = (pod: Loose): string => pod.metadata.labels?.[REVISION_LABEL];
    const count = (test: (pod: Loose) => boolean): number => pods.filter(test).length;
    const minReady: number = set.spec.minReadySeconds ?? 0;
    const now = clock.now();
    const ready = count((pod) => untilAvailable(pod, minReady, now) !== undefined);
    const available = count((pod) => untilAvailable(pod, minReady, now) === 0);
    const updated = count((pod) => revision(pod) === present);
    const done = updated === set.spec.replicas && ready === set.spec.replicas && pods.length === set.spec.replicas;
    await saveStatus(set, {
      ...set.status,
      observedGeneration: set.metadata.generation,
      replicas: pods.length,
      readyReplicas: ready || undefined,
      availableReplicas: available,
      currentReplicas: (done ? updated : count((pod) => revision(pod) === current)) || undefined,
      updatedReplicas: updated || undefined,
      currentRevision: done ? present : current,
      updateRevision: present,
      collisionCount: 0,
    });
    if (done) await forgetRevisions(context, set, history, new Set(pods.map(revision)));
  };
  const queue = context.queue('statefulsets', work);

  cache.watch(REVISIONS, () => undefined);
  cache.watch(CLAIMS, () => undefined);
  cache.watch(STATEFUL_SETS, ({ type, object, before }) => {
    if (type === 'set' && (!before || before.metadata.generation !== object.metadata.generation))
      queue.add(keyOf(object));
  });
  cache.watch(PODS, ({ object, before }) => {
    const owner = controllerOf(object) ?? (before && controllerOf(before));
    if (owner?.kind === 'StatefulSet')
      queue.add(`${object.metadata.namespace}/${owner.name}`, before ? 2 : options.batchMs);
  });
}
