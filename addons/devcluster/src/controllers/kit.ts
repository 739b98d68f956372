/** What controllers share: a live view of the cluster, a work queue, and small helpers on objects. */
import type { Loose } from '../types/loose.ts';

/** Time and randomness, injected. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `task` once after `ms`. @returns a function that cancels it. */
  after(ms: number, task: () => void): () => void;
  /** A number in [0, 1). */
  random(): number;
}

/** One kind of object as the API names it, e.g. `apps/v1/deployments`, `v1/pods`. */
export type ResourceName = string;

export interface DeleteHow {
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
  uid?: string;
  resourceVersion?: string;
}

/**
 * Writes of a controller. All of them take and give whole objects; what they are given is not changed.
 * They reject with an error that has the API's `code` (404, 409, …).
 */
export interface Writer {
  /** @returns undefined when there is none. */
  get(resource: ResourceName, namespace: string, name: string): Promise<Loose | undefined>;
  create(resource: ResourceName, object: Loose): Promise<Loose>;
  /**
   * Refused with 409 when the object is not at its `metadata.resourceVersion`. The subresource `simulation` writes spec and
   * status at once and is bound by no rule on what may change: for what nodes and volume plugins do.
   */
  update(resource: ResourceName, object: Loose, subresource?: string): Promise<Loose>;
  delete(resource: ResourceName, namespace: string, name: string, how?: DeleteHow): Promise<void>;
}

/** What changed. `object` is the object as it is now, or as it was last. Never change it. */
export interface Change {
  type: 'set' | 'gone';
  resource: ResourceName;
  object: Loose;
  /** Before, where it was there before. */
  before?: Loose;
}

const NONE: ReadonlyMap<string, Loose> = new Map();

export const keyOf = (object: Loose): string =>
  object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : object.metadata.name;

/** The controller among an object's owners. */
export const controllerOf = (object: Loose): Loose | undefined =>
  (object.metadata.ownerReferences as Loose[] | undefined)?.find((owner) => owner.controller);

/**
 * The objects of the kinds that controllers look at, kept up to date by changes. Reads cost nothing and see every write
 * at once; the objects are shared with the store and must not be changed.
 */
export class Cache {
  readonly #kinds = new Map<ResourceName, Map<string, Loose>>();
  /** Controller uid → keys of what it controls, by resource. */
  readonly #owned = new Map<string, Map<ResourceName, Map<string, Loose>>>();
  readonly #spaces = new Map<string, Map<string, Loose>>();
  readonly #watchers = new Map<ResourceName, ((change: Change) => void)[]>();

  /** Keeps objects of this kind, and tells the watcher of each change. */
  watch(resource: ResourceName, watcher: (change: Change) => void): void {
    const list = this.#watchers.get(resource);
    if (list) list.push(watcher);
    else this.#watchers.set(resource, [watcher]);
    if (!this.#kinds.has(resource)) this.#kinds.set(resource, new Map());
  }

  /** The kinds that somebody watches. */
  get resources(): ResourceName[] {
    return [...this.#kinds.keys()];
  }

  get(resource: ResourceName, namespace: string, name: string): Loose | undefined {
    return this.#kinds.get(resource)?.get(namespace ? `${namespace}/${name}` : name);
  }

  byKey(resource: ResourceName, key: string): Loose | undefined {
    return this.#kinds.get(resource)?.get(key);
  }

  /** All objects of a kind, of one namespace if given. */
  list(resource: ResourceName, namespace?: string): Iterable<Loose> {
    if (namespace === undefined) return (this.#kinds.get(resource) ?? NONE).values();
    return (this.#spaces.get(`${namespace} ${resource}`) ?? NONE).values();
  }

  /** What an owner controls. */
  controlled(resource: ResourceName, uid: string): Loose[] {
    return [...(this.#owned.get(uid)?.get(resource)?.values() ?? [])];
  }

  /** Takes a change in, then tells the watchers of its kind. */
  apply(change: Change): void {
    const { resource, object } = change;
    const kind = this.#kinds.get(resource);
    if (!kind) return;
    const key = keyOf(object);
    const before = kind.get(key);
    const space = object.metadata.namespace ? `${object.metadata.namespace} ${resource}` : undefined;
    if (before) this.#unown(resource, key, before);
    if (change.type === 'gone') {
      kind.delete(key);
      if (space) {
        const objects = this.#spaces.get(space);
        objects?.delete(key);
        if (objects?.size === 0) this.#spaces.delete(space);
      }
    } else {
      kind.set(key, object);
      if (space) {
        const objects = this.#spaces.get(space);
        if (objects) objects.set(key, object);
        else this.#spaces.set(space, new Map([[key, object]]));
      }
      const owner = controllerOf(object)?.uid as string | undefined;
      if (owner) {
        let byResource = this.#owned.get(owner);
        if (!byResource) {
          byResource = new Map();
          this.#owned.set(owner, byResource);
        }
        const objects = byResource.get(resource);
        if (objects) objects.set(key, object);
        else byResource.set(resource, new Map([[key, object]]));
      }
    }
    for (const watcher of this.#watchers.get(resource) ?? []) watcher(before ? { ...change, before } : change);
  }

  #unown(resource: ResourceName, key: string, before: Loose): void {
    const owner = controllerOf(before)?.uid as string | undefined;
    if (!owner) return;
    const byResource = this.#owned.get(owner);
    const objects = byResource?.get(resource);
    objects?.delete(key);
    if (objects?.size === 0) byResource?.delete(resource);
    if (byResource?.size === 0) this.#owned.delete(owner);
  }
}

/** The code of an API error; 0 for any other error. */
export function errorCode(error: unknown): number {
  const code = typeof error === 'object' && error !== null ? (error as Loose).code : undefined;
  return typeof code === 'number' ? code : 0;
}

export interface Queue {
  /** Has the key worked on, after `ms` at the soonest; one that waits already keeps its earlier time. */
  add(key: string, ms?: number): void;
  stop(): void;
}

const RETRY_MS = { first: 20, last: 30_000 };

/**
 * Works on keys one at a time; a key that is added while it is worked on is worked on again. What fails is tried again, after
 * twice the time as before; a conflict or an object that is gone is no failure, since a change of that object brings it back.
 */
export function createQueue(
  clock: Clock,
  work: (key: string) => Promise<void>,
  report: (error: unknown, key: string) => void,
): Queue {
  const ready = new Set<string>();
  const timers = new Map<string, { at: number; cancel: () => void }>();
  const failures = new Map<string, number>();
  let running = false;
  let stopped = false;

  const drain = async (): Promise<void> => {
    if (running) return;
    running = true;
    try {
      for (const key of ready) {
        if (stopped) return;
        ready.delete(key);
        try {
          await work(key);
          failures.delete(key);
        } catch (error) {
          const code = errorCode(error);
          const count = (failures.get(key) ?? 0) + 1;
          failures.set(key, count);
          if (code !== 409 && code !== 404) report(error, key);
          add(key, Math.min(RETRY_MS.last, RETRY_MS.first * 2 ** (count - 1)));
        }
      }
    } finally {
      running = false;
    }
    if (ready.size > 0) wake();
  };
  const wake = (): void => {
    if (!running && !stopped) setImmediate(() => void drain());
  };
  const add = (key: string, ms = 0): void => {
    if (stopped) return;
    const timer = timers.get(key);
    if (ms <= 0) {
      if (timer) {
        timer.cancel();
        timers.delete(key);
      }
      if (!ready.has(key)) {
        ready.add(key);
        wake();
      }
      return;
    }
    if (ready.has(key)) return;
    const at = clock.now() + ms;
    if (timer) {
      if (timer.at <= at) return;
      timer.cancel();
    }
    timers.set(key, {
      at,
      cancel: clock.after(ms, () => {
        timers.delete(key);
        add(key);
      }),
    });
  };
  return {
    add,
    stop() {
      stopped = true;
      for (const timer of timers.values()) timer.cancel();
      timers.clear();
      ready.clear();
    },
  };
}

/** What every controller gets. */
export interface Context {
  cache: Cache;
  writer: Writer;
  clock: Clock;
  options: SimulationOptions;
  /** A work queue that is stopped with the controllers. */
  queue(name: string, work: (key: string) => Promise<void>): Queue;
}

/** How the simulation behaves. Times are in milliseconds. */
export interface SimulationOptions {
  /** `pods`: workloads have Pod objects. `status-only`: they report what they would with pods, without having any. */
  workloads: 'pods' | 'status-only';
  /** Number of simulated nodes. */
  nodes: number;
  /** From a pod's creation until its containers run. */
  podStartMs: number;
  /** How long a Job's pod runs. */
  jobRunMs: number;
  /** Changes within this time end in one status write. */
  batchMs: number;
}

/** A time as API objects hold it, in whole seconds. */
export const timestamp = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

/** Whether a label selector selects the labels; one that is null selects nothing, an empty one everything. */
export function selects(selector: Loose | null | undefined, labels: Loose | undefined): boolean {
  if (!selector) return false;
  const { matchLabels, matchExpressions } = selector;
  for (const key in matchLabels) if (labels?.[key] !== matchLabels[key]) return false;
  for (const { key, operator, values } of (matchExpressions as Loose[] | undefined) ?? []) {
    const value = labels?.[key] as string | undefined;
    if (operator === 'In' ? value === undefined || !values.includes(value) : false) return false;
    if (operator === 'NotIn' && value !== undefined && values.includes(value)) return false;
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
  }
  return true;
}

/** Whether a plain map of labels (a Service's selector) selects the labels; an empty one selects nothing. */
export function mapSelects(selector: Loose | undefined, labels: Loose | undefined): boolean {
  let any = false;
  for (const key in selector) {
    any = true;
    if (labels?.[key] !== selector[key]) return false;
  }
  return any;
}

/** A number of things from `3` or `25%` of a total. */
export function countOf(value: number | string | undefined, total: number, roundUp: boolean): number {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  const share = (Number.parseFloat(value) / 100) * total;
  return roundUp ? Math.ceil(share) : Math.floor(share);
}

/** An owner reference to the controller of an object. */
export function controllerReference(owner: Loose, apiVersion: string, kind: string): Loose {
  const { name, uid } = owner.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** Five letters as the API appends them to generated names. */
export function randomSuffix(clock: Clock, length = 5): string {
  let result = '';
  for (let i = 0; i < length; i++) result += LETTERS[Math.floor(clock.random() * LETTERS.length)];
  return result;
}

/** JSON with the fields of objects in alphabetical order, so that equal values give equal text. */
export function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const object = value as Loose;
    const fields = Object.keys(object)
      .filter((key) => object[key] !== undefined)
      .sort();
    return `{${fields.map((key) => `${JSON.stringify(key)}:${stableJson(object[key])}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** A short name for a value: the same for equal values, made of letters that spell no word. */
export function hashName(value: unknown): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(stableJson(value), 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => LETTERS[digit.charCodeAt(0) % LETTERS.length]).join('');
}

/**
 * The conditions with one of them set; the time of the last change stays when its status does.
 * @returns the same list when nothing changes.
 */
export function withCondition(
  conditions: Loose[] | undefined,
  condition: { type: string; status: string; reason: string; message: string },
  now: string,
  stampUpdate = false,
): Loose[] {
  const list = conditions ?? [];
  const at = list.findIndex((one) => one.type === condition.type);
  const before = list[at];
  if (
    before &&
    before.status === condition.status &&
    before.reason === condition.reason &&
    before.message === condition.message
  ) {
    return list;
  }
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now;
  const next = { ...condition, lastTransitionTime, ...(stampUpdate ? { lastUpdateTime: now } : {}) };
  return before ? list.with(at, next) : [...list, next];
}

/** The condition of a type. */
export const conditionOf = (object: Loose, type: string): Loose | undefined =>
  (object.status?.conditions as Loose[] | undefined)?.find((one) => one.type === type);

export const isPodReady = (pod: Loose): boolean => conditionOf(pod, 'Ready')?.status === 'True';

/** Whether a pod counts among those that its controller wants: not ended and not being deleted. */
export const isPodActive = (pod: Loose): boolean =>
  pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed' && !pod.metadata.deletionTimestamp;

/** Milliseconds until a ready pod counts as available; 0 when it does, undefined when it is not ready. */
export function untilAvailable(pod: Loose, minReadySeconds: number, now: number): number | undefined {
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (!minReadySeconds) return 0;
  return Math.max(0, Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 - now);
}

/** Deletes, or finds it gone already. */
export async function deleteIfThere(
  writer: Writer,
  resource: ResourceName,
  object: Loose,
  how: DeleteHow = {},
): Promise<void> {
  try {
    await writer.delete(resource, object.metadata.namespace ?? '', object.metadata.name, {
      uid: object.metadata.uid,
      ...how,
    });
  } catch (error) {
    if (errorCode(error) !== 404 && errorCode(error) !== 409) throw error;
  }
}
