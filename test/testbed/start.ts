/** Starts a real Kubernetes control plane on loopback, for as long as a test needs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { AUDIT_POLICY, type AuditRecord, parseAuditLog } from './audit.ts';
import { type BinaryOptions, ensureBinaries } from './binaries.ts';
import type { ToolName } from './catalogue.ts';
import { createCertificateAuthority, createSigningKeys, type KeyPair } from './certificates.ts';
import { type Guard, startGuard } from './guard.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { freePort } from './ports.ts';
import { kwokStages } from './stages.ts';

export interface TestbedOptions extends BinaryOptions {
  /** Runs kube-controller-manager; a list names the only controllers that run. */
  controllerManager?: boolean | string[];
  scheduler?: boolean;
  /** Runs kwok with this many nodes (`true`: one), whose pods become ready at once. Needs scheduler and controllers. */
  kwok?: boolean | number;
  /** Writes the audit log that `auditLog()` reads. */
  audit?: boolean;
  /** More flags for kube-apiserver. */
  apiServerFlags?: string[];
}

export interface Identity extends KeyPair {
  /** Text of a kubeconfig with this identity. */
  kubeconfig: string;
}

export interface Testbed {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  /** The admin's kubeconfig (group system:masters). */
  readonly kubeconfig: { path: string; text: string };
  readonly pki: { ca: string; serviceAccountKey: string };
  readonly users: { admin: Identity };
  /** Paths of the binaries that run, and of kubectl. */
  readonly binaries: Readonly<Record<'kubectl' | 'kube-apiserver' | 'etcd', string>>;
  readonly version: string;
  /** Process ids of what runs now, by name. */
  readonly pids: Readonly<Record<string, number>>;
  /** Folder with logs, kubeconfigs and data; gone after `stop()`. */
  readonly folder: string;
  /** Signs a client certificate; `cn` is the user, `orgs` are the groups. */
  issueClient(cn: string, orgs?: string[]): Identity;
  /** Writes a kubeconfig for an identity into the folder and returns its path. */
  writeKubeconfig(name: string, identity: Identity): Promise<string>;
  /** Requests so far. Needs the option `audit`. */
  auditLog(): Promise<AuditRecord[]>;
  /** Ends kube-apiserver at once, as a crash would; its data stays. */
  killApiServer(): Promise<void>;
  /** Starts kube-apiserver again on the same port and data; resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** Ends every process and removes the folder. */
  stop(): Promise<void>;
}

/** A server did not start or did not become ready. */
export class TestbedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TestbedError';
  }
}

const READY_MS = 90_000;

interface Server {
  child: ChildProcess;
  ended: Promise<void>;
  exited(): boolean;
  log: string;
}

function startServer(guard: Guard, name: string, path: string, args: string[]): Server {
  const log = join(guard.folder, `${name}.log`);
  const output = openSync(log, 'a');
  const child = spawn(path, args, { stdio: ['ignore', output, output], cwd: guard.folder });
  guard.watch(child);
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true;
      resolve();
    };
    child.once('exit', end);
    child.once('error', end);
  });
  return { child, ended, exited: () => over, log };
}

function tail(path: string, lines = 8): string {
  return readFileSync(path, 'utf8').trim().split('\n').slice(-lines).join('\n');
}

/** Status code and text of one GET; status 0 when nobody answers. */
function get(url: string, tls: { ca: string; cert: string; key: string }): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const call = request(url, { ...tls, agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', () => resolve({ status: 0, text: '' }));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve({ status: 0, text: '' }));
    call.end();
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Starts etcd and kube-apiserver, and what `options` ask for beside them, with RBAC on and certificates of their own.
 * Resolves when the API server is ready (3–4 s on two cores). Everything listens on 127.0.0.1 only. Processes and folder
 * go away with `stop()`, and also when this process dies without it. Rejects with `BinariesMissing` or `TestbedError`.
 */
export async function startTestbed(options: TestbedOptions = {}): Promise<Testbed> {
  const { controllerManager = false, scheduler = false, kwok = false, audit = false } = options;
  const names: ToolName[] = ['etcd', 'kube-apiserver', 'kubectl'];
  if (controllerManager) names.push('kube-controller-manager');
  if (scheduler) names.push('kube-scheduler');
  if (kwok) names.push('kwok');
  const binaries = await ensureBinaries(names, options);

  const guard = startGuard();
  const { folder } = guard;
  const servers = new Map<string, Server>();
  const inFolder = (name: string): string => join(folder, name);
  try {
    const ca = createCertificateAuthority('lateen-testbed');
    const serving = ca.issueServer('kube-apiserver', {
      ips: ['127.0.0.1', '10.96.0.1'],
      dns: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
    });
    const tokens = createSigningKeys();
    const ports = { etcd: await freePort(), peer: await freePort(), api: await freePort() };
    const url = `https://127.0.0.1:${ports.api}`;
    await mkdir(inFolder('pki'));
    const write = async (name: string, text: string): Promise<string> => {
      await writeFile(inFolder(name), text, { mode: 0o600 });
      return inFolder(name);
    };
    const files = {
      ca: await write('pki/ca.crt', ca.cert),
      // Aggregated authentication has a CA of its own, or clients of the first could claim to be anyone.
      proxyCa: await write('pki/front-proxy-ca.crt', createCertificateAuthority('lateen-testbed-front-proxy').cert),
      caKey: await write('pki/ca.key', ca.key),
      cert: await write('pki/server.crt', serving.cert),
      key: await write('pki/server.key', serving.key),
      saKey: await write('pki/sa.key', tokens.privateKey),
      saPub: await write('pki/sa.pub', tokens.publicKey),
    };

    const issueClient = (cn: string, orgs: string[] = []): Identity => {
      const pair = ca.issueClient(cn, orgs);
      return { ...pair, kubeconfig: kubeconfigText({ url, ca: ca.cert, identity: pair }) };
    };
    const admin = issueClient('admin', ['system:masters']);
    const kubeconfigPath = await write('admin.kubeconfig', admin.kubeconfig);

    const etcdUrl = `http://127.0.0.1:${ports.etcd}`;
    const peerUrl = `http://127.0.0.1:${ports.peer}`;
    const run = (name: ToolName, args: string[]): Server => {
      const server = startServer(guard, name, binaries[name].path, args);
      servers.set(name, server);
      return server;
    };
    run('etcd', [
      `--data-dir=${inFolder('etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--unsafe-no-fsync',
    ]);

    const auditPath = inFolder('audit.log');
    const auditFlags = audit
      ? [
          `--audit-policy-file=${await write('audit-policy.json', AUDIT_POLICY)}`,
          `--audit-log-path=${auditPath}`,
          '--audit-log-mode=blocking', // a record is on disk before its answer is sent
          '--audit-log-maxsize=100000',
        ]
      : [];
    const tls = { ca: ca.cert, cert: admin.cert, key: admin.key };
    const startApiServer = async (): Promise<void> => {
      const server = run('kube-apiserver', [
        `--etcd-servers=${etcdUrl}`,
        `--secure-port=${ports.api}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--tls-cert-file=${files.cert}`,
        `--tls-private-key-file=${files.key}`,
        `--client-ca-file=${files.ca}`,
        `--requestheader-client-ca-file=${files.proxyCa}`,
        '--requestheader-username-headers=X-Remote-User',
        '--requestheader-group-headers=X-Remote-Group',
        `--service-account-key-file=${files.saPub}`,
        `--service-account-signing-key-file=${files.saKey}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        '--service-cluster-ip-range=10.96.0.0/12',
        '--authorization-mode=RBAC',
        '--allow-privileged',
        '--endpoint-reconciler-type=none', // it would log, again and again, that loopback is no endpoint
        ...auditFlags,
        ...(options.apiServerFlags ?? []),
      ]);
      const deadline = Date.now() + READY_MS;
      for (;;) {
        const etcd = servers.get('etcd');
        for (const one of [etcd, server]) {
          if (one?.exited()) throw new TestbedError(`a server of the testbed ended at its start:\n${tail(one.log)}`);
        }
        if ((await get(`${url}/readyz`, tls)).text === 'ok') return;
        if (Date.now() > deadline) {
          throw new TestbedError(`kube-apiserver is not ready after ${READY_MS / 1000} s:\n${tail(server.log)}`);
        }
        await pause(100);
      }
    };
    await startApiServer();

    if (controllerManager) {
      const user = issueClient('system:kube-controller-manager');
      run('kube-controller-manager', [
        `--kubeconfig=${await write('controller-manager.kubeconfig', user.kubeconfig)}`,
        `--service-account-private-key-file=${files.saKey}`,
        `--root-ca-file=${files.ca}`,
        `--cluster-signing-cert-file=${files.ca}`,
        `--cluster-signing-key-file=${files.caKey}`,
        '--use-service-account-credentials',
        '--bind-address=127.0.0.1',
        '--secure-port=0',
        '--leader-elect=false',
        ...(Array.isArray(controllerManager) ? [`--controllers=${controllerManager.join(',')}`] : []),
      ]);
    }
    if (scheduler) {
      const user = issueClient('system:kube-scheduler');
      run('kube-scheduler', [
        `--kubeconfig=${await write('scheduler.kubeconfig', user.kubeconfig)}`,
        '--bind-address=127.0.0.1',
        '--secure-port=0',
        '--leader-elect=false',
      ]);
    }
    if (kwok) {
      const user = issueClient('kwok', ['system:masters']);
      const nodes = Array.from({ length: kwok === true ? 1 : kwok }, (_, index) => ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: `node-${index + 1}`, labels: { 'kubernetes.io/hostname': `node-${index + 1}` } },
      }));
      run('kwok', [
        `--kubeconfig=${await write('kwok.kubeconfig', user.kubeconfig)}`,
        '--manage-all-nodes=true',
        `--config=${await write('kwok-stages.yaml', kwokStages())}`,
        `--server-address=127.0.0.1:${await freePort()}`,
      ]);
      for (const node of nodes) await post(`${url}/api/v1/nodes`, tls, node);
    }

    return {
      url,
      folder,
      kubeconfig: { path: kubeconfigPath, text: admin.kubeconfig },
      pki: { ca: ca.cert, serviceAccountKey: tokens.privateKey },
      users: { admin },
      version: binaries['kube-apiserver'].version,
      binaries: {
        kubectl: binaries.kubectl.path,
        'kube-apiserver': binaries['kube-apiserver'].path,
        etcd: binaries.etcd.path,
      },
      get pids() {
        const running: Record<string, number> = {};
        for (const [name, server] of servers) if (!server.exited()) running[name] = server.child.pid ?? 0;
        return running;
      },
      issueClient,
      writeKubeconfig: (name, identity) => write(`${name}.kubeconfig`, identity.kubeconfig),
      async auditLog() {
        if (!audit) throw new TestbedError('start the testbed with the option audit to read its audit log');
        return parseAuditLog(await readFile(auditPath, 'utf8'));
      },
      async killApiServer() {
        const server = servers.get('kube-apiserver');
        server?.child.kill('SIGKILL');
        await server?.ended;
      },
      startApiServer,
      async stop() {
        // Nothing here is worth an orderly end: the data goes away with the folder.
        for (const server of servers.values()) server.child.kill('SIGKILL');
        await Promise.all([...servers.values()].map((server) => server.ended));
        await guard.release();
      },
    };
  } catch (error) {
    await guard.release();
    throw error;
  }
}

/** Creates one object as the admin. */
function post(url: string, tls: { ca: string; cert: string; key: string }, object: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      { ...tls, method: 'POST', agent: false, headers: { 'content-type': 'application/json' } },
      (response) => {
        response.resume();
        response.on('end', () =>
          response.statusCode === 201 ? resolve() : reject(new TestbedError(`POST ${url}: ${response.statusCode}`)),
        );
      },
    );
    call.on('error', reject);
    call.end(JSON.stringify(object));
  });
}
