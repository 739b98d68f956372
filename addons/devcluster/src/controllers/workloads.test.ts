import { describe, expect, it } from 'vitest';
import type { Loose } from '../types/loose.ts';
import { conditionOf } from './kit.ts';
import { createTestCluster } from './memory.testing.ts';

const DEPLOYMENTS = 'apps/v1/deployments';
const SETS = 'apps/v1/replicasets';
const PODS = 'v1/pods';

function workload(kind: string, name: string, spec: Loose = {}, image = 'nginx:1', apiVersion = 'apps/v1'): Loose {
  return {
    apiVersion,
    kind,
    metadata: { name, namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
      ...spec,
    },
  };
}

const images = (pods: Loose[]): string[] => pods.map((pod) => pod.spec.containers[0].image).sort();

describe('Deployments', () => {
  it('become available within 200 ms, with the status of a healthy cluster', async () => {
    const cluster = await createTestCluster();
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 3 }));
    await cluster.clock.pass(200);
    const { metadata, status } = cluster.one(DEPLOYMENTS, 'web');
    expect(metadata.annotations['deployment.kubernetes.io/revision']).toBe('1');
    expect(status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    });
    expect(status.unavailableReplicas).toBeUndefined();
    expect(status.conditions).toMatchObject([
      { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' },
      { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
    ]);
    const [set] = cluster.all(SETS);
    expect(set!.metadata.ownerReferences).toMatchObject([{ kind: 'Deployment', name: 'web', controller: true }]);
    const pods = cluster.all(PODS);
    expect(pods).toHaveLength(3);
    for (const pod of pods) {
      expect(pod.status.phase).toBe('Running');
      expect(pod.spec.nodeName).toMatch(/^devcluster-node-/);
      expect(conditionOf(pod, 'Ready')?.status).toBe('True');
    }
    expect(new Set(pods.map((pod) => pod.status.podIP)).size).toBe(3);
    expect(cluster.errors).toEqual([]);
  });

  it('settle: once healthy, nothing more is written', async () => {
    const cluster = await createTestCluster();
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 2 }));
    await cluster.clock.pass(1000);
    const writes = cluster.writes();
    await cluster.clock.pass(3_600_000);
    expect(cluster.writes()).toBe(writes);
  });

  it('roll a new image out, never with fewer pods available than allowed, and back to the old ReplicaSet', async () => {
    const cluster = await createTestCluster();
    await cluster.create(
      DEPLOYMENTS,
      workload('Deployment', 'web', { replicas: 4, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }),
    );
    await cluster.clock.pass(500);
    await cluster.change(DEPLOYMENTS, 'web', (web) => {
      web.spec.template.spec.containers[0].image = 'nginx:2';
    });
    let fewest = 4;
    let most = 0;
    for (let i = 0; i < 300; i++) {
      await cluster.clock.pass(5);
      const pods = cluster.all(PODS).filter((pod) => !pod.metadata.deletionTimestamp);
      fewest = Math.min(fewest, pods.filter((pod) => conditionOf(pod, 'Ready')?.status === 'True').length);
      most = Math.max(most, pods.length);
    }
    expect([fewest, most]).toEqual([4, 5]);
    expect(images(cluster.all(PODS))).toEqual(Array(4).fill('nginx:2'));
    expect(cluster.one(DEPLOYMENTS, 'web').metadata.annotations['deployment.kubernetes.io/revision']).toBe('2');
    expect(cluster.all(SETS)).toHaveLength(2);
    await cluster.change(DEPLOYMENTS, 'web', (web) => {
      web.spec.template.spec.containers[0].image = 'nginx:1';
    });
    await cluster.clock.pass(1500);
    expect(cluster.all(SETS)).toHaveLength(2);
    expect(cluster.one(DEPLOYMENTS, 'web').metadata.annotations['deployment.kubernetes.io/revision']).toBe('3');
    expect(images(cluster.all(PODS))).toEqual(Array(4).fill('nginx:1'));
  });

  it('with the strategy Recreate have no two revisions at the same time', async () => {
    const cluster = await createTestCluster();
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 2, strategy: { type: 'Recreate' } }));
    await cluster.clock.pass(300);
    expect(cluster.one(DEPLOYMENTS, 'web').status.availableReplicas).toBe(2);
    await cluster.change(DEPLOYMENTS, 'web', (web) => {
      web.spec.template.spec.containers[0].image = 'nginx:2';
    });
    for (let i = 0; i < 100; i++) {
      await cluster.clock.pass(5);
      expect(new Set(images(cluster.all(PODS))).size).toBeLessThanOrEqual(1);
    }
    expect(images(cluster.all(PODS))).toEqual(['nginx:2', 'nginx:2']);
  });

  it('of an image that cannot be had are never available, say so, and miss their deadline', async () => {
    const cluster = await createTestCluster();
    await cluster.create(
      DEPLOYMENTS,
      workload('Deployment', 'bad', { replicas: 1, progressDeadlineSeconds: 5 }, 'fail/nothing:1'),
    );
    await cluster.clock.pass(1000);
    const bad = cluster.one(DEPLOYMENTS, 'bad');
    expect(bad.status).toMatchObject({ replicas: 1, unavailableReplicas: 1 });
    expect(conditionOf(bad, 'Available')?.status).toBe('False');
    expect(cluster.all(PODS)[0]!.status.containerStatuses[0].state.waiting.reason).toBe('ImagePullBackOff');
    await cluster.clock.pass(10_000);
    expect(conditionOf(cluster.one(DEPLOYMENTS, 'bad'), 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
    });
  });

  it('keep the old pods when a new image fails, as far as the strategy allows', async () => {
    const cluster = await createTestCluster();
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 4 }));
    await cluster.clock.pass(300);
    await cluster.change(DEPLOYMENTS, 'web', (web) => {
      web.spec.template.spec.containers[0].image = 'fail/x:crash';
    });
    await cluster.clock.pass(2000);
    const pods = cluster.all(PODS).filter((pod) => !pod.metadata.deletionTimestamp);
    expect(pods.filter((pod) => conditionOf(pod, 'Ready')?.status === 'True')).toHaveLength(3);
    const broken = pods.filter((pod) => conditionOf(pod, 'Ready')?.status !== 'True');
    expect(broken.map((pod) => pod.status.containerStatuses[0].state.waiting.reason)).toEqual([
      'CrashLoopBackOff',
      'CrashLoopBackOff',
    ]);
  });

  it('take their time when the image is slow, and are never ready when it never is', async () => {
    const cluster = await createTestCluster();
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'slow', { replicas: 1 }, 'slow/web:30s'));
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'never', { replicas: 1 }, 'never-ready/web'));
    await cluster.clock.pass(20_000);
    expect(cluster.one(DEPLOYMENTS, 'slow').status.availableReplicas).toBeUndefined();
    await cluster.clock.pass(11_000);
    expect(cluster.one(DEPLOYMENTS, 'slow').status.availableReplicas).toBe(1);
    expect(cluster.one(DEPLOYMENTS, 'never').status.availableReplicas).toBeUndefined();
    expect(cluster.all(PODS).map((pod) => pod.status.phase)).toEqual(['Running', 'Running']);
  });

  it('replace a pod that is deleted, scale to nothing, and are paused', async () => {
    const cluster = await createTestCluster();
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 2 }));
    await cluster.clock.pass(300);
    const [victim] = cluster.all(PODS);
    await cluster.delete(PODS, 'default', victim!.metadata.name);
    await cluster.clock.pass(300);
    expect(cluster.all(PODS)).toHaveLength(2);
    expect(cluster.all(PODS).map((pod) => pod.metadata.name)).not.toContain(victim!.metadata.name);
    await cluster.change(DEPLOYMENTS, 'web', (web) => {
      web.spec.paused = true;
      web.spec.template.spec.containers[0].image = 'nginx:2';
    });
    await cluster.clock.pass(300);
    expect(images(cluster.all(PODS))).toEqual(['nginx:1', 'nginx:1']);
    await cluster.change(DEPLOYMENTS, 'web', (web) => {
      web.spec.paused = false;
      web.spec.replicas = 0;
    });
    await cluster.clock.pass(500);
    expect(cluster.all(PODS)).toEqual([]);
    expect(cluster.one(DEPLOYMENTS, 'web').status.replicas).toBeUndefined();
  });

  it('without pods report the same health', async () => {
    const cluster = await createTestCluster({ workloads: 'status-only' });
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 3 }));
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'bad', { replicas: 3 }, 'fail/x'));
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'slow', { replicas: 3 }, 'slow/x:5s'));
    await cluster.create('apps/v1/statefulsets', workload('StatefulSet', 'db', { replicas: 2 }));
    await cluster.create('apps/v1/daemonsets', workload('DaemonSet', 'agent'));
    await cluster.clock.pass(200);
    expect(cluster.one(DEPLOYMENTS, 'web').status).toMatchObject({
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
    expect(conditionOf(cluster.one(DEPLOYMENTS, 'bad'), 'Available')?.status).toBe('False');
    expect(cluster.one(DEPLOYMENTS, 'slow').status.availableReplicas).toBeUndefined();
    expect(cluster.one('apps/v1/statefulsets', 'db').status).toMatchObject({ readyReplicas: 2, updatedReplicas: 2 });
    expect(cluster.one('apps/v1/daemonsets', 'agent').status).toMatchObject({
      numberReady: 2,
      desiredNumberScheduled: 2,
    });
    await cluster.clock.pass(6000);
    expect(cluster.one(DEPLOYMENTS, 'slow').status.availableReplicas).toBe(3);
    expect(cluster.all(PODS)).toEqual([]);
    expect(cluster.errors).toEqual([]);
  });
});

describe('StatefulSets', () => {
  it('start, update and stop their pods in order, with their claims', async () => {
    const cluster = await createTestCluster();
    await cluster.create('storage.k8s.io/v1/storageclasses', {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'standard' },
      provisioner: 'x',
    });
    await cluster.create(
      'apps/v1/statefulsets',
      workload('StatefulSet', 'db', {
        replicas: 3,
        serviceName: 'db',
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: {
              storageClassName: 'standard',
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: '1Gi' } },
            },
          },
        ],
      }),
    );
    const seen: string[] = [];
    for (let i = 0; i < 100; i++) {
      await cluster.clock.pass(5);
      for (const pod of cluster.all(PODS)) if (!seen.includes(pod.metadata.name)) seen.push(pod.metadata.name);
      const ready = cluster.all(PODS).filter((pod) => conditionOf(pod, 'Ready')?.status === 'True').length;
      expect(cluster.all(PODS).length - ready).toBeLessThanOrEqual(1);
    }
    expect(seen).toEqual(['db-0', 'db-1', 'db-2']);
    const set = cluster.one('apps/v1/statefulsets', 'db');
    expect(set.status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
    });
    expect(set.status.currentRevision).toBe(set.status.updateRevision);
    const claims = cluster.all('v1/persistentvolumeclaims');
    expect(claims.map((claim) => [claim.metadata.name, claim.status.phase])).toEqual([
      ['data-db-0', 'Bound'],
      ['data-db-1', 'Bound'],
      ['data-db-2', 'Bound'],
    ]);
    expect(cluster.all('v1/persistentvolumes').map((volume) => volume.status.phase)).toEqual([
      'Bound',
      'Bound',
      'Bound',
    ]);
    const first = set.status.currentRevision;
    await cluster.change('apps/v1/statefulsets', 'db', (db) => {
      db.spec.template.spec.containers[0].image = 'nginx:2';
    });
    await cluster.clock.pass(1000);
    expect(images(cluster.all(PODS))).toEqual(Array(3).fill('nginx:2'));
    expect(cluster.one('apps/v1/statefulsets', 'db').status.currentRevision).not.toBe(first);
    await cluster.change('apps/v1/statefulsets', 'db', (db) => {
      db.spec.replicas = 1;
    });
    await cluster.clock.pass(1000);
    expect(cluster.all(PODS).map((pod) => pod.metadata.name)).toEqual(['db-0']);
    expect(cluster.all('v1/persistentvolumeclaims')).toHaveLength(3);
    expect(cluster.errors).toEqual([]);
  });
});

describe('DaemonSets', () => {
  it('run on each node that takes them, and on a node that joins', async () => {
    const cluster = await createTestCluster({ nodes: 2 });
    await cluster.create('apps/v1/daemonsets', workload('DaemonSet', 'agent'));
    await cluster.clock.pass(200);
    const nodes = (): string[] =>
      cluster
        .all(PODS)
        .map((pod) => pod.spec.nodeName)
        .sort();
    expect(nodes()).toEqual(['devcluster-node-1', 'devcluster-node-2']);
    await cluster.create('v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'third' } });
    await cluster.create('v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'tainted' },
      spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] },
    });
    await cluster.clock.pass(200);
    expect(nodes()).toEqual(['devcluster-node-1', 'devcluster-node-2', 'third']);
    expect(cluster.one('apps/v1/daemonsets', 'agent').status).toMatchObject({
      numberReady: 3,
      numberAvailable: 3,
      updatedNumberScheduled: 3,
    });
    await cluster.change('apps/v1/daemonsets', 'agent', (agent) => {
      agent.spec.template.spec.containers[0].image = 'nginx:2';
    });
    await cluster.clock.pass(1000);
    expect(images(cluster.all(PODS))).toEqual(Array(3).fill('nginx:2'));
    expect(cluster.errors).toEqual([]);
  });
});

describe('Jobs', () => {
  const job = (name: string, spec: Loose = {}, image = 'busybox', metadata: Loose = {}): Loose => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'default', ...metadata },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } }, ...spec },
  });
  const JOBS = 'batch/v1/jobs';

  it('complete after their time, as many pods as asked for', async () => {
    const cluster = await createTestCluster();
    await cluster.create(JOBS, job('once'));
    await cluster.create(JOBS, job('many', { completions: 3, parallelism: 2, completionMode: 'Indexed' }));
    await cluster.clock.pass(400);
    expect(cluster.one(JOBS, 'once').status).toMatchObject({ active: 1, ready: 1 });
    await cluster.clock.pass(2000);
    expect(cluster.one(JOBS, 'once').status).toMatchObject({ succeeded: 1, completionTime: expect.any(String) });
    expect(conditionOf(cluster.one(JOBS, 'once'), 'Complete')?.status).toBe('True');
    expect(cluster.one(JOBS, 'many').status).toMatchObject({ succeeded: 3, completedIndexes: '0-2' });
    expect(cluster.errors).toEqual([]);
  });

  it('fail when their pods do, after the retries that they allow', async () => {
    const cluster = await createTestCluster();
    await cluster.create(JOBS, job('bad', { backoffLimit: 2 }, 'fail/x:crash'));
    await cluster.create(
      JOBS,
      job('third-time', {}, 'busybox', { annotations: { 'devcluster.lateen.dev/fail-times': '2' } }),
    );
    await cluster.create(JOBS, job('late', { activeDeadlineSeconds: 4 }, 'fail/x'));
    await cluster.clock.pass(8000);
    expect(cluster.one(JOBS, 'bad').status).toMatchObject({ failed: 3 });
    expect(conditionOf(cluster.one(JOBS, 'bad'), 'Failed')?.reason).toBe('BackoffLimitExceeded');
    expect(cluster.one(JOBS, 'third-time').status).toMatchObject({ failed: 2, succeeded: 1 });
    expect(conditionOf(cluster.one(JOBS, 'late'), 'Failed')?.reason).toBe('DeadlineExceeded');
  });

  it('wait while suspended, and go away when their time to live is over', async () => {
    const cluster = await createTestCluster();
    await cluster.create(JOBS, job('later', { suspend: true, ttlSecondsAfterFinished: 10 }));
    await cluster.clock.pass(2000);
    expect(conditionOf(cluster.one(JOBS, 'later'), 'Suspended')?.status).toBe('True');
    expect(cluster.all(PODS)).toEqual([]);
    await cluster.change(JOBS, 'later', (later) => {
      later.spec.suspend = false;
    });
    await cluster.clock.pass(2000);
    expect(conditionOf(cluster.one(JOBS, 'later'), 'Complete')?.status).toBe('True');
    await cluster.clock.pass(15_000);
    expect(cluster.all(JOBS)).toEqual([]);
    expect(cluster.all(PODS)).toEqual([]);
  });

  it('are made by CronJobs on time, and only the last ones are kept', async () => {
    const cluster = await createTestCluster();
    await cluster.create('batch/v1/cronjobs', {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'tick', namespace: 'default' },
      spec: { schedule: '* * * * *', jobTemplate: { spec: job('x').spec } },
    });
    await cluster.clock.pass(5 * 60_000 + 5000);
    expect(cluster.all(JOBS)).toHaveLength(3);
    const { status } = cluster.one('batch/v1/cronjobs', 'tick');
    expect(status.lastScheduleTime).toBe('2026-01-01T00:05:00Z');
    expect(status.lastSuccessfulTime).toBeDefined();
    expect(status.active).toBeUndefined();
    expect(cluster.errors).toEqual([]);
  });
});

describe('Services', () => {
  it('have the ready pods that they select as endpoints, and load balancers an address', async () => {
    const cluster = await createTestCluster();
    await cluster.create('v1/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 2 }));
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'other', { replicas: 2 }));
    await cluster.clock.pass(500);
    const [slice] = cluster.all('discovery.k8s.io/v1/endpointslices');
    expect(slice!.endpoints.filter((one: Loose) => one.conditions.ready)).toHaveLength(2);
    expect(slice!.ports).toEqual([{ name: '', port: 8080, protocol: 'TCP' }]);
    expect(cluster.one('v1/endpoints', 'web').subsets[0].addresses).toHaveLength(2);
    expect(cluster.one('v1/services', 'web').status.loadBalancer.ingress).toHaveLength(1);
    await cluster.change(DEPLOYMENTS, 'web', (web) => {
      web.spec.replicas = 0;
    });
    await cluster.clock.pass(500);
    expect(cluster.all('discovery.k8s.io/v1/endpointslices')[0]!.endpoints ?? []).toEqual([]);
    await cluster.delete('v1/services', 'default', 'web');
    await cluster.clock.pass(500);
    expect(cluster.all('discovery.k8s.io/v1/endpointslices')).toEqual([]);
    expect(cluster.all('v1/endpoints')).toEqual([]);
    expect(cluster.errors).toEqual([]);
  });
});

describe('autoscalers and disruption budgets', () => {
  it('report on what they are for', async () => {
    const cluster = await createTestCluster();
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 3 }));
    await cluster.create('autoscaling/v2/horizontalpodautoscalers', {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace: 'default' },
      spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
    });
    await cluster.create('policy/v1/poddisruptionbudgets', {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'default' },
      spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
    });
    await cluster.clock.pass(500);
    expect(cluster.one('autoscaling/v2/horizontalpodautoscalers', 'web').status).toMatchObject({
      currentReplicas: 3,
      desiredReplicas: 3,
    });
    expect(cluster.one('policy/v1/poddisruptionbudgets', 'web').status).toMatchObject({
      currentHealthy: 3,
      desiredHealthy: 2,
      disruptionsAllowed: 1,
      expectedPods: 3,
    });
  });
});

describe('garbage collection', () => {
  const owned = (name: string, owner: Loose, more: Loose = {}): Loose => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid: owner.metadata.uid, ...more },
      ],
    },
  });
  const plain = (name: string): Loose => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
  });
  const MAPS = 'v1/configmaps';
  const names = (list: Loose[]): string[] =>
    list
      .map((one) => one.metadata.name)
      .filter((name) => name !== 'kube-root-ca.crt')
      .sort();

  it('takes away what has lost all its owners, and keeps what has one left', async () => {
    const cluster = await createTestCluster();
    const a = await cluster.create(MAPS, plain('a'));
    const b = await cluster.create(MAPS, plain('b'));
    await cluster.create(MAPS, owned('of-a', a));
    const both = owned('of-both', a);
    both.metadata.ownerReferences.push({ apiVersion: 'v1', kind: 'ConfigMap', name: 'b', uid: b.metadata.uid });
    await cluster.create(MAPS, both);
    await cluster.delete(MAPS, 'default', 'a', { propagationPolicy: 'Background' });
    await cluster.clock.pass(200);
    expect(names(cluster.all(MAPS))).toEqual(['b', 'of-both']);
    expect(cluster.one(MAPS, 'of-both').metadata.ownerReferences).toHaveLength(1);
    await cluster.create(MAPS, owned('late', a));
    await cluster.clock.pass(200);
    expect(names(cluster.all(MAPS))).toEqual(['b', 'of-both']);
  });

  it('deletes the dependents that block first when asked to, and leaves them when told to', async () => {
    const cluster = await createTestCluster();
    const a = await cluster.create(MAPS, plain('a'));
    await cluster.create(MAPS, owned('child', a, { blockOwnerDeletion: true }));
    const held = owned('held', a, { blockOwnerDeletion: true });
    held.metadata.finalizers = ['example.com/wait'];
    await cluster.create(MAPS, held);
    await cluster.delete(MAPS, 'default', 'a', { propagationPolicy: 'Foreground' });
    await cluster.clock.pass(500);
    expect(names(cluster.all(MAPS))).toEqual(['a', 'held']);
    await cluster.change(MAPS, 'held', (one) => {
      one.metadata.finalizers = [];
    });
    await cluster.clock.pass(500);
    expect(names(cluster.all(MAPS))).toEqual([]);
    const b = await cluster.create(MAPS, plain('b'));
    await cluster.create(MAPS, owned('left', b));
    await cluster.delete(MAPS, 'default', 'b', { propagationPolicy: 'Orphan' });
    await cluster.clock.pass(500);
    expect(names(cluster.all(MAPS))).toEqual(['left']);
    expect(cluster.one(MAPS, 'left').metadata.ownerReferences).toBeUndefined();
    expect(cluster.errors).toEqual([]);
  });

  it('takes a Deployment down to its pods', async () => {
    const cluster = await createTestCluster();
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 2 }));
    await cluster.clock.pass(500);
    await cluster.delete(DEPLOYMENTS, 'default', 'web', { propagationPolicy: 'Foreground' });
    await cluster.clock.pass(1000);
    expect([cluster.all(DEPLOYMENTS), cluster.all(SETS), cluster.all(PODS)]).toEqual([[], [], []]);
  });

  it('takes over ReplicaSets and pods that a deletion left behind', async () => {
    const cluster = await createTestCluster();
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 2 }));
    await cluster.clock.pass(500);
    const pods = cluster.all(PODS).map((pod) => pod.metadata.name);
    await cluster.delete(DEPLOYMENTS, 'default', 'web', { propagationPolicy: 'Orphan' });
    await cluster.clock.pass(500);
    expect(cluster.all(PODS)).toHaveLength(2);
    await cluster.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 2 }));
    await cluster.clock.pass(1000);
    expect(cluster.all(PODS).map((pod) => pod.metadata.name)).toEqual(pods);
    expect(cluster.one(DEPLOYMENTS, 'web').status.availableReplicas).toBe(2);
  });
});

describe('namespaces', () => {
  it('get an account and the CA, and are emptied before they go', async () => {
    const cluster = await createTestCluster();
    await cluster.create('v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team' },
      spec: { finalizers: ['kubernetes'] },
    });
    await cluster.clock.pass(200);
    expect(cluster.one('v1/serviceaccounts', 'default', 'team')).toBeDefined();
    expect(cluster.one('v1/configmaps', 'kube-root-ca.crt', 'team').data['ca.crt']).toContain('BEGIN CERTIFICATE');
  });
});
