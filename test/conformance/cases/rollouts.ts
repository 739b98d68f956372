/** Workloads that become ready: kubectl's rollout journeys, and the status that controllers report. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup } from '../harness/context.ts';
import { container, deployment, service } from './objects.ts';

async function ok(c: CaseContext, step: string, args: string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await c.kubectl(step, args, { stdin, as: 'nothing', timeoutMs: 90_000 });
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

interface Condition {
  type: string;
  status: string;
  reason: string;
}

const conditions = (status: { conditions?: Condition[] }): string[] =>
  (status.conditions ?? []).map((one) => `${one.type}=${one.status} ${one.reason}`).sort();

const job = (spec: object = {}, image = 'busybox'): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j' },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [container('main', image)] } }, ...spec },
});

export const rollouts: CaseGroup = {
  name: 'rollouts',
  profile: 'workloads',
  cases: [
    {
      name: 'a Deployment becomes available; a new image rolls out; undo rolls back',
      async run(c) {
        const path = c.at('apps/v1', 'deployments', 'web');
        await c.prepare('POST', c.at('apps/v1', 'deployments'), deployment('web', { spec: { replicas: 3 } }));
        await ok(c, 'status', ['rollout', 'status', 'deployment/web', '--timeout=60s']);
        await ok(c, 'wait', ['wait', 'deployment/web', '--for=condition=Available', '--timeout=60s']);
        const first = await c.quiet('GET', path);
        c.record('first', { ...first.body.status, conditions: conditions(first.body.status) });
        assert.equal(first.body.metadata.annotations['deployment.kubernetes.io/revision'], '1');
        await ok(c, 'image', ['set', 'image', 'deployment/web', 'main=nginx:1.26']);
        await ok(c, 'status again', ['rollout', 'status', 'deployment/web', '--timeout=60s']);
        const second = await c.until('the rollout is complete', async () => {
          const answer = await c.quiet('GET', path);
          const { replicas, observedGeneration, terminatingReplicas = 0 } = answer.body.status;
          return replicas === 3 && observedGeneration === 2 && terminatingReplicas === 0 ? answer : undefined;
        });
        c.record('second', { ...second.body.status, conditions: conditions(second.body.status) });
        const sets = await c.until('two replica sets', async () => {
          const { body } = await c.quiet('GET', c.at('apps/v1', 'replicasets'));
          return body.items.length === 2 ? body.items : undefined;
        });
        c.record(
          'replica sets',
          sets
            .map(
              (one: {
                spec: { replicas: number };
                metadata: {
                  ownerReferences: { kind: string; controller: boolean }[];
                  annotations: Record<string, string>;
                };
              }) => ({
                replicas: one.spec.replicas,
                owner: one.metadata.ownerReferences.map(({ kind, controller }) => ({ kind, controller })),
                revision: one.metadata.annotations['deployment.kubernetes.io/revision'],
              }),
            )
            .sort((a: { revision: string }, b: { revision: string }) => (a.revision < b.revision ? -1 : 1)),
        );
        await ok(c, 'undo', ['rollout', 'undo', 'deployment/web']);
        await ok(c, 'status after undo', ['rollout', 'status', 'deployment/web', '--timeout=60s']);
        const undone = await c.quiet('GET', path);
        assert.equal(undone.body.spec.template.spec.containers[0].image, 'nginx:1.25');
        await ok(c, 'restart', ['rollout', 'restart', 'deployment/web']);
        await ok(c, 'status after restart', ['rollout', 'status', 'deployment/web', '--timeout=60s']);
        const history = await ok(c, 'history', ['rollout', 'history', 'deployment/web']);
        assert.match(history, /REVISION/);
      },
    },
    {
      name: 'pods of a Deployment exist, run, and are replaced when deleted',
      async run(c) {
        await c.prepare('POST', c.at('apps/v1', 'deployments'), deployment('web', { spec: { replicas: 2 } }));
        await ok(c, 'status', ['rollout', 'status', 'deployment/web', '--timeout=60s']);
        const pods = await c.quiet('GET', `${c.at('v1', 'pods')}?labelSelector=app%3Dweb`);
        assert.equal(pods.body.items.length, 2);
        const [pod] = pods.body.items;
        assert.equal(pod.status.phase, 'Running');
        assert.equal(pod.metadata.ownerReferences[0].kind, 'ReplicaSet');
        assert.ok(pod.spec.nodeName);
        c.record(
          'ready',
          pod.status.conditions.filter((one: Condition) => one.type === 'Ready').map((one: Condition) => one.status),
        );
        await c.prepare('DELETE', c.at('v1', 'pods', pod.metadata.name));
        await c.until('it is replaced', async () => {
          const { body } = await c.quiet('GET', `${c.at('v1', 'pods')}?labelSelector=app%3Dweb`);
          const running = body.items.filter(
            (one: { metadata: { name: string; deletionTimestamp?: string }; status: { phase: string } }) =>
              one.metadata.name !== pod.metadata.name &&
              !one.metadata.deletionTimestamp &&
              one.status.phase === 'Running',
          );
          return running.length === 2;
        });
        await ok(c, 'scale down', ['scale', 'deployment/web', '--replicas=0']);
        await c.until(
          'no pods',
          async () => (await c.quiet('GET', `${c.at('v1', 'pods')}?labelSelector=app%3Dweb`)).body.items.length === 0,
        );
        const { body } = await c.until('status says none', async () => {
          const answer = await c.quiet('GET', c.at('apps/v1', 'deployments', 'web'));
          const { replicas, terminatingReplicas = 0 } = answer.body.status;
          return replicas === undefined && terminatingReplicas === 0 ? answer : undefined;
        });
        c.record('at zero', { ...body.status, conditions: conditions(body.status) });
        await c.prepare('DELETE', c.at('apps/v1', 'deployments', 'web'));
        await c.until(
          'its replica sets go too',
          async () => (await c.quiet('GET', c.at('apps/v1', 'replicasets'))).body.items.length === 0,
        );
      },
    },
    {
      name: 'an image that cannot be had leaves a Deployment unavailable, and says why on the pod',
      async run(c) {
        await c.prepare(
          'POST',
          c.at('apps/v1', 'deployments'),
          deployment('bad', {
            pod: { containers: [container('main', 'fail/image:1')] },
            spec: { progressDeadlineSeconds: 3 },
          }),
        );
        const pod = await c.until('a pod waits', async () => {
          const { body } = await c.quiet('GET', `${c.at('v1', 'pods')}?labelSelector=app%3Dbad`);
          return body.items.find(
            (one: { status: { containerStatuses?: { state: { waiting?: object } }[] } }) =>
              one.status.containerStatuses?.[0]?.state.waiting,
          );
        });
        c.record('waiting', pod.status.containerStatuses[0].state.waiting.reason);
        const late = await c.until('the deadline passes', async () => {
          const { body } = await c.quiet('GET', c.at('apps/v1', 'deployments', 'bad'));
          return body.status.conditions?.some((one: Condition) => one.reason === 'ProgressDeadlineExceeded')
            ? body
            : undefined;
        });
        c.record('status', { ...late.status, conditions: conditions(late.status) });
        const status = await c.kubectl('rollout status', ['rollout', 'status', 'deployment/bad', '--timeout=10s'], {
          as: 'nothing',
        });
        assert.equal(status.code, 1);
      },
    },
    {
      name: 'a StatefulSet starts its pods in order, with stable names and claims',
      async run(c) {
        await c.prepare('POST', c.at('apps/v1', 'statefulsets'), {
          ...deployment('db'),
          kind: 'StatefulSet',
          spec: { ...(deployment('db').spec as object), serviceName: 'db', replicas: 2 },
        });
        await ok(c, 'status', ['rollout', 'status', 'statefulset/db', '--timeout=60s']);
        const { body } = await c.quiet('GET', c.at('apps/v1', 'statefulsets', 'db'));
        const { currentRevision, updateRevision, ...status } = body.status;
        assert.equal(currentRevision, updateRevision);
        c.record('status', status);
        const pods = await c.quiet('GET', `${c.at('v1', 'pods')}?labelSelector=app%3Ddb`);
        assert.deepEqual(
          pods.body.items.map((one: { metadata: { name: string } }) => one.metadata.name),
          ['db-0', 'db-1'],
        );
        c.record('labels', Object.keys(pods.body.items[0].metadata.labels).sort());
      },
    },
    {
      name: 'a DaemonSet runs on every node',
      async run(c) {
        await c.prepare('POST', c.at('apps/v1', 'daemonsets'), { ...deployment('agent'), kind: 'DaemonSet' });
        await ok(c, 'status', ['rollout', 'status', 'daemonset/agent', '--timeout=60s']);
        const { body } = await c.quiet('GET', c.at('apps/v1', 'daemonsets', 'agent'));
        const nodes = await c.quiet('GET', '/api/v1/nodes');
        assert.equal(body.status.numberReady, nodes.body.items.length);
        c.record('fields of its status', Object.keys(body.status).sort());
      },
    },
    {
      name: 'a Job completes; one that asks for more runs more',
      async run(c) {
        await c.prepare('POST', c.at('batch/v1', 'jobs'), job({ completions: 2, parallelism: 2 }));
        await ok(c, 'wait', ['wait', 'job/j', '--for=condition=Complete', '--timeout=60s']);
        const { body } = await c.quiet('GET', c.at('batch/v1', 'jobs', 'j'));
        const { startTime, completionTime, ...status } = body.status;
        assert.ok(startTime && completionTime);
        c.record('status', { ...status, conditions: conditions(status) });
        await c.prepare('DELETE', `${c.at('batch/v1', 'jobs', 'j')}?propagationPolicy=Background`);
        await c.until(
          'its pods go too',
          async () =>
            (await c.quiet('GET', `${c.at('v1', 'pods')}?labelSelector=job-name%3Dj`)).body.items.length === 0,
        );
      },
    },
    {
      name: 'a suspended Job waits; a suspended CronJob makes none; a Job from a CronJob runs',
      async run(c) {
        await c.prepare('POST', c.at('batch/v1', 'jobs'), job({ suspend: true }));
        const suspended = await c.until('it says so', async () => {
          const { body } = await c.quiet('GET', c.at('batch/v1', 'jobs', 'j'));
          return body.status?.conditions?.some((one: Condition) => one.type === 'Suspended' && one.status === 'True')
            ? body
            : undefined;
        });
        c.record('suspended', conditions(suspended.status));
        await c.prepare(
          'PATCH',
          c.at('batch/v1', 'jobs', 'j'),
          { spec: { suspend: false } },
          { contentType: 'application/merge-patch+json' },
        );
        await ok(c, 'resumed', ['wait', 'job/j', '--for=condition=Complete', '--timeout=60s']);
        await c.prepare('POST', c.at('batch/v1', 'cronjobs'), {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          metadata: { name: 'cj' },
          spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: (job() as { spec: object }).spec } },
        });
        await ok(c, 'by hand', ['create', 'job', 'by-hand', '--from=cronjob/cj']);
        await ok(c, 'complete', ['wait', 'job/by-hand', '--for=condition=Complete', '--timeout=60s']);
      },
    },
    {
      name: 'a Service gets endpoints of ready pods',
      async run(c) {
        await c.prepare(
          'POST',
          c.at('v1', 'services'),
          service('web', { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] }),
        );
        await c.prepare('POST', c.at('apps/v1', 'deployments'), deployment('web', { spec: { replicas: 2 } }));
        const slice = await c.until('an endpoint slice with two ready addresses', async () => {
          const { body } = await c.quiet(
            'GET',
            `${c.at('discovery.k8s.io/v1', 'endpointslices')}?labelSelector=kubernetes.io%2Fservice-name%3Dweb`,
          );
          return body.items.find(
            (one: { endpoints?: { conditions: { ready: boolean } }[] }) =>
              one.endpoints?.filter((endpoint) => endpoint.conditions.ready).length === 2,
          );
        });
        c.record('ports', slice.ports);
        c.record(
          'owner',
          slice.metadata.ownerReferences.map((one: { kind: string }) => one.kind),
        );
      },
    },
    {
      name: 'a failing Job reports failure',
      async run(c) {
        await c.prepare(
          'POST',
          c.at('batch/v1', 'jobs'),
          job({ activeDeadlineSeconds: 2, backoffLimit: 0 }, 'fail/image'),
        );
        const failed = await c.until('it fails', async () => {
          const { body } = await c.quiet('GET', c.at('batch/v1', 'jobs', 'j'));
          return body.status?.conditions?.some((one: Condition) => one.type === 'Failed' && one.status === 'True')
            ? body
            : undefined;
        });
        c.record('conditions', conditions(failed.status));
      },
    },
  ],
};
