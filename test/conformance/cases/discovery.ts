/** Discovery, OpenAPI, health and version. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup } from '../harness/context.ts';

interface Resource {
  name: string;
  kind: string;
  namespaced: boolean;
  singularName: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  group?: string;
  version?: string;
}

/** Group versions that addons and kernel may count on. */
const GROUP_VERSIONS = [
  'admissionregistration.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'apps/v1',
  'authentication.k8s.io/v1',
  'authorization.k8s.io/v1',
  'autoscaling/v1',
  'autoscaling/v2',
  'batch/v1',
  'certificates.k8s.io/v1',
  'coordination.k8s.io/v1',
  'discovery.k8s.io/v1',
  'events.k8s.io/v1',
  'networking.k8s.io/v1',
  'policy/v1',
  'rbac.authorization.k8s.io/v1',
  'scheduling.k8s.io/v1',
  'storage.k8s.io/v1',
];

function comparable(resources: Resource[]): object[] {
  return resources
    .map(({ name, kind, namespaced, singularName, verbs, shortNames, categories, group, version }) => ({
      name,
      kind,
      namespaced,
      singularName,
      verbs: [...verbs].sort(),
      shortNames: shortNames ?? [],
      categories: categories ?? [],
      group: group ?? '',
      version: version ?? '',
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function openApiPaths(c: CaseContext): Promise<Record<string, { serverRelativeURL: string }>> {
  const { body } = await c.quiet('GET', '/openapi/v3');
  return body.paths;
}

export const discovery: CaseGroup = {
  name: 'discovery',
  profile: 'machinery',
  cases: [
    {
      name: 'the core API and its version',
      clusterScoped: true,
      async run(c) {
        const versions = await c.quiet('GET', '/api');
        assert.equal(versions.body.kind, 'APIVersions');
        assert.deepEqual(versions.body.versions, ['v1']);
        const version = await c.quiet('GET', '/version');
        assert.match(version.body.gitVersion, /^v1\.\d+\.\d+/);
        c.record('version', {
          keys: Object.keys(version.body)
            .filter((key) => ['major', 'minor', 'gitVersion', 'platform'].includes(key))
            .sort(),
        });
      },
    },
    {
      name: 'health endpoints answer ok',
      clusterScoped: true,
      async run(c) {
        for (const path of ['/healthz', '/livez', '/readyz']) await c.call(path, 'GET', path);
      },
    },
    {
      name: 'resources of the core group',
      clusterScoped: true,
      async run(c) {
        const { body } = await c.quiet('GET', '/api/v1');
        assert.equal(body.kind, 'APIResourceList');
        c.record(
          'resources',
          Object.fromEntries(comparable(body.resources).map((one) => [(one as Resource).name, one])),
        );
      },
    },
    ...GROUP_VERSIONS.map((groupVersion) => ({
      name: `resources of ${groupVersion}`,
      clusterScoped: true,
      async run(c: CaseContext): Promise<void> {
        const { status, body } = await c.quiet('GET', `/apis/${groupVersion}`);
        assert.equal(status, 200);
        assert.equal(body.groupVersion, groupVersion);
        c.record(
          'resources',
          Object.fromEntries(comparable(body.resources).map((one) => [(one as Resource).name, one])),
        );
        const group = await c.quiet('GET', `/apis/${groupVersion.split('/')[0]}`);
        assert.equal(group.body.kind, 'APIGroup');
        c.record('preferred', group.body.preferredVersion);
      },
    })),
    {
      name: 'all groups are listed, each with its preferred version',
      clusterScoped: true,
      async run(c) {
        const { body } = await c.quiet('GET', '/apis');
        assert.equal(body.kind, 'APIGroupList');
        const names = new Set(
          body.groups.flatMap((group: { versions: { groupVersion: string }[] }) =>
            group.versions.map((one) => one.groupVersion),
          ),
        );
        for (const groupVersion of GROUP_VERSIONS) assert.ok(names.has(groupVersion), groupVersion);
      },
    },
    {
      name: 'aggregated discovery',
      async run(c) {
        const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
        const crd = await c.crd({
          kind: 'Found',
          schema: { type: 'object' },
          version: {
            subresources: { status: {}, scale: { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n' } },
          },
          names: { shortNames: ['fd'], categories: ['found'] },
        });
        const core = await c.quiet('GET', '/api', { accept });
        assert.equal(core.body.kind, 'APIGroupDiscoveryList');
        const configMaps = core.body.items[0].versions[0].resources.find(
          (one: { resource: string }) => one.resource === 'configmaps',
        );
        c.record('configmaps', configMaps);
        const group = await c.until('the CRD shows', async () => {
          const { body } = await c.quiet('GET', '/apis', { accept });
          return body.items.find((one: { metadata: { name: string } }) => one.metadata.name === crd.group);
        });
        c.record('crd group', group);
        const { body } = await c.quiet('GET', '/apis', { accept });
        const apps = body.items.find((one: { metadata: { name: string } }) => one.metadata.name === 'apps');
        const deployments = apps.versions[0].resources.find(
          (one: { resource: string }) => one.resource === 'deployments',
        );
        c.record('deployments', deployments);
      },
    },
    {
      name: 'OpenAPI v3: the documents that tools read',
      async run(c) {
        const paths = await openApiPaths(c);
        for (const path of ['api/v1', 'apis/apps/v1', 'apis/batch/v1', 'apis/networking.k8s.io/v1']) {
          assert.ok(paths[path]?.serverRelativeURL, path);
        }
        const apps = await c.quiet('GET', paths['apis/apps/v1']?.serverRelativeURL ?? '');
        assert.match(apps.body.openapi, /^3\.0/);
        const schemas = apps.body.components.schemas;
        const deployment = schemas['io.k8s.api.apps.v1.Deployment'];
        c.record('group version kind', deployment['x-kubernetes-group-version-kind']);
        c.record('fields of a Deployment', Object.keys(deployment.properties).sort());
        c.record('fields of its spec', Object.keys(schemas['io.k8s.api.apps.v1.DeploymentSpec'].properties).sort());
        c.record('required of its spec', schemas['io.k8s.api.apps.v1.DeploymentSpec'].required);
        const container = schemas['io.k8s.api.core.v1.Container'];
        c.record('fields of a container', Object.keys(container.properties).sort());
        c.record('ports of a container', {
          type: container.properties.ports['x-kubernetes-list-type'],
          keys: container.properties.ports['x-kubernetes-list-map-keys'],
          merge: container.properties.ports['x-kubernetes-patch-merge-key'],
          strategy: container.properties.ports['x-kubernetes-patch-strategy'],
        });
        const item = apps.body.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'];
        c.record(
          'methods',
          Object.keys(item)
            .filter((key) => key !== 'parameters')
            .sort(),
        );
        c.record('patch', {
          action: item.patch['x-kubernetes-action'],
          kind: item.patch['x-kubernetes-group-version-kind'],
          content: Object.keys(item.patch.requestBody.content).sort(),
        });
      },
    },
    {
      name: 'OpenAPI v3 of a custom resource follows its CRD',
      async run(c) {
        const crd = await c.crd({
          kind: 'Described',
          schema: {
            type: 'object',
            description: 'A described thing.',
            properties: {
              spec: {
                type: 'object',
                description: 'What it shall be.',
                required: ['n'],
                properties: { n: { type: 'integer', description: 'A count.', minimum: 1 } },
              },
            },
          },
        });
        const document = await c.until('the document', async () => {
          const path = (await openApiPaths(c))[`apis/${crd.apiVersion}`];
          if (!path) return undefined;
          const answer = await c.quiet('GET', path.serverRelativeURL);
          return answer.status === 200 ? answer.body : undefined;
        });
        const schemas = Object.entries(document.components.schemas as Record<string, Record<string, unknown>>);
        const found = schemas.find(([name]) => name.endsWith('.Described'));
        assert.ok(found);
        c.record('schema', found[1]);
      },
    },
    {
      name: 'OpenAPI v2 is served for tools that still read it',
      clusterScoped: true,
      async run(c) {
        const { status, body } = await c.quiet('GET', '/openapi/v2');
        assert.equal(status, 200);
        assert.equal(body.swagger, '2.0');
        assert.ok(body.definitions['io.k8s.api.apps.v1.Deployment']);
      },
    },
  ],
};
