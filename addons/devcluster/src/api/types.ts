/**
 * What the API machinery and the rest of this addon ask of each other.
 *
 * The machinery (this folder) knows how a Kubernetes API behaves; what it serves comes from a `KindLibrary`: the built-in kinds,
 * their schemas and what is special about each. Who may do what comes from `Access`. Controllers use a `LocalApi`.
 *
 * Everything here is synchronous but for the network: one process, one store, one write at a time, so a request reads, decides and
 * writes without anything in between.
 */

/** A Kubernetes object, or a part of one, that is read by field name; the schema check stands before whoever reads it. */
// biome-ignore lint/suspicious/noExplicitAny: objects of any kind; see above
export type Loose = Record<string, any>;

/** Time and randomness, injected. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `task` once after `ms`. @returns a function that cancels it. */
  after(ms: number, task: () => void): () => void;
  /** A number in [0, 1). */
  random(): number;
}

/** How a list or map is merged by server-side apply and strategic merge patches, and what may stand in a value. */
export interface SchemaNode {
  /** Absent: any value. */
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  /** May be getters: a node is only looked into when it is needed, so trees may refer to themselves. */
  properties?: Record<string, SchemaNode>;
  /** Schema of the values of a map; `true`: any. */
  additionalProperties?: SchemaNode | true;
  items?: SchemaNode;
  required?: string[];
  default?: unknown;
  nullable?: boolean;
  enum?: unknown[];
  format?: string;
  title?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: SchemaNode[];
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  not?: SchemaNode;
  /** `x-kubernetes-list-type`; absent: atomic, but see `patchStrategy`. */
  listType?: 'atomic' | 'set' | 'map';
  listMapKeys?: string[];
  /** `x-kubernetes-map-type`; absent: granular. */
  mapType?: 'atomic' | 'granular';
  preserveUnknown?: boolean;
  /** An integer or a string. */
  intOrString?: boolean;
  /** A whole object with apiVersion, kind and metadata. */
  embeddedResource?: boolean;
  /** Merge key of strategic merge patches. */
  patchMergeKey?: string;
  /** `merge`, `replace`, `retainKeys` or several of them with commas between. */
  patchStrategy?: string;
  /** CEL rules (`x-kubernetes-validations`), as given. */
  validations?: Loose[];
  /** Name of the type in OpenAPI documents, e.g. `io.k8s.api.core.v1.PodSpec`; nodes without one are written in place. */
  typeName?: string;
  /** A quantity such as `500m`; its type is `string`, numbers are accepted too. */
  quantity?: boolean;
}

export interface SubresourceInfo {
  /** `status`, `scale`, `token`, … */
  name: string;
  /** Kind of its bodies; group and version when they are not those of the parent. */
  kind: string;
  group?: string;
  version?: string;
  verbs: string[];
}

/** One kind in one version, as it is served. */
export interface KindInfo {
  /** Empty for the core group. */
  group: string;
  version: string;
  kind: string;
  /** Default: kind + `List`. */
  listKind?: string;
  plural: string;
  singular: string;
  shortNames: string[];
  categories: string[];
  namespaced: boolean;
  verbs: string[];
  subresources: SubresourceInfo[];
  schema: SchemaNode;
  /**
   * `group/version/plural` under which its objects are kept, when that is another version or group than its own
   * (Events are one store in two groups). The library's `convert` changes the form.
   */
  storedAs?: ResourceName;
  /** Set for kinds of a CustomResourceDefinition, by the machinery. */
  custom?: CustomKind;
}

/** What the machinery knows beside of a kind that a CustomResourceDefinition defines. */
export interface CustomKind {
  definitionUid: string;
  /** Version in which objects are stored. */
  storageVersion: string;
  printerColumns: Loose[];
  /** Paths of the scale subresource, as given in the definition. */
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  selectableFields: string[];
  deprecated?: boolean;
  deprecationWarning?: string;
}

/** `v1/pods`, `apps/v1/deployments`: a kind in one version as URLs name it. */
export type ResourceName = string;

export interface StatusCause {
  reason: string;
  /** What follows `field: ` in the Status message, e.g. `Invalid value: 3: must be …`. */
  message: string;
  field: string;
}

/** One rule for a request: what the API server calls an action's attributes. */
export interface AccessAttributes {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; lower-case HTTP method for other paths. */
  verb: string;
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
  namespace?: string;
  /** For paths that are no resources, e.g. `/healthz`. */
  path?: string;
}

export interface UserInfo {
  name: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

/** What authentication sees of a request. */
export interface AuthRequest {
  headers: Record<string, string | string[] | undefined>;
  /** The verified client certificate in DER; undefined when there is none or it was not signed by the client CA. */
  certificate?: Uint8Array;
}

/** Who may do what. Without it everything is allowed and everyone is `system:admin`. */
export interface Access {
  /** @returns the user; undefined: refuse with 401; anonymous users are for it to decide. */
  authenticate(request: AuthRequest): UserInfo | undefined;
  /** `reason` of a refusal is appended to the message. */
  authorize(user: UserInfo, attributes: AccessAttributes): { allowed: boolean; reason: string };
}

/** A write, on its way to the store. */
export interface Operation {
  verb: 'create' | 'update' | 'delete';
  kind: KindInfo;
  /** Empty: the object itself. `simulation`: spec and status at once, no rule on what may change (controllers only). */
  subresource: string;
  user: UserInfo;
  dryRun: boolean;
  /** Query options of the request, e.g. fieldManager; empty for local writes. */
  namespace: string;
  name: string;
}

/** What is special about a kind. All functions may change the `object` they are given, never `old`. */
export interface KindStrategy {
  /** Form of names. Default: DNS subdomain for built-in and custom kinds. @returns what is wrong with the name. */
  nameProblems?(name: string, isPrefix: boolean): string[];
  /** Before defaults are checked, e.g. clears the status, allocates a cluster IP. Default: removes `status` where the kind has that subresource. */
  prepareCreate?(object: Loose, operation: Operation): void;
  /**
   * Default, main resource: status is that of `old`; subresource `status`: everything but status (and metadata that may change) is that of `old`.
   * Runs in addition to the default.
   */
  prepareUpdate?(object: Loose, old: Loose, operation: Operation): void;
  /** Fields that writes on the main resource do not own, as paths. Default: `[['status']]` where there is a status subresource. */
  resetFields?: string[][];
  /** Likewise for `/status`. Default for built-in kinds `[['spec']]`, for custom kinds everything but status. */
  statusResetFields?: string[][];
  /**
   * What counts for `metadata.generation`: `spec` (default where the schema has a spec and the kind a generation), `none`, or
   * a function that says whether it goes up.
   */
  generation?: 'spec' | 'none' | ((object: Loose, old: Loose) => boolean);
  /** Values for field selectors beside metadata.name and metadata.namespace, by field. */
  fieldSelectors?: Record<string, (object: Loose) => string>;
  /** PUT creates what is not there. Default false. */
  createOnUpdate?: boolean;
  /** PUT without resourceVersion is allowed. Default true. */
  unconditionalUpdate?: boolean;
  /** Seconds between the request to delete and the end; undefined: gone at once. Given the wish of the client, if any. */
  gracePeriodSeconds?(object: Loose, wanted: number | undefined): number | undefined;
  /** Whether the object is deleted with its dependents left behind when the client says nothing. Default background. */
  defaultPropagation?: 'Background' | 'Orphan';
  /** The kind's own veto or finalizers at deletion, e.g. namespaces go to Terminating. @returns true: keep the object (as changed). */
  prepareDelete?(object: Loose, operation: Operation): boolean;
  /**
   * Asked on every update of an object that is being deleted and has no finalizers: true keeps it (namespaces with `spec.finalizers`).
   * Default: it stays while its grace period is not over, else it goes.
   */
  staysWhileDeleted?(object: Loose): boolean;
  /** Warnings (HTTP header) for an object that is accepted. */
  warnings?(object: Loose, old: Loose | undefined): string[];
}

export interface TableColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  priority?: number;
}

export interface TableDefinition {
  columns: TableColumn[];
  /** Values of one row. `now` in milliseconds, for ages. */
  cells(object: Loose, now: number): unknown[];
}

/** A request on a subresource or kind that is not simply stored, e.g. `serviceaccounts/token`, SubjectAccessReview. */
export interface SpecialRequest {
  kind: KindInfo;
  subresource: string;
  verb: string;
  namespace: string;
  name: string;
  user: UserInfo;
  body: Loose | undefined;
  query: URLSearchParams;
  dryRun: boolean;
  /** The object that the subresource belongs to, when it is there. */
  object: Loose | undefined;
}

/** Answer to a special request; text bodies are for logs. */
export interface SpecialAnswer {
  code: number;
  body: Loose | string;
}

/**
 * The built-in kinds. For kinds of CustomResourceDefinitions the machinery does all this from the definition, but asks
 * `fieldFaults` nothing of them.
 */
export interface KindLibrary {
  kinds: KindInfo[];
  /** Go's form of an object of a built-in kind (zero values left out or written, quantities in one form). May return a new object. */
  canonicalObject(kind: KindInfo, object: Loose): Loose;
  /** Writes defaults into the object. */
  defaultObject(kind: KindInfo, object: Loose): void;
  /** Faults of an object of a built-in kind; `old` on updates. Metadata is checked by the machinery. */
  validateObject(kind: KindInfo, object: Loose, old: Loose | undefined, subresource: string): StatusCause[];
  strategy(kind: KindInfo): KindStrategy;
  tableColumns(kind: KindInfo): TableDefinition | undefined;
  /** Admission: may change the object (on create and update) or throw a StatusError. Called after defaults, before validation. */
  admit?(operation: Operation, object: Loose | undefined, old: Loose | undefined, api: LocalApi): void;
  /** Subresources beside status and scale, and kinds that are only created and never stored. undefined: not implemented (405). */
  special?(request: SpecialRequest, api: LocalApi): SpecialAnswer | Promise<SpecialAnswer> | undefined;
  /** Whether objects of this kind are never stored (reviews): POST goes to `special`. */
  isVirtual?(kind: KindInfo): boolean;
  /** Between two kinds of one store; both have the same `storedAs` (or one is the store's own). */
  convert?(object: Loose, from: KindInfo, to: KindInfo): Loose;
  /** A whole OpenAPI v3 document for a group version, read when asked for; without it one is built from the schemas. */
  openApiDocument?(group: string, version: string): string | undefined;
}

export interface LocalDeleteOptions {
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
  uid?: string;
  resourceVersion?: string;
}

/** A change of the store. Objects are in their stored version; never change them. */
export interface StoreChange {
  type: 'set' | 'gone';
  /** The store's own resource name, e.g. `events.k8s.io/v1/events` also for core Events. */
  resource: ResourceName;
  object: Loose;
  before?: Loose;
}

/**
 * The API without a network, for what runs in this process. Synchronous; throws StatusError. Objects that are returned are shared
 * with the server: never change them. Writes pass defaults, validation and admission; authorization does not apply.
 */
export interface LocalApi {
  /** @returns undefined when there is none. */
  get(resource: ResourceName, namespace: string, name: string): Loose | undefined;
  /** All objects, of one namespace if given. */
  list(resource: ResourceName, namespace?: string): Loose[];
  create(resource: ResourceName, object: Loose, options?: LocalWriteOptions): Loose;
  /** `subresource` `status` for the status; `simulation` writes spec and status at once and is bound by no rule on what may change. */
  update(resource: ResourceName, object: Loose, subresource?: string, options?: LocalWriteOptions): Loose;
  updateStatus(resource: ResourceName, object: Loose, options?: LocalWriteOptions): Loose;
  /** JSON merge patch. */
  patch(resource: ResourceName, namespace: string, name: string, patch: Loose, subresource?: string, options?: LocalWriteOptions): Loose;
  /** @returns the object as it was or now is (finalizers); undefined when there was none. */
  delete(resource: ResourceName, namespace: string, name: string, options?: LocalDeleteOptions): Loose | undefined;
  /**
   * Called in the order of changes, after each write, for every resource there is. @returns a function that ends it.
   * A throwing listener is reported, never the writer's fault.
   */
  subscribe(listener: (change: StoreChange) => void): () => void;
  /** Every object of the store, resource by resource. For filling caches at start. */
  each(visit: (resource: ResourceName, object: Loose) => void): void;
  /** All kinds that are served now, CRDs' included. */
  kinds(): KindInfo[];
  /** By `group/version/plural`. */
  kind(resource: ResourceName): KindInfo | undefined;
}

export interface LocalWriteOptions {
  /** For managedFields. Default `devcluster`. */
  fieldManager?: string;
  user?: UserInfo;
}

/** PEM texts. */
export interface TlsOptions {
  key: string;
  cert: string;
  /** CA that signs client certificates. */
  clientCa?: string;
}

export interface ApiServerOptions {
  library: KindLibrary;
  /** Folder for the database; without it everything is in memory. */
  dataDir?: string;
  /** 0: a free one. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Without it plain HTTP is served (tests). */
  tls?: TlsOptions;
  clock?: Clock;
  access?: Access;
  /** Random 16 bytes for uids; default from the machine's own source. */
  randomBytes?: (count: number) => Uint8Array;
  /** Revisions kept for watches and lists of the past. Default 5,000. */
  history?: number;
  /** Told of what goes wrong inside. */
  onError?: (error: unknown) => void;
}

export interface ApiServer {
  /** `https://127.0.0.1:PORT`. */
  url: string;
  port: number;
  client: LocalApi;
  /** Access may be put in after the start, since roles are objects of the server itself. */
  setAccess(access: Access): void;
  /** Forgets history up to now, so that older watches and pages answer 410. */
  compact(): void;
  /** Ends watches and connections, closes the store. */
  close(): Promise<void>;
}

/** The version that is told at /version and that behaviour follows. */
export const KUBERNETES_VERSION = { major: '1', minor: '36', gitVersion: 'v1.36.3' } as const;
