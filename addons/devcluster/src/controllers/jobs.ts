/** Jobs: pods that run to their end, as many as asked for, with retries. */
import { type Loose, same } from '../types/loose.ts';
import { podBehaviour } from './images.ts';
import {
  type Context,
  conditionOf,
  controllerOf,
  deleteIfThere,
  errorCode,
  isPodReady,
  keyOf,
  randomSuffix,
  timestamp,
} from './kit.ts';
import { ANNOTATIONS } from './pods.ts';
import { podOf } from './replicasets.ts';

export const JOBS = 'batch/v1/jobs';
const PODS = 'v1/pods';
const INDEX = 'batch.kubernetes.io/job-completion-index';

/** Indexes as text, e.g. `0-2,5`. */
function indexText(indexes: number[]): string {
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    parts.push(
      end === i ? `${sorted[i]}` : end === i + 1 ? `${sorted[i]},${sorted[end]}` : `${sorted[i]}-${sorted[end]}`,
    );
    i = end + 1;
  }
  return parts.join(',');
}

/** Whether a Job has ended, well or badly. */
export const isJobFinished = (job: Loose): boolean =>
  conditionOf(job, 'Complete')?.status === 'True' || conditionOf(job, 'Failed')?.status === 'True';

/** Starts the controller of Jobs. */
export function jobController(context: Context): void {
  const { cache, writer, clock, options } = context;

  const saveStatus = async (job: Loose, status: Loose): Promise<void> => {
    const current = cache.byKey(JOBS, keyOf(job));
    if (!current || current.metadata.uid !== job.metadata.uid || same(status, current.status)) return;
    await writer.update(JOBS, { ...current, status }, 'status');
  };

  const plainCondition = (type: string, status: 'True' | 'False', reason: string, message: string): Loose => {
    const now = timestamp(clock.now());
    return { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
  };

  const setCondition = (conditions: Loose[], next: Loose): Loose[] => {
    const at = conditions.findIndex((one) => one.type === next.type);
    if (at < 0) return [...conditions, next];
    return conditions[at]!.status === next.status ? conditions : conditions.with(at, next);
  };

  /** Takes a finished Job away when its time is over. */
  const expire = async (job: Loose): Promise<void> => {
    const seconds = job.spec.ttlSecondsAfterFinished as number | undefined;
    if (seconds === undefined) return;
    const ended = Date.parse(
      job.status.completionTime ?? conditionOf(job, 'Failed')?.lastTransitionTime ?? timestamp(clock.now()),
    );
    const left = ended + seconds * 1000 - clock.now();
    if (left > 0) queue.add(keyOf(job), left);
    else await deleteIfThere(writer, JOBS, job, { propagationPolicy: 'Foreground' });
  };

  const workStatusOnly = async (job: Loose): Promise<void> => {
    const key = keyOf(job);
    const started = startedAt.get(key);
    if (started === undefined) {
      startedAt.set(key, clock.now());
      const active = Math.min(job.spec.parallelism ?? 1, job.spec.completions ?? job.spec.parallelism ?? 1);
      await saveStatus(job, {
        ...job.status,
        startTime: timestamp(clock.now()),
        active,
        ready: active,
        terminating: 0,
        uncountedTerminatedPods: {},
      });
      queue.add(key, options.jobRunMs);
      return;
    }
    const { behaviour } = podBehaviour(job.spec.template.spec);
    if (behaviour === 'cannot-be-pulled') return deadline(job);
    if (behaviour === 'crashes') {
      await finish(
        job,
        { failed: (job.spec.backoffLimit ?? 6) + 1 },
        'BackoffLimitExceeded',
        'Job has reached the specified backoff limit',
      );
    } else await finish(job, { succeeded: job.spec.completions ?? job.spec.parallelism ?? 1 });
    startedAt.delete(key);
  };
  const startedAt = new Map<string, number>();

  /** Ends a Job whose time is over. */
  const deadline = async (job: Loose): Promise<void> => {
    const seconds = job.spec.activeDeadlineSeconds as number | undefined;
    if (seconds === undefined || !job.status?.startTime) return;
    const left = Date.parse(job.status.startTime) + seconds * 1000 - clock.now();
    if (left > 0) queue.add(keyOf(job), left);
    else await finish(job, {}, 'DeadlineExceeded', 'Job was active longer than specified deadline');
  };

  /** Writes the end of a Job. With a reason it has failed. */
  const finish = async (
    job: Loose,
    numbers: { succeeded?: number; failed?: number },
    reason?: string,
    message = '',
  ): Promise<void> => {
    const { active: _active, ...rest } = job.status ?? {};
    let conditions: Loose[] = rest.conditions ?? [];
    if (reason) {
      conditions = setCondition(conditions, plainCondition('FailureTarget', 'True', reason, message));
      conditions = setCondition(conditions, plainCondition('Failed', 'True', reason, message));
    } else {
      const text = 'Reached expected number of succeeded pods';
      conditions = setCondition(conditions, plainCondition('SuccessCriteriaMet', 'True', 'CompletionsReached', text));
      conditions = setCondition(conditions, plainCondition('Complete', 'True', 'CompletionsReached', text));
    }
    await saveStatus(job, {
      ...rest,
      ...numbers,
      startTime: rest.startTime ?? timestamp(clock.now()),
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
      conditions,
      ...(reason ? {} : { completionTime: timestamp(clock.now()) }),
    });
  };

  const work = async (key: string): Promise<void> => {
    const job = cache.byKey(JOBS, key);
    if (!job || job.metadata.deletionTimestamp) return;
    if (isJobFinished(job)) {
      for (const pod of cache.controlled(PODS, job.metadata.uid)) {
        if (pod.status?.phase === 'Pending' || pod.status?.phase === 'Running') await deleteIfThere(writer, PODS, pod);
      }
      return expire(job);
    }
    const now = timestamp(clock.now());
    let conditions: Loose[] = job.status?.conditions ?? [];
    if (job.spec.suspend) {
      for (const pod of cache.controlled(PODS, job.metadata.uid)) {
        if (pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') await deleteIfThere(writer, PODS, pod);
      }
      conditions = setCondition(conditions, plainCondition('Suspended', 'True', 'JobSuspended', 'Job suspended'));
      const { active: _active, startTime: _start, ...rest } = job.status ?? {};
      await saveStatus(job, { ...rest, ready: 0, terminating: 0, uncountedTerminatedPods: {}, conditions });
      return;
    }
    if (conditionOf(job, 'Suspended')?.status === 'True') {
      conditions = setCondition(conditions, plainCondition('Suspended', 'False', 'JobResumed', 'Job resumed'));
    }
    if (options.workloads === 'status-only')
      return workStatusOnly(
        conditions === job.status?.conditions ? job : { ...job, status: { ...job.status, conditions } },
      );

    const pods = cache.controlled(PODS, job.metadata.uid);
    const ended = (phase: string): Loose[] => pods.filter((pod) => pod.status?.phase === phase);
    const succeeded = ended('Succeeded');
    const failed = ended('Failed');
    const active = pods.filter(
      (pod) => !pod.metadata.deletionTimestamp && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed',
    );
    const completions = job.spec.completions as number | undefined;
    const parallelism: number = job.spec.parallelism ?? 1;
    const indexed = job.spec.completionMode === 'Indexed';
    const indexOf = (pod: Loose): number => Number(pod.metadata.annotations?.[INDEX] ?? -1);
    const done = indexed ? new Set(succeeded.map(indexOf)).size : succeeded.length;
    const restarts = active.reduce((total, pod) => total + (pod.status?.containerStatuses?.[0]?.restartCount ?? 0), 0);
    const status: Loose = {
      ...job.status,
      startTime: job.status?.startTime ?? now,
      succeeded: done || undefined,
      failed: failed.length || undefined,
      active: active.length || undefined,
      ready: active.filter(isPodReady).length,
      terminating: pods.filter(
        (pod) => pod.metadata.deletionTimestamp && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed',
      ).length,
      uncountedTerminatedPods: {},
      ...(conditions.length > 0 ? { conditions } : {}),
      ...(indexed && done > 0 ? { completedIndexes: indexText(succeeded.map(indexOf)) } : {}),
    };
    if (completions === undefined ? succeeded.length > 0 && active.length === 0 : done >= completions) {
      for (const pod of active) await deleteIfThere(writer, PODS, pod);
      await finish({ ...job, status }, { succeeded: done });
      return;
    }
    if (failed.length + restarts > (job.spec.backoffLimit ?? 6)) {
      for (const pod of active) await deleteIfThere(writer, PODS, pod);
      await finish({ ...job, status }, {}, 'BackoffLimitExceeded', 'Job has reached the specified backoff limit');
      return;
    }
    const seconds = job.spec.activeDeadlineSeconds as number | undefined;
    if (seconds !== undefined) {
      const left = Date.parse(status.startTime) + seconds * 1000 - clock.now();
      if (left <= 0) {
        for (const pod of active) await deleteIfThere(writer, PODS, pod);
        await finish({ ...job, status }, {}, 'DeadlineExceeded', 'Job was active longer than specified deadline');
        return;
      }
      queue.add(key, left);
    }
    const wanted =
      completions === undefined
        ? succeeded.length > 0
          ? active.length
          : parallelism
        : Math.min(parallelism, completions - done);
    const taken = new Set([...active, ...succeeded].map(indexOf));
    let failuresLeft = Number(job.metadata.annotations?.[ANNOTATIONS.failTimes] ?? 0) - failed.length;
    const created: Loose[] = [];
    try {
      for (let i = active.length; i < wanted; i++) {
        const annotations: Loose = {};
        const labels: Loose = {};
        let name = `${job.metadata.name}-`;
        if (indexed) {
          let index = 0;
          while (taken.has(index)) index++;
          taken.add(index);
          annotations[INDEX] = String(index);
          labels[INDEX] = String(index);
          name += `${index}-`;
        }
        if (failuresLeft-- > 0) annotations[ANNOTATIONS.exitCode] = '1';
        created.push(
          await writer.create(
            PODS,
            podOf(job, 'batch/v1', 'Job', job.spec.template, `${name}${randomSuffix(clock)}`, { labels, annotations }),
          ),
        );
      }
    } catch (error) {
      if (errorCode(error) === 403) return;
      throw error;
    }
    for (const pod of active.slice(wanted)) await deleteIfThere(writer, PODS, pod);
    const count = Math.min(active.length, wanted) + created.length;
    await saveStatus(job, { ...status, active: count || undefined });
  };
  const queue = context.queue('jobs', work);

  cache.watch(JOBS, ({ type, object, before }) => {
    if (type === 'gone') {
      startedAt.delete(keyOf(object));
      return;
    }
    if (
      !before ||
      before.metadata.generation !== object.metadata.generation ||
      isJobFinished(object) !== isJobFinished(before)
    ) {
      queue.add(keyOf(object));
    }
  });
  cache.watch(PODS, ({ object, before }) => {
    const owner = controllerOf(object) ?? (before && controllerOf(before));
    if (owner?.kind === 'Job') queue.add(`${object.metadata.namespace}/${owner.name}`, options.batchMs);
  });
}
