/** Pods: placed on a simulated node, started, ended and taken away, as a scheduler and a kubelet would. */
import type { Loose } from '../types/loose.ts';
import { duration, type ImageBehaviour, podBehaviour } from './images.ts';
import { type Context, conditionOf, controllerOf, deleteIfThere, keyOf, selects, timestamp } from './kit.ts';

/** Annotations of pods (set them in a Job's template) that steer the simulation. */
export const ANNOTATIONS = {
  /** How long the containers of a Job's pod run, e.g. `3s`. */
  runFor: 'devcluster.lateen.dev/run-for',
  /** Exit code of the containers of a Job's pod; not zero: it fails. */
  exitCode: 'devcluster.lateen.dev/exit-code',
  /** On a Job: how many of its pods fail before one succeeds. */
  failTimes: 'devcluster.lateen.dev/fail-times',
} as const;

const PODS = 'v1/pods';
const NODES = 'v1/nodes';
const CRASH_RESTARTS = { firstMs: 10_000, lastMs: 300_000 };

const labelsOf = (node: Loose): Loose => node.metadata.labels ?? {};

/** Whether a node selector term (of required node affinity) takes the node. */
function termTakes(term: Loose, node: Loose): boolean {
  const expressions = (term.matchExpressions as Loose[] | undefined) ?? [];
  const fields = (term.matchFields as Loose[] | undefined) ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    selects({ matchExpressions: expressions }, labelsOf(node)) &&
    selects({ matchExpressions: fields }, { 'metadata.name': node.metadata.name })
  );
}

const tolerates = (tolerations: Loose[] | undefined, taint: Loose): boolean =>
  (tolerations ?? []).some(
    (one) =>
      (!one.effect || one.effect === taint.effect) &&
      (one.operator === 'Exists'
        ? !one.key || one.key === taint.key
        : one.key === taint.key && (one.value ?? '') === (taint.value ?? '')),
  );

/** Whether a pod with this spec may run on the node. */
export function nodeTakes(spec: Loose, node: Loose): boolean {
  const wanted = spec.nodeSelector as Loose | undefined;
  for (const key in wanted) if (labelsOf(node)[key] !== wanted[key]) return false;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms as
    | Loose[]
    | undefined;
  if (terms && !terms.some((term) => termTakes(term, node))) return false;
  const taints = ((node.spec?.taints as Loose[] | undefined) ?? []).filter(
    (taint) => taint.effect !== 'PreferNoSchedule',
  );
  if (node.spec?.unschedulable) taints.push({ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
  return taints.every((taint) => tolerates(spec.tolerations, taint));
}

function condition(type: string, status: 'True' | 'False', at: string, reason?: string, message?: string): Loose {
  return {
    type,
    status,
    lastProbeTime: null,
    lastTransitionTime: at,
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
  };
}

const restartsOf = (pod: Loose): number => pod.status?.containerStatuses?.[0]?.restartCount ?? 0;

const isTask = (pod: Loose): boolean => controllerOf(pod)?.kind === 'Job' && pod.spec.restartPolicy !== 'Always';

/** Starts the simulation of pods. */
export function podController(context: Context): void {
  const { cache, writer, clock, options } = context;
  let turn = 0;
  let address = 1;

  const nextAddress = (): string => {
    address = (address % 65_000) + 1;
    return `10.244.${address >> 8}.${address & 0xff}`;
  };

  /** Status of each container in one state. */
  const containers = (list: Loose[] | undefined, at: (container: Loose) => Loose): Loose[] | undefined =>
    list?.map((container) => ({
      name: container.name,
      image: container.image,
      imageID: '',
      restartCount: 0,
      ready: false,
      started: false,
      lastState: {},
      ...at(container),
    }));

  const conditions = (pod: Loose, ready: boolean, now: string, reason?: string, message?: string): Loose[] => {
    const scheduled = conditionOf(pod, 'PodScheduled')?.lastTransitionTime ?? now;
    return [
      condition('PodReadyToStartContainers', 'True', now),
      condition('Initialized', 'True', now),
      condition('Ready', ready ? 'True' : 'False', now, reason, message),
      condition('ContainersReady', ready ? 'True' : 'False', now, reason, message),
      condition('PodScheduled', 'True', scheduled),
    ];
  };

  const unready = (pod: Loose): string =>
    `containers with unready status: [${(pod.spec.containers as Loose[]).map((one) => one.name).join(' ')}]`;

  const initStatuses = (pod: Loose, now: string): Loose[] | undefined =>
    containers(pod.spec.initContainers, (container) =>
      container.restartPolicy === 'Always'
        ? { ready: true, started: true, state: { running: { startedAt: now } } }
        : { ready: true, state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } } },
    );

  /** Status of a pod whose containers have just started, or do not start. */
  const started = (pod: Loose, image: ImageBehaviour, now: string): Loose => {
    // What a Job runs crashes when its time is over.
    const behaviour = image.behaviour === 'crashes' && isTask(pod) ? 'runs' : image.behaviour;
    const base = {
      ...pod.status,
      phase: 'Running',
      startTime: pod.status?.startTime ?? now,
      initContainerStatuses: initStatuses(pod, now),
    };
    const running = { started: true, state: { running: { startedAt: now } } };
    switch (behaviour) {
      case 'runs':
        return {
          ...base,
          conditions: conditions(pod, true, now),
          containerStatuses: containers(pod.spec.containers, () => ({ ...running, ready: true })),
        };
      case 'never-ready':
        return {
          ...base,
          conditions: conditions(pod, false, now, 'ContainersNotReady', unready(pod)),
          containerStatuses: containers(pod.spec.containers, () => running),
        };
      case 'crashes': {
        const restartCount = restartsOf(pod) + 1;
        return {
          ...base,
          conditions: conditions(pod, false, now, 'ContainersNotReady', unready(pod)),
          containerStatuses: containers(pod.spec.containers, (container) => ({
            restartCount,
            state: {
              waiting: {
                reason: 'CrashLoopBackOff',
                message: `back-off restarting failed container ${container.name} in pod ${pod.metadata.name}`,
              },
            },
            lastState: { terminated: { exitCode: 1, reason: 'Error', startedAt: now, finishedAt: now } },
          })),
        };
      }
      case 'cannot-be-pulled':
        return {
          ...base,
          phase: 'Pending',
          initContainerStatuses: undefined,
          conditions: conditions(pod, false, now, 'ContainersNotReady', unready(pod)),
          containerStatuses: containers(pod.spec.containers, (container) => ({
            state: { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${container.image}"` } },
          })),
        };
    }
  };

  /** Status of a Job's pod whose containers have ended. */
  const ended = (pod: Loose, exitCode: number, now: string): Loose => {
    const good = exitCode === 0;
    const reason = good ? 'PodCompleted' : 'PodFailed';
    const startedAt = pod.status?.startTime ?? now;
    return {
      ...pod.status,
      phase: good ? 'Succeeded' : 'Failed',
      conditions: conditions(pod, false, now, reason),
      containerStatuses: containers(pod.spec.containers, () => ({
        restartCount: restartsOf(pod),
        state: { terminated: { exitCode, reason: good ? 'Completed' : 'Error', startedAt, finishedAt: now } },
      })),
    };
  };

  const save = (pod: Loose, status: Loose, spec: Loose = pod.spec): Promise<Loose> =>
    writer.update(PODS, { ...pod, spec, status }, 'simulation');

  const schedule = async (pod: Loose, now: string): Promise<void> => {
    if (pod.spec.schedulingGates?.length) return;
    const nodes = [...cache.list(NODES)];
    const fitting = nodes.filter((node) => nodeTakes(pod.spec, node));
    if (fitting.length === 0) {
      const message = `0/${nodes.length} nodes are available: ${nodes.length} node(s) didn't match Pod's node affinity/selector.`;
      if (conditionOf(pod, 'PodScheduled')?.message === message) return;
      await save(pod, {
        ...pod.status,
        phase: 'Pending',
        conditions: [condition('PodScheduled', 'False', now, 'Unschedulable', message)],
      });
      return;
    }
    const node = fitting[turn++ % fitting.length]!;
    const hostIP =
      (node.status?.addresses as Loose[] | undefined)?.find((one) => one.type === 'InternalIP')?.address ?? '127.0.0.1';
    const podIP = pod.spec.hostNetwork ? hostIP : nextAddress();
    const behaviour = podBehaviour(pod.spec);
    const placed = {
      ...pod,
      spec: { ...pod.spec, nodeName: node.metadata.name },
      status: {
        ...pod.status,
        hostIP,
        hostIPs: [{ ip: hostIP }],
        podIP,
        podIPs: [{ ip: podIP }],
        conditions: [condition('PodScheduled', 'True', now)],
      },
    };
    // Placing and starting are one write, but for containers that take their time to start.
    if (behaviour.delayMs === 0) {
      await save(placed, started(placed, behaviour, now));
      return;
    }
    await save(placed, {
      ...placed.status,
      phase: 'Pending',
      startTime: now,
      conditions: [
        condition('PodReadyToStartContainers', 'False', now),
        condition('Initialized', 'True', now),
        condition('Ready', 'False', now, 'ContainersNotReady', unready(pod)),
        condition('ContainersReady', 'False', now, 'ContainersNotReady', unready(pod)),
        condition('PodScheduled', 'True', now),
      ],
      containerStatuses: containers(pod.spec.containers, () => ({
        state: { waiting: { reason: 'ContainerCreating' } },
      })),
    });
    queue.add(keyOf(pod), behaviour.delayMs);
  };

  const work = async (key: string): Promise<void> => {
    const pod = cache.byKey(PODS, key);
    if (!pod) return;
    if (pod.metadata.deletionTimestamp) {
      await deleteIfThere(writer, PODS, pod, { gracePeriodSeconds: 0 });
      return;
    }
    const phase = pod.status?.phase ?? 'Pending';
    if (phase === 'Succeeded' || phase === 'Failed') return;
    const now = timestamp(clock.now());
    if (!pod.spec.nodeName) return schedule(pod, now);
    const first = pod.status?.containerStatuses?.[0] as Loose | undefined;
    const behaviour = podBehaviour(pod.spec);
    if (!first || first.state?.waiting?.reason === 'ContainerCreating') {
      if (first && behaviour.delayMs > 0) {
        const left = Date.parse(pod.status.startTime) + behaviour.delayMs - clock.now();
        if (left > 0) return queue.add(key, left);
      }
      const podIP = pod.status?.podIP ?? nextAddress();
      const withAddress = { ...pod, status: { ...pod.status, podIP, podIPs: [{ ip: podIP }] } };
      await save(pod, started(withAddress, behaviour, now));
      return;
    }
    if (isTask(pod)) {
      if (behaviour.behaviour === 'cannot-be-pulled') return;
      const annotations = pod.metadata.annotations ?? {};
      const runMs = duration(annotations[ANNOTATIONS.runFor] ?? '') ?? options.jobRunMs;
      const since = Date.parse(first.state?.running?.startedAt ?? pod.status.startTime);
      const left = since + runMs - clock.now();
      // Times in objects are whole seconds: short runs count from when the pod was first seen to run.
      if (runMs >= 1000 ? left > 0 : !seenRunning.has(pod.metadata.uid)) {
        seenRunning.add(pod.metadata.uid);
        return queue.add(key, runMs >= 1000 ? left : runMs);
      }
      seenRunning.delete(pod.metadata.uid);
      const exitCode = behaviour.behaviour === 'crashes' ? 1 : Number(annotations[ANNOTATIONS.exitCode] ?? 0);
      if (exitCode !== 0 && pod.spec.restartPolicy === 'OnFailure') {
        const restartCount = restartsOf(pod) + 1;
        const running = { restartCount, started: true, ready: true, state: { running: { startedAt: now } } };
        await save(pod, {
          ...pod.status,
          containerStatuses: containers(pod.spec.containers, () => ({
            ...running,
            lastState: { terminated: { exitCode, reason: 'Error', startedAt: now, finishedAt: now } },
          })),
        });
        return;
      }
      await save(pod, ended(pod, exitCode, now));
      return;
    }
    if (behaviour.behaviour === 'crashes') {
      const restarts = restartsOf(pod);
      const wait = Math.min(CRASH_RESTARTS.lastMs, CRASH_RESTARTS.firstMs * 2 ** Math.max(0, restarts - 1));
      const last = Date.parse(first.lastState?.terminated?.finishedAt ?? now);
      const left = last + wait - clock.now();
      if (left > 0) return queue.add(key, left);
      await save(pod, started(pod, behaviour, now));
    }
  };
  const seenRunning = new Set<string>();
  const queue = context.queue('pods', work);

  cache.watch(PODS, ({ type, object, before }) => {
    if (type === 'gone') {
      seenRunning.delete(object.metadata.uid);
      return;
    }
    if (object.metadata.deletionTimestamp) {
      if (!before?.metadata.deletionTimestamp) queue.add(keyOf(object), 5);
      return;
    }
    queue.add(keyOf(object), before ? 0 : options.podStartMs);
  });
  cache.watch(NODES, ({ type }) => {
    if (type !== 'set') return;
    for (const pod of cache.list(PODS)) if (!pod.spec.nodeName) queue.add(keyOf(pod));
  });
}
