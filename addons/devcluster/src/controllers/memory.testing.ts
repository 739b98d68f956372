/** A store in memory for tests of controllers: what the API server does with their writes, and a clock that tests move. */
import { randomUUID } from 'node:crypto';
import { createAuthority } from '../pki/certificates.ts';
import { canonicalObject } from '../types/canonical.ts';
import { BUILTIN } from '../types/compact.ts';
import { applyDefaults } from '../types/defaults.ts';
import { isRecord, type Loose, same } from '../types/loose.ts';
import type { Change, Clock, DeleteHow, SimulationOptions, Writer } from './kit.ts';
import { type Controllers, DEFAULT_SIMULATION, startControllers } from './start.ts';
import { nodeObject } from './system.ts';

class ApiFailure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A clock that stands still until it is told to go on. */
export interface TestClock extends Clock {
  /** Lets `ms` pass, timer by timer, with all work between them done. */
  pass(ms: number): Promise<void>;
}

/** All work that is ready to be done is done. */
async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve));
}

function testClock(): TestClock {
  let now = Date.UTC(2026, 0, 1);
  let seed = 1;
  const timers = new Set<{ at: number; task: () => void }>();
  return {
    now: () => now,
    random: () => {
      seed = (Math.imul(seed, 48271) >>> 0) % 2147483647;
      return seed / 2147483647;
    },
    after(ms, task) {
      const timer = { at: now + ms, task };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async pass(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const next = [...timers].sort((a, b) => a.at - b.at)[0];
        if (!next || next.at > until) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.task();
        await settle();
      }
      now = until;
    },
  };
}

export interface TestCluster extends Writer {
  clock: TestClock;
  controllers: Controllers;
  /** All objects of a kind, oldest first. */
  all(resource: string): Loose[];
  one(resource: string, name: string, namespace?: string): Loose;
  /** Changes an object and writes it back as a client would. */
  change(resource: string, name: string, edit: (object: Loose) => void): Promise<Loose>;
  /** Number of writes so far. */
  writes(): number;
  errors: unknown[];
}

/** A cluster with nodes, the namespace `default` and the controllers running. */
export async function createTestCluster(simulation: Partial<SimulationOptions> = {}): Promise<TestCluster> {
  const clock = testClock();
  const objects = new Map<string, Loose>();
  const errors: unknown[] = [];
  let version = 0;
  let writes = 0;
  const keyFor = (resource: string, namespace: string, name: string): string => `${resource} ${namespace} ${name}`;
  const kindOf = (resource: string): { group: string; version: string; kind: string } => {
    const [plural, apiVersion = '', group = ''] = resource.split('/').reverse();
    const found = BUILTIN.kinds.find(
      (one) => one.plural === plural && one.group === group && one.version === apiVersion,
    );
    if (!found) throw new Error(`no kind for ${resource}`);
    return found;
  };
  const put = (resource: string, object: Loose, type: Change['type'] = 'set'): Loose => {
    writes++;
    const key = keyFor(resource, object.metadata.namespace ?? '', object.metadata.name);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } };
    if (type === 'gone') objects.delete(key);
    else objects.set(key, stored);
    controllers.apply({ type, resource, object: stored });
    return stored;
  };
  const canonical = (resource: string, object: Loose): Loose => {
    const { group, version: apiVersion, kind } = kindOf(resource);
    const result = canonicalObject(group, apiVersion, kind, object)!;
    applyDefaults(group, kind, result);
    return result;
  };
  const writer: Writer = {
    async get(resource, namespace, name) {
      return objects.get(keyFor(resource, namespace, name));
    },
    async create(resource, object) {
      const key = keyFor(resource, object.metadata.namespace ?? '', object.metadata.name);
      if (objects.has(key)) throw new ApiFailure(409, `${key} already exists`);
      const made = canonical(resource, object);
      const { status: _status, ...rest } = made;
      const keepsStatus = kindOf(resource).kind === 'Node';
      return put(resource, {
        ...(keepsStatus ? made : { ...rest, status: {} }),
        metadata: {
          ...made.metadata,
          uid: randomUUID(),
          generation: 1,
          creationTimestamp: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
        },
      });
    },
    async update(resource, object, subresource) {
      const key = keyFor(resource, object.metadata.namespace ?? '', object.metadata.name);
      const before = objects.get(key);
      if (!before) throw new ApiFailure(404, `${key} not found`);
      if (object.metadata.resourceVersion && object.metadata.resourceVersion !== before.metadata.resourceVersion) {
        throw new ApiFailure(409, `${key} has changed`);
      }
      const made = canonical(resource, object);
      const next =
        subresource === 'status'
          ? { ...before, status: made.status }
          : subresource === 'simulation'
            ? made
            : { ...made, status: before.status };
      const generation =
        before.metadata.generation + (same(before.spec, next.spec) || subresource === 'simulation' ? 0 : 1);
      const stored = { ...next, metadata: { ...next.metadata, generation } };
      if (
        same(
          { ...stored, metadata: { ...stored.metadata, resourceVersion: 0 } },
          { ...before, metadata: { ...before.metadata, resourceVersion: 0 } },
        )
      ) {
        return before;
      }
      const done = stored.metadata.deletionTimestamp && !stored.metadata.finalizers?.length && resource !== 'v1/pods';
      return put(resource, stored, done ? 'gone' : 'set');
    },
    async delete(resource, namespace, name, how: DeleteHow = {}) {
      const before = objects.get(keyFor(resource, namespace, name));
      if (!before || (how.uid && how.uid !== before.metadata.uid)) throw new ApiFailure(404, `${name} not found`);
      const finalizers: string[] = [...(before.metadata.finalizers ?? [])];
      if (how.propagationPolicy === 'Foreground' && !finalizers.includes('foregroundDeletion'))
        finalizers.push('foregroundDeletion');
      if (how.propagationPolicy === 'Orphan' && !finalizers.includes('orphan')) finalizers.push('orphan');
      const graceful = resource === 'v1/pods' && before.spec.nodeName && how.gracePeriodSeconds !== 0;
      if (finalizers.length === 0 && !graceful) {
        put(resource, before, 'gone');
        return;
      }
      if (before.metadata.deletionTimestamp && same(finalizers, before.metadata.finalizers ?? [])) return;
      put(resource, {
        ...before,
        metadata: {
          ...before.metadata,
          deletionTimestamp: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
          ...(finalizers.length > 0 ? { finalizers } : {}),
        },
      });
    },
  };
  const controllers = startControllers({
    writer,
    clock,
    authority: createAuthority('test', clock.now() - 1000, clock.now() + 1e9),
    tokenFor: (account) => `token of ${account.metadata.name}`,
    simulation: { ...DEFAULT_SIMULATION, ...simulation },
    report: (controller, error) => errors.push(new Error(`${controller}: ${isRecord(error) ? error.message : error}`)),
  });
  const cluster: TestCluster = {
    ...writer,
    clock,
    controllers,
    errors,
    all: (resource) => [...objects].filter(([key]) => key.startsWith(`${resource} `)).map(([, object]) => object),
    one(resource, name, namespace = 'default') {
      const found = objects.get(keyFor(resource, namespace, name));
      if (!found) throw new Error(`no ${resource} ${namespace}/${name}`);
      return found;
    },
    async change(resource, name, edit) {
      const copy = structuredClone(cluster.one(resource, name));
      edit(copy);
      return writer.update(resource, copy);
    },
    writes: () => writes,
  };
  const now = new Date(clock.now()).toISOString();
  for (
    let index = 1;
    index <= controllers.cache.resources.length && index <= (simulation.nodes ?? DEFAULT_SIMULATION.nodes);
    index++
  ) {
    await writer.create('v1/nodes', nodeObject(index, now, 'v0'));
  }
  await writer.create('v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
    spec: { finalizers: ['kubernetes'] },
  });
  await clock.pass(100);
  return cluster;
}
