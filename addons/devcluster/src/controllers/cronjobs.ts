/** CronJobs: a Job at each time of their schedule. */
import { type Loose, same } from '../types/loose.ts';
import { isJobFinished, JOBS } from './jobs.ts';
import {
  type Context,
  conditionOf,
  controllerOf,
  controllerReference,
  deleteIfThere,
  errorCode,
  keyOf,
  timestamp,
} from './kit.ts';
import { parseSchedule, type Schedule } from './schedule.ts';

export const CRON_JOBS = 'batch/v1/cronjobs';
/** A timer runs at most this long, so that a changed clock is noticed. */
const LONGEST_WAIT_MS = 60 * 60 * 1000;

/** Starts the controller of CronJobs. */
export function cronJobController(context: Context): void {
  const { cache, writer, clock } = context;

  const jobOf = (cron: Loose, at: number): Loose => {
    const { metadata, spec } = cron.spec.jobTemplate;
    return {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        ...metadata,
        name: `${cron.metadata.name}-${Math.floor(at / 60_000)}`,
        namespace: cron.metadata.namespace,
        annotations: { ...metadata?.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': timestamp(at) },
        ownerReferences: [controllerReference(cron, 'batch/v1', 'CronJob')],
      },
      spec,
    };
  };

  const work = async (key: string): Promise<void> => {
    const cron = cache.byKey(CRON_JOBS, key);
    if (!cron || cron.metadata.deletionTimestamp) return;
    const jobs = cache.controlled(JOBS, cron.metadata.uid);
    const reference = (job: Loose): Loose => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      name: job.metadata.name,
      namespace: job.metadata.namespace,
      uid: job.metadata.uid,
      resourceVersion: job.metadata.resourceVersion,
    });
    let running = jobs.filter((job) => !isJobFinished(job));
    const status: Loose = { ...cron.status };
    for (const job of jobs) {
      const time = job.status?.completionTime as string | undefined;
      if (conditionOf(job, 'Complete')?.status === 'True' && time && time > (status.lastSuccessfulTime ?? ''))
        status.lastSuccessfulTime = time;
    }
    const now = clock.now();
    let schedule: Schedule | undefined;
    try {
      schedule = parseSchedule(cron.spec.schedule, cron.spec.timeZone);
    } catch {
      // Validation lets none of these in; one that came in otherwise never runs.
    }
    if (schedule && !cron.spec.suspend) {
      let since = Date.parse(status.lastScheduleTime ?? cron.metadata.creationTimestamp);
      if (cron.spec.startingDeadlineSeconds != null)
        since = Math.max(since, now - cron.spec.startingDeadlineSeconds * 1000);
      // Of the times that were missed, only the last counts.
      let due: number | undefined;
      for (let at = schedule.next(since), i = 0; at !== undefined && at <= now && i < 100; at = schedule.next(at), i++)
        due = at;
      if (due !== undefined) {
        const policy: string = cron.spec.concurrencyPolicy;
        if (policy === 'Replace') {
          for (const job of running) await deleteIfThere(writer, JOBS, job, { propagationPolicy: 'Background' });
          running = [];
        }
        if (policy !== 'Forbid' || running.length === 0) {
          try {
            running = [...running, await writer.create(JOBS, jobOf(cron, due))];
          } catch (error) {
            if (errorCode(error) !== 409 && errorCode(error) !== 403) throw error;
          }
          status.lastScheduleTime = timestamp(due);
        }
      }
      const next = schedule.next(now);
      if (next !== undefined) queue.add(key, Math.min(LONGEST_WAIT_MS, next - now));
    }
    status.active = running.length > 0 ? running.map(reference) : undefined;
    for (const [type, limit] of [
      ['Complete', cron.spec.successfulJobsHistoryLimit ?? 3],
      ['Failed', cron.spec.failedJobsHistoryLimit ?? 1],
    ] as const) {
      const ended = jobs.filter((job) => conditionOf(job, type)?.status === 'True' && !job.metadata.deletionTimestamp);
      const order = ended.sort((a, b) => String(a.status.startTime).localeCompare(String(b.status.startTime)));
      for (const job of order.slice(0, Math.max(0, order.length - limit))) {
        await deleteIfThere(writer, JOBS, job, { propagationPolicy: 'Background' });
      }
    }
    const current = cache.byKey(CRON_JOBS, key);
    if (!current || current.metadata.uid !== cron.metadata.uid) return;
    const known = (list: Loose[] | undefined): string => (list ?? []).map((one) => one.uid).join();
    const settled =
      known(status.active) === known(current.status?.active) &&
      same({ ...status, active: 0 }, { ...current.status, active: 0 });
    if (!settled) await writer.update(CRON_JOBS, { ...current, status }, 'status');
  };
  const queue = context.queue('cronjobs', work);

  cache.watch(CRON_JOBS, ({ type, object, before }) => {
    if (type === 'set' && (!before || before.metadata.generation !== object.metadata.generation))
      queue.add(keyOf(object));
  });
  cache.watch(JOBS, ({ object, before, type }) => {
    const owner = controllerOf(object) ?? (before && controllerOf(before));
    if (owner?.kind !== 'CronJob') return;
    if (type === 'set' && before && isJobFinished(before) === isJobFinished(object)) return;
    queue.add(`${object.metadata.namespace}/${owner.name}`);
  });
}
