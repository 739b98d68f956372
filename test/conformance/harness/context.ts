/** What a case has in its hands, and the transcript that it writes by using it. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { runCommand } from '../../testbed/command.ts';
import type { Answer, CallOptions, Connection, WatchEvent } from './connection.ts';
import { createNormaliser, type Json } from './normalise.ts';

/** A server under test. */
export interface ServerUnderTest {
  name: 'kube-apiserver' | 'devcluster';
  connection: Connection;
  kubeconfigPath: string;
  /** Path of kubectl. */
  kubectl: string;
  /** Scratch folder, for kubectl's caches. */
  folder: string;
}

export interface Step {
  step: string;
  [part: string]: Json;
}

export interface Case {
  name: string;
  run(context: CaseContext): Promise<void>;
  /** Runs in no namespace of its own. */
  clusterScoped?: boolean;
}

/** Cases on one subject. */
export interface CaseGroup {
  name: string;
  /** Which pair of servers the cases want; see `harness/servers.ts`. */
  profile: 'machinery' | 'workloads';
  cases: Case[];
}

export interface WatchOptions extends CallOptions {
  /** Stop after this many events. */
  count?: number;
  /** Stop after this event. */
  until?(event: WatchEvent): boolean;
  /** Runs once the watch is open. */
  during?(): Promise<void>;
  /** Leaves events out of the record. */
  ignore?(event: WatchEvent): boolean;
}

export interface KubectlOptions {
  stdin?: string;
  /** How to record standard output; default as text. */
  as?: 'text' | 'json' | 'nothing';
  timeoutMs?: number;
}

export interface CaseContext {
  readonly server: ServerUnderTest;
  /** The case's own namespace; it exists. */
  readonly ns: string;
  /** A part of names that is new in every run: `a1b2c3`. */
  readonly runId: string;
  /** A cluster-wide unique name: `name-<slug of the case>-<run>`. */
  unique(name: string): string;
  /** URL path of a namespaced collection or object in the case's namespace: `at('apps/v1', 'deployments', 'web', 'status')`. */
  at(apiVersion: string, resource: string, name?: string, subresource?: string): string;
  /** Like `at`, in no namespace. */
  atCluster(apiVersion: string, resource: string, name?: string, subresource?: string): string;
  /** A request whose answer goes into the transcript. */
  call(step: string, method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Server-side apply, recorded. */
  apply(step: string, path: string, manager: string, body: unknown, options?: ApplyOptions): Promise<Answer>;
  /** A patch with the short name of its type, recorded. */
  patch(step: string, type: PatchType, path: string, body: unknown, options?: CallOptions): Promise<Answer>;
  /** A request that only prepares; a failure fails the case. */
  prepare(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** A request that is neither recorded nor judged. */
  quiet(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Opens a watch, collects its events, records them. */
  watch(step: string, path: string, options: WatchOptions): Promise<WatchEvent[]>;
  /** Runs kubectl in the case's namespace, recorded. */
  kubectl(
    step: string,
    args: string[],
    options?: KubectlOptions,
  ): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Puts a value into the transcript. */
  record(step: string, value: unknown): void;
  /** Asks again every 100 ms until the answer is not undefined or false; fails after 30 s by default. Not recorded. */
  until<T>(what: string, ask: () => Promise<T | undefined | false>, withinMs?: number): Promise<T>;
  /** Creates a CRD and waits until it is served; returns the URL path of its collection in the namespace. */
  crd(definition: CrdInput): Promise<InstalledCrd>;
}

export interface ApplyOptions extends CallOptions {
  force?: boolean;
  dryRun?: boolean;
  query?: string;
}

export type PatchType = 'json' | 'merge' | 'strategic';

export const PATCH_TYPES: Record<PatchType | 'apply', string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

export interface CrdInput {
  /** `Widget` */
  kind: string;
  /** Schema of the whole object. */
  schema: object;
  cluster?: boolean;
  /** More of the version: subresources, additionalPrinterColumns, selectableFields. */
  version?: object;
  names?: object;
}

export interface InstalledCrd {
  kind: string;
  group: string;
  apiVersion: string;
  plural: string;
  /** Name of the CRD object. */
  name: string;
  /** Path of the collection. */
  path: string;
  /** An object of the kind. */
  object(name: string, content: object): { apiVersion: string; kind: string; metadata: { name: string } };
}

interface Running {
  context: CaseContext;
  transcript(): Step[];
  cleanUp(): Promise<void>;
}

/** Prefix of a path of API `apiVersion`. */
export function apiPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 30)
    .replace(/-+$/, '');
}

/** Four hex digits, so that names cut to the same start still differ. */
function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 4);
}

const HEADERS = ['warning', 'retry-after', 'allow', 'location'];

/** Prepares a case on a server. `runId` is the same on all servers of one run, and new in every run. */
export async function startCase(
  server: ServerUnderTest,
  group: string,
  definition: Case,
  runId: string,
): Promise<Running> {
  const { connection } = server;
  const title = `${group} ${definition.name}`;
  const id = `${slug(title)}-${shortHash(title)}-${runId}`;
  const ns = `c-${id}`;
  const normaliser = createNormaliser({
    words: { [runId]: 'RUN', [connection.url]: 'https://SERVER', [new URL(connection.url).host]: 'SERVER' },
  });
  const steps: Step[] = [];
  const crds: string[] = [];

  const place = (apiVersion: string, middle: string, resource: string, name?: string, subresource?: string): string =>
    [`${apiPath(apiVersion)}${middle}/${resource}`, name, subresource].filter((part) => part !== undefined).join('/');

  function recordAnswer(step: string, answer: Answer): void {
    const headers = Object.fromEntries(HEADERS.flatMap((h) => (answer.headers[h] ? [[h, answer.headers[h]]] : [])));
    steps.push({
      step,
      status: answer.status,
      ...(Object.keys(headers).length > 0 ? { headers: normaliser.value(headers) } : {}),
      body: normaliser.value(answer.body),
    });
  }

  async function prepare(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const answer = await connection.call(method, path, { body, ...options });
    if (answer.status >= 300) throw new Error(`preparing: ${method} ${path} answers ${answer.status}: ${answer.text}`);
    return answer;
  }

  const context: CaseContext = {
    server,
    ns,
    runId,
    unique: (name) => `${name}-${id}`,
    at: (apiVersion, resource, name, sub) => place(apiVersion, `/namespaces/${ns}`, resource, name, sub),
    atCluster: (apiVersion, resource, name, sub) => place(apiVersion, '', resource, name, sub),
    async call(step, method, path, options) {
      const answer = await connection.call(method, path, options);
      recordAnswer(step, answer);
      return answer;
    },
    patch: (step, type, path, body, options) =>
      context.call(step, 'PATCH', path, { ...options, contentType: PATCH_TYPES[type], body }),
    apply(step, path, manager, body, { force, dryRun, query, ...options } = {}) {
      const parameters = [`fieldManager=${manager}`];
      if (force) parameters.push('force=true');
      if (dryRun) parameters.push('dryRun=All');
      if (query) parameters.push(query);
      const target = `${path}?${parameters.join('&')}`;
      return context.call(step, 'PATCH', target, { ...options, contentType: PATCH_TYPES.apply, body });
    },
    prepare,
    quiet: (method, path, options) => connection.call(method, path, options),
    async watch(step, path, { count = Number.POSITIVE_INFINITY, until, during, ignore, ...options }) {
      const stream = await connection.watch(path, options);
      const events: WatchEvent[] = [];
      let end = 'stopped by the case';
      try {
        if (stream.status !== 200) {
          steps.push({ step, status: stream.status, body: normaliser.value(stream.failure) });
          return events;
        }
        await during?.();
        while (events.length < count) {
          const event = await stream.next();
          if (event === 'silence' || event === undefined) {
            end = event === undefined ? 'ended by the server' : 'silence';
            break;
          }
          if (ignore?.(event)) continue;
          events.push(event);
          if (until?.(event)) break;
        }
      } finally {
        stream.close();
      }
      steps.push({ step, events: normaliser.value(events), end });
      return events;
    },
    async kubectl(step, args, { stdin, as = 'text', timeoutMs = 60_000 } = {}) {
      const result = await runCommand(server.kubectl, ['-n', ns, ...args], {
        stdin,
        timeoutMs,
        cwd: server.folder,
        env: {
          KUBECONFIG: server.kubeconfigPath,
          KUBECACHEDIR: join(server.folder, `kube-cache-${server.name}`),
          HOME: server.folder,
        },
      });
      const normalOutput =
        as === 'nothing'
          ? ''
          : as === 'json'
            ? normaliser.value(JSON.parse(result.stdout || 'null'))
            : normaliser.text(result.stdout);
      steps.push({ step, code: result.code, stdout: normalOutput, stderr: normaliser.text(result.stderr) });
      return result;
    },
    record: (step, value) => {
      steps.push({ step, value: typeof value === 'string' ? normaliser.text(value) : normaliser.value(value) });
    },
    async until(what, ask, withinMs = 30_000) {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const answer = await ask();
        if (answer !== undefined && answer !== false) return answer;
        if (Date.now() > deadline) throw new Error(`waited ${withinMs / 1000} s in vain: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async crd({ kind, schema, cluster = false, version = {}, names = {} }) {
      const group = `${id.slice(-40).replace(/^-+/, '')}.example.com`;
      const singular = kind.toLowerCase();
      const plural = `${singular}s`;
      const name = `${plural}.${group}`;
      const all = `${apiPath('apiextensions.k8s.io/v1')}/customresourcedefinitions`;
      crds.push(name);
      await prepare('POST', all, {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name },
        spec: {
          group,
          scope: cluster ? 'Cluster' : 'Namespaced',
          names: { plural, singular, kind, ...names },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
        },
      });
      const path = cluster
        ? `${apiPath(`${group}/v1`)}/${plural}`
        : `${apiPath(`${group}/v1`)}/namespaces/${ns}/${plural}`;
      await context.until(`CRD ${name} is established and served`, async () => {
        const answer = await connection.call('GET', `${all}/${name}`);
        const conditions = (answer.body.status?.conditions ?? []) as { type: string; status: string }[];
        if (!conditions.some((one) => one.type === 'Established' && one.status === 'True')) return false;
        return (await connection.call('GET', path)).status === 200;
      });
      return {
        kind,
        group,
        apiVersion: `${group}/v1`,
        plural,
        name,
        path,
        object: (objectName, content) => ({
          apiVersion: `${group}/v1`,
          kind,
          metadata: { name: objectName },
          ...content,
        }),
      };
    },
  };

  if (!definition.clusterScoped) {
    await prepare('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
  }
  return {
    context,
    transcript: () => steps,
    async cleanUp() {
      const all = `${apiPath('apiextensions.k8s.io/v1')}/customresourcedefinitions`;
      for (const name of crds) await connection.call('DELETE', `${all}/${name}`);
      if (!definition.clusterScoped) await connection.call('DELETE', `/api/v1/namespaces/${ns}`);
    },
  };
}
