/** generation and resourceVersion. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup } from '../harness/context.ts';
import { configMap, container, deployment } from './objects.ts';

interface Meta {
  generation?: number;
  resourceVersion: string;
}

async function merged(c: CaseContext, step: string, path: string, patch: object): Promise<Meta> {
  const answer = await c.patch(step, 'merge', path, patch);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.metadata;
}

export const versions: CaseGroup = {
  name: 'versions',
  profile: 'machinery',
  cases: [
    {
      name: 'generation counts changes of the spec only, for built-in kinds that have one',
      async run(c) {
        const kinds: [string, string, object, object][] = [
          ['apps/v1', 'deployments', deployment('g'), { spec: { replicas: 3 } }],
          ['apps/v1', 'statefulsets', { ...deployment('g'), kind: 'StatefulSet' }, { spec: { replicas: 3 } }],
          ['apps/v1', 'daemonsets', { ...deployment('g'), kind: 'DaemonSet' }, { spec: { minReadySeconds: 3 } }],
          [
            'batch/v1',
            'jobs',
            {
              apiVersion: 'batch/v1',
              kind: 'Job',
              metadata: { name: 'g' },
              spec: { template: { spec: { restartPolicy: 'Never', containers: [container('a')] } } },
            },
            { spec: { suspend: true } },
          ],
          [
            'networking.k8s.io/v1',
            'ingresses',
            {
              apiVersion: 'networking.k8s.io/v1',
              kind: 'Ingress',
              metadata: { name: 'g' },
              spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
            },
            { spec: { ingressClassName: 'x' } },
          ],
          [
            'networking.k8s.io/v1',
            'networkpolicies',
            {
              apiVersion: 'networking.k8s.io/v1',
              kind: 'NetworkPolicy',
              metadata: { name: 'g' },
              spec: { podSelector: {} },
            },
            { spec: { podSelector: { matchLabels: { a: 'b' } } } },
          ],
          [
            'policy/v1',
            'poddisruptionbudgets',
            {
              apiVersion: 'policy/v1',
              kind: 'PodDisruptionBudget',
              metadata: { name: 'g' },
              spec: { minAvailable: 1, selector: { matchLabels: { a: 'b' } } },
            },
            { spec: { minAvailable: 2 } },
          ],
        ];
        for (const [apiVersion, resource, body, change] of kinds) {
          const created = await c.call(`${resource} create`, 'POST', c.at(apiVersion, resource), { body });
          assert.equal(created.body.metadata.generation, 1, resource);
          const path = c.at(apiVersion, resource, 'g');
          const labelled = await merged(c, `${resource} label`, path, { metadata: { labels: { l: '1' } } });
          assert.equal(labelled.generation, 1, resource);
          const changed = await merged(c, `${resource} spec`, path, change);
          assert.equal(changed.generation, 2, resource);
          assert.notEqual(changed.resourceVersion, labelled.resourceVersion);
          const same = await merged(c, `${resource} same`, path, change);
          assert.deepEqual(same, changed, resource);
        }
      },
    },
    {
      name: 'kinds without a generation: config maps, services, cron jobs, autoscalers',
      async run(c) {
        const kinds: [string, string, object, object][] = [
          ['v1', 'configmaps', configMap('n'), { data: { a: '1' } }],
          [
            'v1',
            'services',
            { apiVersion: 'v1', kind: 'Service', metadata: { name: 'n' }, spec: { ports: [{ port: 1 }] } },
            { spec: { sessionAffinity: 'ClientIP' } },
          ],
          [
            'v1',
            'serviceaccounts',
            { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'n' } },
            { automountServiceAccountToken: false },
          ],
          [
            'batch/v1',
            'cronjobs',
            {
              apiVersion: 'batch/v1',
              kind: 'CronJob',
              metadata: { name: 'n' },
              spec: {
                schedule: '0 0 * * *',
                jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [container('a')] } } } },
              },
            },
            { spec: { suspend: true } },
          ],
          [
            'autoscaling/v2',
            'horizontalpodautoscalers',
            {
              apiVersion: 'autoscaling/v2',
              kind: 'HorizontalPodAutoscaler',
              metadata: { name: 'n' },
              spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
            },
            { spec: { maxReplicas: 3 } },
          ],
        ];
        for (const [apiVersion, resource, body, change] of kinds) {
          await c.call(`${resource} create`, 'POST', c.at(apiVersion, resource), { body });
          await merged(c, `${resource} change`, c.at(apiVersion, resource, 'n'), change);
        }
      },
    },
    {
      name: 'custom resources: generation counts all but metadata and status',
      async run(c) {
        const crd = await c.crd({
          kind: 'Counted',
          schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { n: { type: 'integer' } } },
              extra: { type: 'string' },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
          version: { subresources: { status: {} } },
        });
        const created = await c.call('create', 'POST', crd.path, { body: crd.object('x', { spec: { n: 1 } }) });
        assert.equal(created.body.metadata.generation, 1);
        const path = `${crd.path}/x`;
        assert.equal((await merged(c, 'label', path, { metadata: { labels: { a: 'b' } } })).generation, 1);
        assert.equal((await merged(c, 'spec', path, { spec: { n: 2 } })).generation, 2);
        assert.equal((await merged(c, 'beside spec', path, { extra: 'x' })).generation, 3);
        assert.equal((await merged(c, 'status', `${path}/status`, { status: { a: 1 } })).generation, 3);
        assert.equal((await merged(c, 'set by the client', path, { metadata: { generation: 99 } })).generation, 3);
      },
    },
    {
      name: 'deletion with a finalizer counts as a change where there is a generation',
      async run(c) {
        await c.prepare(
          'POST',
          c.at('apps/v1', 'deployments'),
          deployment('f', { metadata: { finalizers: ['example.com/x'] } }),
        );
        const deleted = await c.call('delete', 'DELETE', c.at('apps/v1', 'deployments', 'f'));
        assert.equal(deleted.status, 200);
        const { body } = await c.call('get', 'GET', c.at('apps/v1', 'deployments', 'f'));
        assert.equal(body.metadata.generation, 2);
        assert.equal(body.metadata.deletionGracePeriodSeconds, 0);
        await c.patch('let go', 'merge', c.at('apps/v1', 'deployments', 'f'), { metadata: { finalizers: null } });
        assert.equal((await c.call('gone', 'GET', c.at('apps/v1', 'deployments', 'f'))).status, 404);
      },
    },
    {
      name: 'resource versions grow over kinds, lists carry one at least as new',
      async run(c) {
        const first = await c.prepare('POST', c.at('v1', 'configmaps'), configMap('a'));
        const second = await c.prepare('POST', c.at('v1', 'secrets'), {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'b' },
        });
        const list = await c.quiet('GET', c.at('v1', 'configmaps'));
        const number = (answer: { body: { metadata: Meta } }): number => Number(answer.body.metadata.resourceVersion);
        assert.ok(number(first) < number(second));
        assert.ok(number(list) >= number(second));
      },
    },
    {
      name: 'reads at a resource version: 0, a past one, one of the future, nonsense',
      async run(c) {
        const created = await c.prepare('POST', c.at('v1', 'configmaps'), configMap('r', {}, { r: 'yes' }));
        const { resourceVersion } = created.body.metadata;
        const path = c.at('v1', 'configmaps');
        for (const [step, query, status] of [
          ['from the cache', 'resourceVersion=0', 200],
          ['not older', `resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`, 200],
          ['exact', `resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`, 200],
          ['match without version', 'resourceVersionMatch=Exact', 422],
          ['exact zero', 'resourceVersion=0&resourceVersionMatch=Exact', 422],
          ['unknown match', `resourceVersion=${resourceVersion}&resourceVersionMatch=Near`, 422],
          ['nonsense', 'resourceVersion=abc', 400],
          ['get at 0', '', 200],
        ] as const) {
          const target =
            step === 'get at 0'
              ? `${c.at('v1', 'configmaps', 'r')}?resourceVersion=0`
              : `${path}?labelSelector=r&${query}`;
          const answer = await c.call(step, 'GET', target);
          assert.equal(answer.status, status, `${step}: ${answer.text}`);
        }
        const future = await c.quiet('GET', `${path}?resourceVersion=999999999`);
        assert.equal(future.status, 504);
        assert.equal(future.body.reason, 'Timeout');
        c.record('future details', {
          causes: future.body.details.causes,
          retry: future.body.details.retryAfterSeconds,
        });
      },
    },
  ],
};
