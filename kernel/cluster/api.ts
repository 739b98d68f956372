/**
 * What the kernel asks of a Kubernetes API. `connect()` gives one over the network; tests and the fault suite put
 * a model of the API in its place. The kernel cannot tell which it talks to.
 */
import type { JsonPatchOperation, KubeObject } from '@lateen/schemas';

export interface ObjectRef {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
}

/** REST mapping of a kind, from discovery. */
export interface ResourceMapping {
  apiVersion: string;
  kind: string;
  /** Plural name in URLs: `deployments`. */
  resource: string;
  /** API group; empty for the core group. */
  group: string;
  namespaced: boolean;
  verbs: string[];
  subresources: string[];
}

export interface CallOptions {
  signal?: AbortSignal;
  /** Milliseconds until the call fails with LTN309. Default 30 s. */
  timeoutMs?: number;
}

export interface WriteOptions extends CallOptions {
  fieldManager?: string;
  dryRun?: boolean;
  subresource?: 'status' | 'scale' | 'token' | 'approval';
}

export interface ListQuery {
  apiVersion: string;
  kind: string;
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface DeleteOptions extends CallOptions {
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  uid?: string;
  resourceVersion?: string;
  gracePeriodSeconds?: number;
}

/** Kubernetes' answer to a call that failed. `status` 0: the server was not reached or did not answer in time. */
export class ApiError extends Error {
  readonly status: number;
  /** Kubernetes' reason: `NotFound`, `Conflict`, `Expired`, …; `Timeout` and `Unreachable` are ours. */
  readonly reason: string;
  readonly details: unknown;
  /** Milliseconds that the server asks to wait before a retry. */
  readonly retryAfterMs: number | undefined;
  constructor(status: number, reason: string, message: string, details?: unknown, retryAfterMs?: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }
}

export type Change<T> =
  | { type: 'added'; key: string; now: T }
  | { type: 'modified'; key: string; before: T; now: T }
  | { type: 'deleted'; key: string; before: T };

export interface InformerOptions<T> extends ListQuery {
  /** Ask for `PartialObjectMetadata` instead of whole objects. */
  metadataOnly?: boolean;
  /** Keeps only what is needed of each object; `undefined` leaves the object out. Called once per event. */
  transform(object: KubeObject): T | undefined;
  onChange(change: Change<T>): void;
  /** Called when list or watch fails; the informer goes on by itself with backoff. */
  onError?(error: Error): void;
  /** Milliseconds of silence (bookmarks count as sound) after which the watch is taken for dead. Default 90 s. */
  stallMs?: number;
  /** Objects a page. Default 500. */
  pageSize?: number;
}

/** A list kept current by a watch. Keys are `namespace/name`, or `name` for cluster-scoped kinds. */
export interface Informer<T> {
  /** Starts; resolves once the first list is complete. Keeps trying until then; rejects only when stopped. */
  start(): Promise<void>;
  stop(): void;
  readonly synced: boolean;
  /** Clock time at which the server was last heard from; 0 before the first answer. */
  readonly heardAt: number;
  get(key: string): T | undefined;
  values(): IterableIterator<T>;
  readonly size: number;
}

export interface ClusterApi {
  /** The server's version. */
  version(options?: CallOptions): Promise<{ major: number; minor: number; gitVersion: string }>;
  /** REST mapping of a kind. Looks again when the kind is unknown; `undefined` when the server does not serve it. */
  mapping(apiVersion: string, kind: string, options?: CallOptions): Promise<ResourceMapping | undefined>;
  /** All mappings that discovery knows now. */
  mappings(options?: CallOptions): Promise<ResourceMapping[]>;
  /** `undefined` when there is no such object (404 of the object, not of the kind: that is LTN304). */
  get(ref: ObjectRef, options?: CallOptions): Promise<KubeObject | undefined>;
  /** The complete list, over all pages of one snapshot. Rejects rather than answer a part. */
  list(query: ListQuery, options?: CallOptions & { metadataOnly?: boolean }): Promise<KubeObject[]>;
  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** PUT; conflicts when `metadata.resourceVersion` is stale. */
  replace(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  mergePatch(ref: ObjectRef, patch: object, options?: WriteOptions): Promise<KubeObject>;
  jsonPatch(ref: ObjectRef, patch: JsonPatchOperation[], options?: WriteOptions): Promise<KubeObject>;
  /** Server-side apply. `fieldManager` is required; `force` takes fields from other managers. */
  apply(object: KubeObject, options: WriteOptions & { fieldManager: string; force?: boolean }): Promise<KubeObject>;
  /** Resolves when the server accepted the deletion; `false` when there was no such object. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean>;
  informer<T>(options: InformerOptions<T>): Informer<T>;
  /** A raw request, for what has no method here. `path` starts with `/`. */
  request(
    method: string,
    path: string,
    body?: unknown,
    options?: CallOptions & { contentType?: string },
  ): Promise<unknown>;
  /** Requests made so far, by verb (`get`, `list`, `watch`, `create`, `patch`, …). */
  readonly requests: Readonly<Record<string, number>>;
  close(): void;
}

/** Key of an object in informers and queues. */
export function objectKey(object: { metadata: { namespace?: string; name?: string } }): string {
  const { namespace, name = '' } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}
