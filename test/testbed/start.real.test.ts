import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connectTo, endpointOf } from '../conformance/harness/connection.ts';
import { runCommand } from './command.ts';
import { startTestbed, type Testbed } from './start.ts';

let testbed: Testbed;
let admin: Connection;

beforeAll(async () => {
  testbed = await startTestbed({ audit: true });
  admin = connectTo(endpointOf(testbed.kubeconfig.text));
});

afterAll(async () => {
  admin?.close();
  await testbed?.stop();
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`in vain: ${what}`);
}

test('the admin may do all; an identity of one’s own may do nothing until it is granted', async () => {
  const jane = testbed.issueClient('jane', ['devs']);
  const connection = connectTo(endpointOf(jane.kubeconfig));
  const refused = await connection.call('GET', '/api/v1/namespaces');
  expect(refused.status).toBe(403);
  expect(refused.body.message).toContain('User "jane" cannot list resource "namespaces"');
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await admin.call('POST', `${rbac}/clusterroles`, {
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'devs' },
      rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['list'] }],
    },
  });
  await admin.call('POST', `${rbac}/clusterrolebindings`, {
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'devs' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'devs' },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'devs' }],
    },
  });
  let status = 0;
  for (let attempt = 0; attempt < 100 && status !== 200; attempt++) {
    status = (await connection.call('GET', '/api/v1/namespaces')).status;
  }
  expect(status).toBe(200);
  connection.close();
});

test('kubectl works with the kubeconfig', async () => {
  const result = await runCommand(testbed.binaries.kubectl, ['get', 'namespaces', '-o', 'name'], {
    env: { KUBECONFIG: testbed.kubeconfig.path, HOME: testbed.folder },
  });
  expect(result.stdout).toContain('namespace/default');
});

test('the audit log tells who wrote what', async () => {
  await admin.call('POST', '/api/v1/namespaces/default/configmaps', {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'audited' } },
  });
  const records = await testbed.auditLog();
  const [write] = records.filter((record) => record.verb === 'create' && record.name === 'audited');
  expect(write).toMatchObject({
    user: 'admin',
    resource: 'configmaps',
    namespace: 'default',
    code: 201,
    stage: 'ResponseComplete',
  });
});

test('every server listens on loopback only', async () => {
  const pids = new Set(Object.values(testbed.pids));
  const { stdout } = await runCommand('ss', ['-ltnpH']);
  const lines = stdout.split('\n').filter((line) => [...pids].some((pid) => line.includes(`pid=${pid},`)));
  expect(lines.length).toBeGreaterThanOrEqual(3);
  for (const line of lines) expect(line).toMatch(/ 127\.0\.0\.1:\d+ /);
});

test('the API server can be killed and comes back with its data', async () => {
  await admin.call('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kept' } },
  });
  await testbed.killApiServer();
  await expect(admin.call('GET', '/api/v1/namespaces/kept')).rejects.toThrow();
  await testbed.startApiServer();
  expect((await admin.call('GET', '/api/v1/namespaces/kept')).status).toBe(200);
});

test('stop leaves no process and no folder', async () => {
  const other = await startTestbed();
  const pids = Object.values(other.pids);
  expect(pids).toHaveLength(2);
  await other.stop();
  expect(pids.filter(isAlive)).toEqual([]);
  expect(existsSync(other.folder)).toBe(false);
});

test('a parent that is killed leaves no process and no folder', async () => {
  const script = `
    import { startTestbed } from ${JSON.stringify(join(import.meta.dirname, 'start.ts'))};
    const testbed = await startTestbed();
    console.log(JSON.stringify({ pids: Object.values(testbed.pids), folder: testbed.folder }));
    setInterval(() => undefined, 1000);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    parent.stdout.setEncoding('utf8').once('data', resolve);
    parent.once('exit', () => reject(new Error('the parent ended early')));
  });
  const { pids, folder } = JSON.parse(line) as { pids: number[]; folder: string };
  expect(pids.every(isAlive)).toBe(true);
  parent.kill('SIGKILL');
  await until('the servers end', () => !pids.some(isAlive));
  await until('the folder goes', () => !existsSync(folder));
});
