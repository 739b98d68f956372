/** Real kubectl, as a user runs it. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup } from '../harness/context.ts';
import { configMap, deployment } from './objects.ts';

const manifest = (replicas: number, image = 'nginx:1.25'): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      configMap('settings', { mode: 'a' }),
      deployment('web', {
        spec: { replicas },
        pod: { containers: [{ name: 'main', image, ports: [{ containerPort: 80 }] }] },
      }),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
      },
    ],
  });

async function ok(c: CaseContext, step: string, args: string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await c.kubectl(step, args, { stdin });
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

export const kubectl: CaseGroup = {
  name: 'kubectl',
  profile: 'machinery',
  cases: [
    {
      name: 'apply, apply again, change, prune by delete',
      async run(c) {
        assert.match(await ok(c, 'apply', ['apply', '-f', '-'], manifest(2)), /deployment.apps\/web created/);
        assert.match(await ok(c, 'again', ['apply', '-f', '-'], manifest(2)), /deployment.apps\/web unchanged/);
        assert.match(
          await ok(c, 'change', ['apply', '-f', '-'], manifest(3, 'nginx:1.26')),
          /deployment.apps\/web configured/,
        );
        await ok(c, 'image', [
          'get',
          'deployment',
          'web',
          '-o',
          'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}',
        ]);
        await ok(c, 'dry run on the server', ['apply', '-f', '-', '--dry-run=server'], manifest(4));
        await ok(c, 'delete', ['delete', '-f', '-', '--wait=true'], manifest(3));
        const gone = await c.kubectl('gone', ['get', 'deployment', 'web']);
        assert.equal(gone.code, 1);
      },
    },
    {
      name: 'apply on the server: conflicts and force',
      async run(c) {
        await ok(c, 'apply', ['apply', '--server-side', '-f', '-'], manifest(2));
        await ok(c, 'again', ['apply', '--server-side', '-f', '-'], manifest(2));
        await ok(c, 'scale', ['scale', 'deployment', 'web', '--replicas=5']);
        const conflict = await c.kubectl('conflict', ['apply', '--server-side', '-f', '-'], { stdin: manifest(2) });
        assert.equal(conflict.code, 1);
        assert.match(conflict.stderr, /conflict with "kubectl" (with subresource "scale" )?using apps\/v1/);
        await ok(c, 'force', ['apply', '--server-side', '--force-conflicts', '-f', '-'], manifest(2));
        await ok(c, 'managed fields', [
          'get',
          'deployment',
          'web',
          '-o',
          'jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation}/{.subresource} {end}',
          '--show-managed-fields',
        ]);
        const other = await c.kubectl(
          'another manager',
          ['apply', '--server-side', '--field-manager=robot', '-f', '-'],
          { stdin: manifest(7) },
        );
        assert.equal(other.code, 1);
      },
    },
    {
      name: 'from client-side to server-side apply and back',
      async run(c) {
        await ok(c, 'client', ['apply', '-f', '-'], manifest(2));
        await ok(c, 'server', ['apply', '--server-side', '-f', '-'], manifest(2));
        await ok(c, 'managers', [
          'get',
          'deployment',
          'web',
          '-o',
          'jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation} {end}',
          '--show-managed-fields',
        ]);
        await ok(c, 'client again', ['apply', '-f', '-'], manifest(3));
      },
    },
    {
      name: 'diff shows what apply would change, and says so by its code',
      async run(c) {
        const before = await c.kubectl('nothing there', ['diff', '-f', '-'], { stdin: manifest(2), as: 'nothing' });
        assert.equal(before.code, 1);
        await ok(c, 'apply', ['apply', '-f', '-'], manifest(2));
        const same = await c.kubectl('same', ['diff', '-f', '-'], { stdin: manifest(2) });
        assert.equal(same.code, 0, same.stdout + same.stderr);
        const changed = await c.kubectl('changed', ['diff', '-f', '-'], { stdin: manifest(3), as: 'nothing' });
        assert.equal(changed.code, 1);
        const lines = (text: string): string[] =>
          text.split('\n').filter((line) => /^[+-] /.test(line) && !/generation|resourceVersion|time:/.test(line));
        c.record('lines', lines(changed.stdout));
        const server = await c.kubectl('server-side', ['diff', '--server-side', '-f', '-', '--force-conflicts'], {
          stdin: manifest(4),
          as: 'nothing',
        });
        assert.equal(server.code, 1);
        c.record(
          'server-side lines',
          lines(server.stdout).filter((line) => /replicas/.test(line)),
        );
      },
    },
    {
      name: 'get: tables, wide, labels, sorting, selectors, yaml, name',
      async run(c) {
        await ok(c, 'apply', ['apply', '-f', '-'], manifest(2));
        for (const [step, args] of [
          ['table', ['get', 'deployment,service']],
          ['wide', ['get', 'deployment', '-o', 'wide']],
          ['names', ['get', 'deployment,service', '-o', 'name']],
          ['no headers', ['get', 'deployment', '--no-headers']],
          ['labels', ['get', 'deployment', '--show-labels']],
          ['custom columns', ['get', 'deployment', '-o', 'custom-columns=N:.metadata.name,R:.spec.replicas']],
          ['sorted', ['get', 'services', '--sort-by=.metadata.name', '-o', 'name']],
          ['selector', ['get', 'configmaps', '-l', 'none=x']],
          ['field', ['get', 'configmaps', '--field-selector', 'metadata.name=settings', '-o', 'name']],
          ['raw', ['get', '--raw', '/healthz']],
          ['none', ['get', 'jobs']],
          ['short name', ['get', 'cm', 'settings', '-o', 'jsonpath={.data.mode}']],
          ['with group', ['get', 'deployments.apps', 'web', '-o', 'name']],
          ['chunked', ['get', 'services', '--chunk-size=1', '-o', 'name']],
        ] as [string, string[]][]) {
          await ok(c, step, args);
        }
        for (const [step, args] of [
          ['missing', ['get', 'deployment', 'none']],
          ['unknown kind', ['get', 'gizmos']],
        ] as [string, string[]][]) {
          const answer = await c.kubectl(step, args);
          assert.equal(answer.code, 1);
        }
      },
    },
    {
      name: 'get -w prints changes as they come',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('seen', {}, { w: 'yes' }));
        const watching = c.kubectl(
          'watch',
          [
            'get',
            'configmaps',
            '-l',
            'w',
            '-w',
            '--output-watch-events',
            '--request-timeout=6s',
            '-o',
            'custom-columns=EVENT:.type,NAME:.object.metadata.name,A:.object.data.a',
          ],
          { as: 'nothing' },
        );
        await c.until('the watch is on', async () => {
          await c.prepare(
            'PATCH',
            c.at('v1', 'configmaps', 'seen'),
            { metadata: { annotations: { tick: `${Date.now()}` } } },
            { contentType: 'application/merge-patch+json' },
          );
          return new Promise<boolean>((resolve) => setTimeout(resolve, 1500, true));
        });
        await c.prepare(
          'PATCH',
          c.at('v1', 'configmaps', 'seen'),
          { data: { a: 'changed' } },
          { contentType: 'application/merge-patch+json' },
        );
        await c.prepare('DELETE', c.at('v1', 'configmaps', 'seen'));
        const { stdout } = await watching;
        assert.match(stdout, /ADDED +seen/);
        assert.match(stdout, /MODIFIED +seen +changed/);
        assert.match(stdout, /DELETED +seen +changed/);
      },
    },
    {
      name: 'wait: for deletion, a condition, a value',
      async run(c) {
        await ok(c, 'apply', ['apply', '-f', '-'], manifest(1));
        const never = await c.kubectl('in vain', ['wait', 'deployment/web', '--for=condition=Nothing', '--timeout=1s']);
        assert.equal(never.code, 1);
        const waiting = c.kubectl('condition', ['wait', 'deployment/web', '--for=condition=Tested', '--timeout=20s']);
        await c.prepare(
          'PATCH',
          c.at('apps/v1', 'deployments', 'web', 'status'),
          { status: { conditions: [{ type: 'Tested', status: 'True', reason: 'x', message: 'y' }] } },
          { contentType: 'application/strategic-merge-patch+json' },
        );
        assert.equal((await waiting).code, 0);
        await ok(c, 'value', ['wait', 'configmap/settings', '--for=jsonpath={.data.mode}=a', '--timeout=5s']);
        await ok(c, 'create', ['wait', 'service/web', '--for=create', '--timeout=5s']);
        const deletion = c.kubectl('deletion', ['wait', 'configmap/settings', '--for=delete', '--timeout=20s']);
        await c.prepare('DELETE', c.at('v1', 'configmaps', 'settings'));
        assert.equal((await deletion).code, 0);
      },
    },
    {
      name: 'explain: kinds, fields, nested fields, custom resources',
      async run(c) {
        for (const path of [
          'deployment.spec.strategy',
          'pod.spec.containers.ports',
          'configmap',
          'service.spec.ports.port',
          'cronjob.spec.jobTemplate.spec.backoffLimit',
        ]) {
          const text = await c.kubectl(`explain ${path}`, ['explain', path], { as: 'nothing' });
          assert.equal(text.code, 0, text.stderr);
          assert.match(text.stdout, /DESCRIPTION:\n {4}\S/);
          c.record(`head of ${path}`, text.stdout.split('DESCRIPTION')[0]?.replace(/ +\n/g, '\n') ?? '');
          c.record(
            `fields of ${path}`,
            [...text.stdout.matchAll(/^ {2}(\w+)\t<([^>]+)>/gm)].map(([, name, type]) => `${name} ${type}`),
          );
        }
        const unknown = await c.kubectl('unknown', ['explain', 'deployment.spec.nonsense']);
        assert.equal(unknown.code, 1);
        const crd = await c.crd({
          kind: 'Explained',
          schema: {
            type: 'object',
            description: 'An explained thing.',
            properties: {
              spec: {
                type: 'object',
                description: 'Its spec.',
                properties: { n: { type: 'integer', description: 'A count.' } },
              },
            },
          },
        });
        const own = await c.until('the schema is published', async () => {
          const answer = await c.quiet('GET', `/openapi/v3/apis/${crd.apiVersion}`);
          return answer.status === 200 && answer.text.includes('An explained thing');
        });
        assert.ok(own);
        assert.match(
          await ok(c, 'custom', ['explain', `${crd.plural}.spec.n`, `--api-version=${crd.apiVersion}`]),
          /A count\./,
        );
        await ok(c, 'recursive', ['explain', `${crd.plural}.spec`, '--recursive']);
      },
    },
    {
      name: 'scale, label, annotate, patch, set image, edit by replace',
      async run(c) {
        await ok(c, 'apply', ['apply', '-f', '-'], manifest(1));
        await ok(c, 'scale', ['scale', 'deployment/web', '--replicas=4']);
        const wrong = await c.kubectl('scale with a precondition', [
          'scale',
          'deployment/web',
          '--current-replicas=9',
          '--replicas=1',
        ]);
        assert.equal(wrong.code, 1);
        await ok(c, 'label', ['label', 'deployment', 'web', 'tier=front']);
        const again = await c.kubectl('label again', ['label', 'deployment', 'web', 'tier=back']);
        assert.equal(again.code, 1);
        await ok(c, 'label over', ['label', 'deployment', 'web', 'tier=back', '--overwrite']);
        await ok(c, 'label off', ['label', 'deployment', 'web', 'tier-']);
        await ok(c, 'annotate', ['annotate', 'deployment', 'web', 'note=a b']);
        await ok(c, 'patch', ['patch', 'deployment', 'web', '-p', '{"spec":{"minReadySeconds":3}}']);
        await ok(c, 'json patch', [
          'patch',
          'deployment',
          'web',
          '--type=json',
          '-p',
          '[{"op":"remove","path":"/spec/minReadySeconds"}]',
        ]);
        await ok(c, 'set image', ['set', 'image', 'deployment/web', 'main=nginx:2']);
        await ok(c, 'set env', ['set', 'env', 'deployment/web', 'A=1', 'B=2']);
        await ok(c, 'replace', ['replace', '-f', '-'], JSON.stringify(configMap('settings', { mode: 'b' })));
        await c.kubectl('end', ['get', 'deployment', 'web', '-o', 'json'], { as: 'json' });
      },
    },
    {
      name: 'create: namespaces, secrets, config maps, roles, tokens, and what it refuses',
      async run(c) {
        await ok(c, 'configmap', ['create', 'configmap', 'cm', '--from-literal=a=1']);
        await ok(c, 'secret', ['create', 'secret', 'generic', 'sec', '--from-literal=a=1']);
        await ok(c, 'deployment', ['create', 'deployment', 'dep', '--image=nginx', '--replicas=2']);
        await ok(c, 'service', ['expose', 'deployment', 'dep', '--port=80']);
        await ok(c, 'job', ['create', 'job', 'j', '--image=busybox', '--', 'true']);
        await ok(c, 'cronjob', ['create', 'cronjob', 'cj', '--image=busybox', '--schedule=0 0 * * *']);
        await ok(c, 'service account', ['create', 'serviceaccount', 'robot']);
        await ok(c, 'role', ['create', 'role', 'reader', '--verb=get,list', '--resource=configmaps,deployments.apps']);
        await ok(c, 'binding', ['create', 'rolebinding', 'reader', '--role=reader', `--serviceaccount=${c.ns}:robot`]);
        const token = await c.kubectl('token', ['create', 'token', 'robot'], { as: 'nothing' });
        assert.equal(token.stdout.trim().split('.').length, 3);
        await c.until(
          'the grant is in force',
          async () => (await c.quiet('GET', c.at('v1', 'configmaps'), { token: token.stdout.trim() })).status === 200,
        );
        await ok(c, 'can-i', ['auth', 'can-i', 'list', 'configmaps', `--as=system:serviceaccount:${c.ns}:robot`]);
        const cannot = await c.kubectl('cannot', [
          'auth',
          'can-i',
          'delete',
          'configmaps',
          `--as=system:serviceaccount:${c.ns}:robot`,
        ]);
        assert.equal(cannot.code, 1);
        await ok(c, 'whoami', ['auth', 'whoami', '--as=jane', '--as-group=devs']);
        const twice = await c.kubectl('twice', ['create', 'configmap', 'cm']);
        assert.equal(twice.code, 1);
        const bad = await c.kubectl('invalid', ['create', '-f', '-'], {
          stdin: JSON.stringify(deployment('bad', { spec: { replicas: -1 } })),
        });
        assert.equal(bad.code, 1);
        const unknown = await c.kubectl('unknown field', ['create', '-f', '-'], {
          stdin: JSON.stringify({ ...configMap('odd'), nonsense: 1 }),
        });
        assert.equal(unknown.code, 1);
      },
    },
    {
      name: 'delete: by label, all, cascading, without waiting; describe and events',
      async run(c) {
        for (const name of ['a', 'b'])
          await c.prepare('POST', c.at('v1', 'configmaps'), configMap(name, {}, { del: 'yes' }));
        await ok(c, 'by label', ['delete', 'configmaps', '-l', 'del=yes']);
        await ok(c, 'ignore what is missing', ['delete', 'configmap', 'a', '--ignore-not-found']);
        const missing = await c.kubectl('missing', ['delete', 'configmap', 'a']);
        assert.equal(missing.code, 1);
        await ok(c, 'apply', ['apply', '-f', '-'], manifest(0));
        const text = await c.kubectl('describe', ['describe', 'deployment', 'web'], { as: 'nothing' });
        assert.equal(text.code, 0, text.stderr);
        assert.match(text.stdout, /Selector: +app=web/);
        const service = await c.kubectl('describe service', ['describe', 'service', 'web'], { as: 'nothing' });
        assert.equal(service.code, 0, service.stderr);
        await ok(c, 'foreground', ['delete', 'deployment', 'web', '--cascade=foreground', '--timeout=60s']);
        await ok(c, 'orphan', ['delete', 'service', 'web', '--cascade=orphan']);
        await ok(c, 'no wait', ['delete', 'configmap', 'settings', '--wait=false']);
      },
    },
    {
      name: 'custom resources: apply the CRD and at once an object of it',
      async run(c) {
        const group = `${c.runId}-k.example.com`;
        const crd = {
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: `boats.${group}` },
          spec: {
            group,
            scope: 'Namespaced',
            names: { plural: 'boats', singular: 'boat', kind: 'Boat', shortNames: ['bt'] },
            versions: [
              {
                name: 'v1',
                served: true,
                storage: true,
                subresources: {
                  status: {},
                  scale: { specReplicasPath: '.spec.sails', statusReplicasPath: '.status.sails' },
                },
                additionalPrinterColumns: [{ name: 'Sails', type: 'integer', jsonPath: '.spec.sails' }],
                schema: {
                  openAPIV3Schema: {
                    type: 'object',
                    properties: {
                      spec: { type: 'object', properties: { sails: { type: 'integer', minimum: 1 } } },
                      status: { type: 'object', properties: { sails: { type: 'integer' } } },
                    },
                  },
                },
              },
            ],
          },
        };
        await ok(c, 'crd', ['apply', '--server-side', '-f', '-'], JSON.stringify(crd));
        await ok(c, 'established', ['wait', '--for=condition=Established', `crd/boats.${group}`, '--timeout=20s']);
        const boat = (sails: number): string =>
          JSON.stringify({ apiVersion: `${group}/v1`, kind: 'Boat', metadata: { name: 'b' }, spec: { sails } });
        await c.until(
          'boats are served',
          async () => (await c.quiet('GET', `/apis/${group}/v1/namespaces/${c.ns}/boats`)).status === 200,
        );
        await ok(c, 'object', ['apply', '-f', '-'], boat(2));
        await ok(c, 'changed', ['apply', '-f', '-'], boat(3));
        await ok(c, 'table', ['get', `boats.${group}`]);
        await ok(c, 'scale', ['scale', `boats.${group}/b`, '--replicas=5']);
        const invalid = await c.kubectl('invalid', ['apply', '-f', '-'], { stdin: boat(0) });
        assert.equal(invalid.code, 1);
        await ok(c, 'api-resources', ['api-resources', `--api-group=${group}`]);
        await ok(c, 'delete crd', ['delete', 'crd', `boats.${group}`]);
        await c.until(
          'boats are gone',
          async () => (await c.quiet('GET', `/apis/${group}/v1/namespaces/${c.ns}/boats`)).status === 404,
        );
      },
    },
  ],
};
