/** Deployments: rollouts by ReplicaSets, with revisions, and the status that tells how far they are. */
import { type Loose, same } from '../types/loose.ts';
import { podBehaviour } from './images.ts';
import {
  type Context,
  conditionOf,
  controllerOf,
  controllerReference,
  countOf,
  deleteIfThere,
  errorCode,
  hashName,
  isPodActive,
  keyOf,
  selects,
  timestamp,
  withCondition,
} from './kit.ts';
import { REPLICA_SETS } from './replicasets.ts';

export const DEPLOYMENTS = 'apps/v1/deployments';
const PODS = 'v1/pods';
const HASH_LABEL = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
const DESIRED = 'deployment.kubernetes.io/desired-replicas';
const MAXIMUM = 'deployment.kubernetes.io/max-replicas';
/** Annotations of a Deployment that its ReplicaSets do not take over. */
const OWN_ANNOTATIONS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED,
  MAXIMUM,
  'deprecated.deployment.rollback.to',
]);

const revisionOf = (object: Loose): number => Number(object.metadata.annotations?.[REVISION] ?? 0);

function withoutHash(template: Loose): Loose {
  const { [HASH_LABEL]: _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

const sum = (sets: Loose[], read: (set: Loose) => number | undefined): number =>
  sets.reduce((total, set) => total + (read(set) ?? 0), 0);

/** Starts the controller of Deployments. */
export function deploymentController(context: Context): void {
  const { cache, writer, clock, options } = context;

  /** How many more than wanted, and how many fewer, there may be during a rollout. */
  const slack = (deployment: Loose): { surge: number; unavailable: number } => {
    const wanted: number = deployment.spec.replicas;
    if (deployment.spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: wanted };
    const rolling = deployment.spec.strategy?.rollingUpdate ?? {};
    const surge = countOf(rolling.maxSurge, wanted, true);
    const unavailable = countOf(rolling.maxUnavailable, wanted, false);
    return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : Math.min(unavailable, wanted) };
  };

  const scaleSet = async (deployment: Loose, set: Loose, replicas: number): Promise<Loose> => {
    const { surge } = slack(deployment);
    const annotations = {
      ...set.metadata.annotations,
      [DESIRED]: String(deployment.spec.replicas),
      [MAXIMUM]: String(deployment.spec.replicas + surge),
    };
    if (set.spec.replicas === replicas && same(annotations, set.metadata.annotations)) return set;
    return writer.update(REPLICA_SETS, {
      ...set,
      metadata: { ...set.metadata, annotations },
      spec: { ...set.spec, replicas },
    });
  };

  /** The ReplicaSet of the present template; made when there is none, given the next revision when it is an old one. */
  const currentSet = async (deployment: Loose, sets: Loose[]): Promise<Loose> => {
    const { template } = deployment.spec;
    const set = sets.find((one) => same(withoutHash(one.spec.template), withoutHash(template)));
    const others = sets.filter((one) => one !== set);
    const latest = Math.max(0, ...others.map(revisionOf));
    const inherited: Loose = {};
    for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) {
      if (!OWN_ANNOTATIONS.has(name)) inherited[name] = value;
    }
    if (set) {
      const revision = revisionOf(set);
      const annotations: Loose = { ...set.metadata.annotations, ...inherited };
      if (revision <= latest) {
        annotations[REVISION] = String(latest + 1);
        if (revision > 0) {
          const history = annotations[REVISION_HISTORY];
          annotations[REVISION_HISTORY] = history ? `${history},${revision}` : String(revision);
        }
      }
      const minReadySeconds = deployment.spec.minReadySeconds;
      if (same(annotations, set.metadata.annotations) && set.spec.minReadySeconds === minReadySeconds) return set;
      return writer.update(REPLICA_SETS, {
        ...set,
        metadata: { ...set.metadata, annotations },
        spec: { ...set.spec, minReadySeconds },
      });
    }
    const hash = hashName(template);
    const { surge } = slack(deployment);
    const total = sum(sets, (one) => one.spec.replicas);
    const wanted: number = deployment.spec.replicas;
    const replicas =
      deployment.spec.strategy?.type === 'Recreate'
        ? sum(sets, (one) => one.spec.replicas) === 0 && !hasPods(sets)
          ? wanted
          : 0
        : Math.max(0, Math.min(wanted, wanted + surge - total));
    const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
    const collision = deployment.status?.collisionCount;
    return writer.create(REPLICA_SETS, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata.name}-${hash}${collision ? `-${collision}` : ''}`,
        namespace: deployment.metadata.namespace,
        labels,
        annotations: {
          ...inherited,
          [DESIRED]: String(wanted),
          [MAXIMUM]: String(wanted + surge),
          [REVISION]: String(latest + 1),
        },
        ownerReferences: [controllerReference(deployment, 'apps/v1', 'Deployment')],
      },
      spec: {
        replicas: deployment.spec.paused ? 0 : replicas,
        minReadySeconds: deployment.spec.minReadySeconds,
        selector: {
          ...deployment.spec.selector,
          matchLabels: { ...deployment.spec.selector?.matchLabels, [HASH_LABEL]: hash },
        },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    });
  };

  const hasPods = (sets: Loose[]): boolean =>
    sets.some((set) =>
      cache.controlled(PODS, set.metadata.uid).some((pod) => isPodActive(pod) || pod.metadata.deletionTimestamp),
    );

  /** Moves the ReplicaSets one step towards the present template. */
  const roll = async (deployment: Loose, present: Loose, old: Loose[]): Promise<void> => {
    const wanted: number = deployment.spec.replicas;
    const { surge, unavailable } = slack(deployment);
    if (deployment.spec.strategy?.type === 'Recreate') {
      for (const set of old) if (set.spec.replicas > 0) await scaleSet(deployment, set, 0);
      if (!hasPods(old)) await scaleSet(deployment, present, wanted);
      return;
    }
    const total = sum([present, ...old], (set) => set.spec.replicas);
    if (present.spec.replicas > wanted) await scaleSet(deployment, present, wanted);
    else if (present.spec.replicas < wanted) {
      const room = wanted + surge - total;
      await scaleSet(deployment, present, Math.min(wanted, present.spec.replicas + Math.max(0, room)));
    } else await scaleSet(deployment, present, wanted);
    const oldTotal = sum(old, (set) => set.spec.replicas);
    if (oldTotal === 0) return;
    const minimum = wanted - unavailable;
    const notReadyNew = present.spec.replicas - (present.status?.availableReplicas ?? 0);
    let removable = total - minimum - notReadyNew;
    // Pods of old sets that do not work go first, since nothing is lost with them.
    const scaled = new Map<Loose, number>();
    for (const set of [...old].sort((a, b) => revisionOf(a) - revisionOf(b))) {
      const broken = set.spec.replicas - (set.status?.availableReplicas ?? 0);
      const remove = Math.max(0, Math.min(broken, removable));
      if (remove > 0) {
        scaled.set(set, set.spec.replicas - remove);
        removable -= remove;
      }
    }
    const available = sum([present, ...old], (set) => set.status?.availableReplicas);
    let spare = available - minimum;
    for (const set of [...old].sort((a, b) => revisionOf(a) - revisionOf(b))) {
      const has = scaled.get(set) ?? set.spec.replicas;
      const remove = Math.max(0, Math.min(has, spare));
      if (remove > 0) {
        scaled.set(set, has - remove);
        spare -= remove;
      }
    }
    for (const [set, replicas] of scaled) await scaleSet(deployment, set, replicas);
  };

  const rename = async (deployment: Loose, revision: number): Promise<void> => {
    const current = cache.byKey(DEPLOYMENTS, keyOf(deployment));
    if (!current || current.metadata.uid !== deployment.metadata.uid || revisionOf(current) === revision) return;
    const annotations = { ...current.metadata.annotations, [REVISION]: String(revision) };
    await writer.update(DEPLOYMENTS, { ...current, metadata: { ...current.metadata, annotations } });
  };

  /** Deletes ReplicaSets of revisions that are too old to go back to. */
  const forget = async (deployment: Loose, old: Loose[]): Promise<void> => {
    const limit: number = deployment.spec.revisionHistoryLimit ?? 10;
    const empty = old.filter(
      (set) => set.spec.replicas === 0 && !set.status?.replicas && !set.metadata.deletionTimestamp,
    );
    const excess = empty.sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, old.length - limit));
    for (const set of excess) await deleteIfThere(writer, REPLICA_SETS, set);
  };

  interface Numbers {
    replicas: number;
    updated: number;
    ready: number;
    available: number;
    terminating: number;
  }

  const statusOf = (deployment: Loose, numbers: Numbers, setName: string, setIsNew: boolean): Loose => {
    const at = clock.now();
    const now = timestamp(at);
    const wanted: number = deployment.spec.replicas;
    const { unavailable } = slack(deployment);
    const before: Loose = deployment.status ?? {};
    let conditions: Loose[] = before.conditions ?? [];
    const set = (type: string, status: string, reason: string, message: string): void => {
      conditions = withCondition(conditions, { type, status, reason, message }, now, true);
    };
    if (numbers.available >= wanted - unavailable) {
      set('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.');
    } else {
      set('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.');
    }
    const progressing = conditionOf({ status: { conditions } }, 'Progressing');
    const complete =
      numbers.updated === wanted &&
      numbers.replicas === wanted &&
      numbers.available === wanted &&
      !deployment.spec.paused;
    const deadline = deployment.spec.progressDeadlineSeconds as number | undefined;
    if (deployment.spec.paused) {
      if (progressing?.reason !== 'DeploymentPaused' && deadline !== undefined) {
        set('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused');
      }
    } else if (complete) {
      set('Progressing', 'True', 'NewReplicaSetAvailable', `ReplicaSet "${setName}" has successfully progressed.`);
    } else {
      const moved =
        numbers.updated > (before.updatedReplicas ?? 0) ||
        numbers.ready > (before.readyReplicas ?? 0) ||
        numbers.available > (before.availableReplicas ?? 0) ||
        numbers.replicas - numbers.updated < (before.replicas ?? 0) - (before.updatedReplicas ?? 0);
      const finished = progressing?.reason === 'NewReplicaSetAvailable';
      if (setIsNew || !progressing || progressing.reason === 'DeploymentPaused') {
        set('Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set "${setName}"`);
        if (moved) touch();
      } else if (moved || (finished && before.observedGeneration !== deployment.metadata.generation)) {
        set('Progressing', 'True', 'ReplicaSetUpdated', `ReplicaSet "${setName}" is progressing.`);
        touch();
      } else if (!finished && deadline !== undefined && progressing.reason !== 'ProgressDeadlineExceeded') {
        const left = Date.parse(progressing.lastUpdateTime) + deadline * 1000 - at;
        if (left <= 0)
          set('Progressing', 'False', 'ProgressDeadlineExceeded', `ReplicaSet "${setName}" has timed out progressing.`);
        else queue.add(keyOf(deployment), left);
      }
      const current = conditionOf({ status: { conditions } }, 'Progressing');
      if (deadline !== undefined && current?.status === 'True' && current.reason !== 'NewReplicaSetAvailable') {
        queue.add(keyOf(deployment), Math.max(1, Date.parse(current.lastUpdateTime) + deadline * 1000 - at));
      }
    }
    /** The deadline runs from the last progress. */
    function touch(): void {
      conditions = conditions.map((one) => (one.type === 'Progressing' ? { ...one, lastUpdateTime: now } : one));
    }
    return {
      ...before,
      observedGeneration: deployment.metadata.generation,
      replicas: numbers.replicas || undefined,
      updatedReplicas: numbers.updated || undefined,
      readyReplicas: numbers.ready || undefined,
      availableReplicas: numbers.available || undefined,
      unavailableReplicas: Math.max(0, Math.max(wanted, numbers.replicas) - numbers.available) || undefined,
      terminatingReplicas: numbers.terminating,
      conditions,
    };
  };

  const saveStatus = async (deployment: Loose, status: Loose): Promise<void> => {
    const current = cache.byKey(DEPLOYMENTS, keyOf(deployment));
    if (!current || current.metadata.uid !== deployment.metadata.uid || same(status, current.status)) return;
    await writer.update(DEPLOYMENTS, { ...current, status }, 'status');
  };

  /** Without pods: what a Deployment with these images would report. */
  const workStatusOnly = async (deployment: Loose): Promise<void> => {
    const wanted: number = deployment.spec.replicas;
    const { behaviour, delayMs } = podBehaviour(deployment.spec.template.spec);
    const key = keyOf(deployment);
    const since = delayMs > 0 ? (pendingSince.get(key) ?? clock.now()) : 0;
    if (delayMs > 0) pendingSince.set(key, since);
    const left = since + delayMs - clock.now();
    const good = behaviour === 'runs' && !(delayMs > 0 && left > 0) ? wanted : 0;
    if (delayMs > 0 && left > 0) queue.add(key, left);
    const { metadata } = deployment;
    const status = statusOf(
      deployment,
      { replicas: wanted, updated: wanted, ready: good, available: good, terminating: 0 },
      `${metadata.name}-${hashName(deployment.spec.template)}`,
      false,
    );
    await saveStatus(deployment, status);
  };
  /** When a slow Deployment without pods was first seen. */
  const pendingSince = new Map<string, number>();

  const work = async (key: string): Promise<void> => {
    const deployment = cache.byKey(DEPLOYMENTS, key);
    if (!deployment || deployment.metadata.deletionTimestamp) return;
    if (options.workloads === 'status-only') return workStatusOnly(deployment);
    let sets = cache.controlled(REPLICA_SETS, deployment.metadata.uid).filter((set) => !set.metadata.deletionTimestamp);
    const known = new Set(sets.map((set) => set.metadata.uid));
    let present: Loose | undefined;
    if (deployment.spec.paused) {
      present = sets.find((one) => same(withoutHash(one.spec.template), withoutHash(deployment.spec.template)));
      const scaled = present ?? sets.sort((a, b) => revisionOf(b) - revisionOf(a))[0];
      if (scaled && sets.filter((set) => set.spec.replicas > 0).length <= 1)
        await scaleSet(deployment, scaled, deployment.spec.replicas);
    } else {
      try {
        present = await currentSet(deployment, sets);
      } catch (error) {
        if (errorCode(error) === 403) return;
        throw error;
      }
      const old = sets.filter((set) => set.metadata.uid !== present!.metadata.uid);
      await roll(deployment, present, old);
      await rename(deployment, revisionOf(present));
    }
    sets = cache.controlled(REPLICA_SETS, deployment.metadata.uid).filter((set) => !set.metadata.deletionTimestamp);
    const now = present && sets.find((set) => set.metadata.uid === present.metadata.uid);
    const current = cache.byKey(DEPLOYMENTS, key);
    if (!current || current.metadata.uid !== deployment.metadata.uid) return;
    const numbers = {
      replicas: sum(sets, (set) => set.status?.replicas),
      updated: now?.status?.replicas ?? 0,
      ready: sum(sets, (set) => set.status?.readyReplicas),
      available: sum(sets, (set) => set.status?.availableReplicas),
      terminating: sum(sets, (set) => set.status?.terminatingReplicas),
    };
    const setIsNew = present !== undefined && !known.has(present.metadata.uid);
    await saveStatus(deployment, statusOf(current, numbers, present?.metadata.name ?? '', setIsNew));
    if (numbers.updated === deployment.spec.replicas && numbers.replicas === numbers.updated) {
      await forget(
        deployment,
        sets.filter((set) => set !== now),
      );
    }
  };
  const queue = context.queue('deployments', work);

  cache.watch(DEPLOYMENTS, ({ type, object, before }) => {
    const key = keyOf(object);
    if (type === 'gone') {
      pendingSince.delete(key);
      return;
    }
    if (!before || before.metadata.generation !== object.metadata.generation) {
      pendingSince.delete(key);
      if (!before && options.workloads === 'pods') adopt(object);
      queue.add(key);
    }
  });
  if (options.workloads === 'pods') {
    cache.watch(REPLICA_SETS, ({ object, before, type }) => {
      const owner = controllerOf(object) ?? (before && controllerOf(before));
      if (owner?.kind !== 'Deployment') return;
      // A set that was just made or scaled is known to the one that did it.
      if (type === 'set' && before && same(before.status, object.status)) return;
      if (type === 'set' && !before) return;
      queue.add(`${object.metadata.namespace}/${owner.name}`, options.batchMs);
    });
    cache.watch(PODS, ({ type, object }) => {
      if (type !== 'gone' || controllerOf(object)?.kind !== 'ReplicaSet') return;
      const set = cache.get(REPLICA_SETS, object.metadata.namespace, controllerOf(object)!.name);
      const owner = set && controllerOf(set);
      if (owner?.kind === 'Deployment') queue.add(`${object.metadata.namespace}/${owner.name}`, options.batchMs);
    });
  }

  /** Takes over ReplicaSets that a deletion has left behind. */
  function adopt(deployment: Loose): void {
    for (const set of cache.list(REPLICA_SETS, deployment.metadata.namespace)) {
      if (
        controllerOf(set) ||
        set.metadata.deletionTimestamp ||
        !selects(deployment.spec.selector, set.metadata.labels)
      )
        continue;
      const ownerReferences = [
        ...(set.metadata.ownerReferences ?? []),
        controllerReference(deployment, 'apps/v1', 'Deployment'),
      ];
      void writer
        .update(REPLICA_SETS, { ...set, metadata: { ...set.metadata, ownerReferences } })
        .then(() => queue.add(keyOf(deployment)))
        .catch(() => queue.add(keyOf(deployment), 100));
    }
  }
}
