/** Who may do what: authentication, RBAC, access reviews, service account tokens. */
import assert from 'node:assert/strict';
import type { CaseContext, CaseGroup } from '../harness/context.ts';
import { configMap } from './objects.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';

/** A role and its binding to a user in the case's namespace. */
async function grant(c: CaseContext, user: string, rules: object[], role = 'granted'): Promise<void> {
  await c.prepare('POST', c.at(RBAC, 'roles'), { apiVersion: RBAC, kind: 'Role', metadata: { name: role }, rules });
  await c.prepare('POST', c.at(RBAC, 'rolebindings'), {
    apiVersion: RBAC,
    kind: 'RoleBinding',
    metadata: { name: role },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
  });
}

/** Waits until a grant is in force: the real server learns of it by a watch. */
async function inForce(c: CaseContext, path: string, as: string): Promise<void> {
  await c.until('the grant is in force', async () => (await c.quiet('GET', path, { as })).status === 200);
}

const review = (spec: object): object => ({ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec });

export const access: CaseGroup = {
  name: 'access',
  profile: 'machinery',
  cases: [
    {
      name: 'without credentials, and with wrong ones',
      async run(c) {
        const anonymous = await c.call('anonymous', 'GET', c.at('v1', 'configmaps'), { token: '' });
        assert.equal(anonymous.status, 403);
        const wrong = await c.call('wrong token', 'GET', c.at('v1', 'configmaps'), { token: 'nonsense' });
        assert.equal(wrong.status, 401);
        const health = await c.call('health is public', 'GET', '/healthz', { token: '' });
        assert.equal(health.status, 200);
        const version = await c.quiet('GET', '/version', { token: '' });
        assert.equal(version.status, 200);
      },
    },
    {
      name: 'who am I',
      async run(c) {
        const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
        const self = await c.call('as a user', 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
          body,
          as: 'jane',
          asGroups: ['devs'],
        });
        assert.equal(self.body.status.userInfo.username, 'jane');
      },
    },
    {
      name: 'a user without rights is told what it lacks, verb by verb',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('x'));
        const as = 'nobody';
        const path = c.at('v1', 'configmaps');
        const rows: [string, string, string, unknown?][] = [
          ['get', 'GET', `${path}/x`],
          ['list', 'GET', path],
          ['list everywhere', 'GET', '/api/v1/configmaps'],
          ['watch', 'GET', `${path}?watch=true`],
          ['create', 'POST', path, configMap('y')],
          ['update', 'PUT', `${path}/x`, configMap('x')],
          ['patch', 'PATCH', `${path}/x`, {}],
          ['delete', 'DELETE', `${path}/x`],
          ['delete all', 'DELETE', path],
          ['status of a deployment', 'GET', c.at('apps/v1', 'deployments', 'x', 'status')],
          ['cluster-scoped', 'GET', '/api/v1/nodes'],
          ['a path', 'GET', '/metrics'],
          ['what does not exist', 'GET', '/apis/none.example.com/v1/things'],
        ];
        for (const [step, method, target, body] of rows) {
          const answer = await c.call(step, method, target, {
            as,
            body,
            contentType: method === 'PATCH' ? 'application/merge-patch+json' : undefined,
          });
          assert.equal(answer.status, 403, step);
        }
      },
    },
    {
      name: 'roles grant verbs, resources, names and subresources, in their namespace only',
      async run(c) {
        const as = `user-${c.runId}`;
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('open'));
        await c.prepare('POST', c.at('v1', 'configmaps'), configMap('closed'));
        await grant(c, as, [
          { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'], resourceNames: ['open'] },
          { apiGroups: ['apps'], resources: ['deployments/scale'], verbs: ['*'] },
          { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'create'] },
        ]);
        await inForce(c, c.at('v1', 'configmaps', 'open'), as);
        const probe = async (method: string, path: string, body?: object): Promise<number> =>
          (
            await c.quiet(method, path, {
              as,
              body,
              contentType: method === 'PATCH' ? 'application/merge-patch+json' : undefined,
            })
          ).status;
        assert.equal(await probe('GET', c.at('v1', 'configmaps', 'closed')), 403);
        assert.equal(await probe('GET', c.at('v1', 'configmaps')), 403);
        assert.equal(await probe('PATCH', c.at('v1', 'configmaps', 'open'), { data: { a: '1' } }), 200);
        assert.equal(await probe('DELETE', c.at('v1', 'configmaps', 'open')), 403);
        assert.equal(await probe('GET', c.at('apps/v1', 'deployments', 'none', 'scale')), 404);
        assert.equal(await probe('GET', c.at('apps/v1', 'deployments', 'none')), 403);
        assert.equal(await probe('GET', c.at('v1', 'secrets')), 200);
        assert.equal(await probe('GET', '/api/v1/namespaces/default/secrets'), 403);
        assert.equal(await probe('GET', c.at('v1', 'secrets', 'x')), 403);
      },
    },
    {
      name: 'cluster roles, groups, aggregation and the default roles',
      async run(c) {
        const group = `group-${c.runId}`;
        const name = c.unique('cr');
        await c.prepare('POST', c.atCluster(RBAC, 'clusterroles'), {
          apiVersion: RBAC,
          kind: 'ClusterRole',
          metadata: { name },
          rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }],
        });
        await c.prepare('POST', c.atCluster(RBAC, 'clusterrolebindings'), {
          apiVersion: RBAC,
          kind: 'ClusterRoleBinding',
          metadata: { name },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
          subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: group }],
        });
        await c.until(
          'the grant is in force',
          async () => (await c.quiet('GET', '/api/v1/nodes', { as: 'x', asGroups: [group] })).status === 200,
        );
        assert.equal((await c.quiet('GET', '/api/v1/nodes', { as: 'x' })).status, 403);
        // The built-in role `view`, in one namespace.
        await c.prepare('POST', c.at(RBAC, 'rolebindings'), {
          apiVersion: RBAC,
          kind: 'RoleBinding',
          metadata: { name: 'viewers' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
          subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: `viewer-${c.runId}` }],
        });
        const as = `viewer-${c.runId}`;
        await inForce(c, c.at('v1', 'configmaps'), as);
        assert.equal((await c.quiet('GET', c.at('v1', 'secrets'), { as })).status, 403);
        assert.equal((await c.quiet('GET', c.at('apps/v1', 'deployments'), { as })).status, 200);
        for (const role of ['cluster-admin', 'admin', 'edit', 'view']) {
          assert.equal((await c.quiet('GET', c.atCluster(RBAC, 'clusterroles', role))).status, 200, role);
        }
        for (const resource of ['clusterrolebindings', 'clusterroles'])
          await c.prepare('DELETE', c.atCluster(RBAC, resource, name));
      },
    },
    {
      name: 'nobody grants what it does not have',
      async run(c) {
        const as = `escalator-${c.runId}`;
        await grant(c, as, [
          {
            apiGroups: ['rbac.authorization.k8s.io'],
            resources: ['roles', 'rolebindings'],
            verbs: ['create', 'update'],
          },
          { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] },
        ]);
        await inForce(c, c.at('v1', 'configmaps'), as);
        const role = (name: string, verbs: string[]): object => ({
          apiVersion: RBAC,
          kind: 'Role',
          metadata: { name },
          rules: [{ apiGroups: [''], resources: ['configmaps'], verbs }],
        });
        const within = await c.call('within its rights', 'POST', c.at(RBAC, 'roles'), {
          as,
          body: role('less', ['get']),
        });
        assert.equal(within.status, 201);
        const beyond = await c.call('beyond its rights', 'POST', c.at(RBAC, 'roles'), {
          as,
          body: role('more', ['get', 'delete']),
        });
        assert.equal(beyond.status, 403);
        const bind = await c.call('binding beyond its rights', 'POST', c.at(RBAC, 'rolebindings'), {
          as,
          body: {
            apiVersion: RBAC,
            kind: 'RoleBinding',
            metadata: { name: 'more' },
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
            subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: as }],
          },
        });
        assert.equal(bind.status, 403);
      },
    },
    {
      name: 'a role binding never changes its role',
      async run(c) {
        await grant(c, 'x', []);
        const answer = await c.patch('other role', 'merge', c.at(RBAC, 'rolebindings', 'granted'), {
          roleRef: { name: 'other' },
        });
        assert.equal(answer.status, 422);
      },
    },
    {
      name: 'access reviews: of others, of oneself, of a namespace, of all one may',
      async run(c) {
        const as = `reviewed-${c.runId}`;
        await grant(c, as, [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }]);
        await inForce(c, c.at('v1', 'configmaps'), as);
        const at = '/apis/authorization.k8s.io/v1';
        const resource = (verb: string, more: object = {}): object => ({
          resourceAttributes: { namespace: c.ns, verb, resource: 'configmaps', ...more },
        });
        const yes = await c.call('may', 'POST', `${at}/subjectaccessreviews`, {
          body: review({ user: as, ...resource('get') }),
        });
        assert.equal(yes.body.status.allowed, true);
        const no = await c.call('may not', 'POST', `${at}/subjectaccessreviews`, {
          body: review({ user: as, ...resource('delete') }),
        });
        assert.equal(no.body.status.allowed, false);
        const path = await c.call('path', 'POST', `${at}/subjectaccessreviews`, {
          body: review({ user: as, nonResourceAttributes: { path: '/metrics', verb: 'get' } }),
        });
        assert.equal(path.body.status.allowed, false);
        const empty = await c.call('nothing asked', 'POST', `${at}/subjectaccessreviews`, {
          body: review({ user: as }),
        });
        assert.equal(empty.status, 422);
        const self = await c.call('self', 'POST', `${at}/selfsubjectaccessreviews`, {
          as,
          body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: resource('list') },
        });
        assert.equal(self.body.status.allowed, true);
        const local = await c.call('local', 'POST', `${at}/namespaces/${c.ns}/localsubjectaccessreviews`, {
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'LocalSubjectAccessReview',
            metadata: { namespace: c.ns },
            spec: { user: as, ...resource('get') },
          },
        });
        assert.equal(local.body.status.allowed, true);
        const rules = await c.quiet('POST', `${at}/selfsubjectrulesreviews`, {
          as,
          body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace: c.ns } },
        });
        assert.ok(
          rules.body.status.resourceRules.some((rule: { resources: string[] }) =>
            rule.resources.includes('configmaps'),
          ),
        );
        c.record('incomplete', rules.body.status.incomplete);
      },
    },
    {
      name: 'impersonation needs the right to it',
      async run(c) {
        const token = await serviceAccountToken(c, 'plain');
        const answer = await c.call('impersonate', 'GET', c.at('v1', 'configmaps'), { token, as: 'admin' });
        assert.equal(answer.status, 403);
      },
    },
    {
      name: 'service accounts: a token by request speaks for the account',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'serviceaccounts'), {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: 'robot' },
        });
        const request = {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { expirationSeconds: 3600 },
        };
        const path = c.at('v1', 'serviceaccounts', 'robot', 'token');
        const issued = await c.call('token', 'POST', path, { body: request });
        assert.equal(issued.status, 201);
        const [, payload = ''] = issued.body.status.token.split('.');
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
        assert.equal(claims.sub, `system:serviceaccount:${c.ns}:robot`);
        assert.equal(claims.exp - claims.iat, 3600);
        c.record('claims', { keys: Object.keys(claims).sort(), kubernetes: claims['kubernetes.io'] });
        const { token } = issued.body.status;
        const self = await c.call('who am I', 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
          token,
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        });
        assert.equal(self.body.status.userInfo.username, `system:serviceaccount:${c.ns}:robot`);
        const refused = await c.call('no rights yet', 'GET', c.at('v1', 'configmaps'), { token });
        assert.equal(refused.status, 403);
        await c.prepare('POST', c.at(RBAC, 'rolebindings'), {
          apiVersion: RBAC,
          kind: 'RoleBinding',
          metadata: { name: 'robot' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
          subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: c.ns }],
        });
        await c.until(
          'the grant is in force',
          async () => (await c.quiet('GET', c.at('v1', 'configmaps'), { token })).status === 200,
        );
        const reviewBody = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
        const reviewed = await c.quiet('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body: reviewBody });
        assert.equal(reviewed.body.status.authenticated, true);
        c.record('review', reviewed.body.status);
        const bad = await c.quiet('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
          body: { ...reviewBody, spec: { token: 'x.y.z' } },
        });
        assert.equal(bad.body.status.authenticated ?? false, false);
        const soon = await c.call('too short', 'POST', path, { body: { ...request, spec: { expirationSeconds: 10 } } });
        assert.equal(soon.status, 422);
        await c.prepare('DELETE', c.at('v1', 'serviceaccounts', 'robot'));
        await c.until(
          'the token dies with its account',
          async () => (await c.quiet('GET', c.at('v1', 'configmaps'), { token })).status === 401,
        );
        const missing = await c.call('of no account', 'POST', c.at('v1', 'serviceaccounts', 'none', 'token'), {
          body: request,
        });
        assert.equal(missing.status, 404);
      },
    },
    {
      name: 'tokens with audiences are good for those only',
      async run(c) {
        await c.prepare('POST', c.at('v1', 'serviceaccounts'), {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: 'aud' },
        });
        const issued = await c.prepare('POST', c.at('v1', 'serviceaccounts', 'aud', 'token'), {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { audiences: ['vault'] },
        });
        const answer = await c.call('another audience', 'GET', c.at('v1', 'configmaps'), {
          token: issued.body.status.token,
        });
        assert.equal(answer.status, 401);
      },
    },
    {
      name: 'every namespace gets a default service account and the CA',
      async run(c) {
        await c.until(
          'the account',
          async () => (await c.quiet('GET', c.at('v1', 'serviceaccounts', 'default'))).status === 200,
        );
        await c.until(
          'the CA',
          async () => (await c.quiet('GET', c.at('v1', 'configmaps', 'kube-root-ca.crt'))).status === 200,
        );
        const { body } = await c.quiet('GET', c.at('v1', 'configmaps', 'kube-root-ca.crt'));
        assert.match(body.data['ca.crt'], /BEGIN CERTIFICATE/);
      },
    },
  ],
};

async function serviceAccountToken(c: CaseContext, name: string): Promise<string> {
  await c.prepare('POST', c.at('v1', 'serviceaccounts'), {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name },
  });
  const issued = await c.prepare('POST', c.at('v1', 'serviceaccounts', name, 'token'), {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  return issued.body.status.token;
}
