/** DaemonSets: one pod on every node that takes it. */
import { type Loose, same } from '../types/loose.ts';
import { podBehaviour } from './images.ts';
import {
  type Context,
  controllerOf,
  countOf,
  deleteIfThere,
  errorCode,
  keyOf,
  randomSuffix,
  untilAvailable,
} from './kit.ts';
import { nodeTakes } from './pods.ts';
import { podOf } from './replicasets.ts';
import { forgetRevisions, presentRevision, REVISIONS } from './revisions.ts';

export const DAEMON_SETS = 'apps/v1/daemonsets';
const PODS = 'v1/pods';
const NODES = 'v1/nodes';
const HASH_LABEL = 'controller-revision-hash';

/** What every daemon's pod puts up with. */
const TOLERATIONS = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
].map(([key, effect]) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect }));

/** The spec of a daemon's pod: bound to its node by affinity, as the scheduler wants it. */
function boundTo(spec: Loose, node: string): Loose {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] };
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms as
    | Loose[]
    | undefined;
  return {
    ...spec,
    affinity: {
      ...spec.affinity,
      nodeAffinity: {
        ...spec.affinity?.nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: (terms ?? [{}]).map((one) => ({ ...one, ...term })),
        },
      },
    },
    tolerations: [...(spec.tolerations ?? []), ...TOLERATIONS],
  };
}

const nodeOf = (pod: Loose): string =>
  pod.spec.nodeName ??
  pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.[0]
    ?.matchFields?.[0]?.values?.[0] ??
  '';

/** Starts the controller of DaemonSets. */
export function daemonSetController(context: Context): void {
  const { cache, writer, clock, options } = context;

  const suitable = (set: Loose): string[] =>
    [...cache.list(NODES)]
      .filter((node) =>
        nodeTakes(
          { ...set.spec.template.spec, tolerations: [...(set.spec.template.spec.tolerations ?? []), ...TOLERATIONS] },
          node,
        ),
      )
      .map((node) => node.metadata.name);

  const saveStatus = async (set: Loose, status: Loose): Promise<void> => {
    const current = cache.byKey(DAEMON_SETS, keyOf(set));
    if (!current || current.metadata.uid !== set.metadata.uid || same(status, current.status)) return;
    await writer.update(DAEMON_SETS, { ...current, status }, 'status');
  };

  const workStatusOnly = async (set: Loose): Promise<void> => {
    const wanted = suitable(set).length;
    const good = podBehaviour(set.spec.template.spec).behaviour === 'runs' ? wanted : 0;
    await saveStatus(set, {
      ...set.status,
      currentNumberScheduled: wanted,
      desiredNumberScheduled: wanted,
      numberAvailable: good || undefined,
      numberMisscheduled: 0,
      numberReady: good,
      numberUnavailable: wanted - good || undefined,
      observedGeneration: set.metadata.generation,
      updatedNumberScheduled: wanted || undefined,
    });
  };

  const work = async (key: string): Promise<void> => {
    const set = cache.byKey(DAEMON_SETS, key);
    if (!set || set.metadata.deletionTimestamp) return;
    if (options.workloads === 'status-only') return workStatusOnly(set);
    const history = await presentRevision(context, set, 'DaemonSet');
    const hash: string = history.current.metadata.labels['controller.kubernetes.io/hash'];
    const nodes = suitable(set);
    const minReady: number = set.spec.minReadySeconds ?? 0;
    const alive = (): Loose[] =>
      cache.controlled(PODS, set.metadata.uid).filter((pod) => !pod.metadata.deletionTimestamp);
    const now = clock.now();
    const available = (pod: Loose): boolean => untilAvailable(pod, minReady, now) === 0;
    const present = (pod: Loose): boolean => pod.metadata.labels?.[HASH_LABEL] === hash;
    const perNode = new Map<string, Loose[]>(nodes.map((node) => [node, []]));
    for (const pod of alive()) {
      const list = perNode.get(nodeOf(pod));
      if (!list || pod.status?.phase === 'Failed') await deleteIfThere(writer, PODS, pod);
      else list.push(pod);
    }
    try {
      for (const [node, pods] of perNode) {
        if (pods.length > 0) continue;
        const pod = podOf(
          set,
          'apps/v1',
          'DaemonSet',
          set.spec.template,
          `${set.metadata.name}-${randomSuffix(clock)}`,
          {
            labels: {
              [HASH_LABEL]: hash,
              'pod-template-generation': set.metadata.annotations?.['deprecated.daemonset.template.generation'] ?? '1',
            },
          },
        );
        await writer.create(PODS, { ...pod, spec: boundTo(pod.spec, node) });
      }
    } catch (error) {
      if (errorCode(error) === 403) return;
      throw error;
    }
    if (set.spec.updateStrategy?.type !== 'OnDelete') {
      const limit = Math.max(
        1,
        countOf(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, nodes.length, true),
      );
      let missing = nodes.length - alive().filter(available).length;
      for (const pods of perNode.values()) {
        for (const pod of pods) {
          if (present(pod)) continue;
          if (!available(pod)) await deleteIfThere(writer, PODS, pod);
          else if (missing < limit) {
            await deleteIfThere(writer, PODS, pod);
            missing++;
          }
        }
      }
    }
    const pods = alive();
    const ready = pods.filter((pod) => untilAvailable(pod, minReady, now) !== undefined).length;
    const good = pods.filter(available).length;
    const waits = pods.map((pod) => untilAvailable(pod, minReady, now) ?? 0).filter((wait) => wait > 0);
    if (waits.length > 0) queue.add(key, Math.min(...waits));
    await saveStatus(set, {
      ...set.status,
      currentNumberScheduled: pods.length,
      desiredNumberScheduled: nodes.length,
      numberAvailable: good || undefined,
      numberMisscheduled: 0,
      numberReady: ready,
      numberUnavailable: nodes.length - good || undefined,
      observedGeneration: set.metadata.generation,
      updatedNumberScheduled: pods.filter(present).length || undefined,
    });
    if (good === nodes.length) await forgetRevisions(context, set, history, new Set());
  };
  const queue = context.queue('daemonsets', work);

  cache.watch(REVISIONS, () => undefined);
  cache.watch(DAEMON_SETS, ({ type, object, before }) => {
    if (type === 'set' && (!before || before.metadata.generation !== object.metadata.generation))
      queue.add(keyOf(object));
  });
  cache.watch(PODS, ({ object, before }) => {
    const owner = controllerOf(object) ?? (before && controllerOf(before));
    if (owner?.kind === 'DaemonSet') queue.add(`${object.metadata.namespace}/${owner.name}`, options.batchMs);
  });
  cache.watch(NODES, ({ before, object, type }) => {
    if (
      type === 'set' &&
      before &&
      same(before.spec, object.spec) &&
      same(before.metadata.labels, object.metadata.labels)
    )
      return;
    for (const set of cache.list(DAEMON_SETS)) queue.add(keyOf(set), options.batchMs);
  });
}
