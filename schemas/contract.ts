/**
 * The contract between an addon's definitions and the kernel: what a definition is given, what it answers,
 * and what a package says about it. Everything here crosses the sandbox as JSON.
 */

export type JsonPrimitive = string | number | boolean | null;
export type Json = JsonPrimitive | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  [field: string]: unknown;
}

/** Any Kubernetes object, in its JSON shape. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** The subset of JSON Schema (2020-12) that the SDK's `t.*` builder writes and the model validates. */
export interface JsonSchema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  title?: string;
  description?: string;
  default?: Json;
  enum?: JsonPrimitive[];
  const?: JsonPrimitive;
  examples?: Json[];
  deprecated?: boolean;
  nullable?: boolean;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  /** `false`: unknown properties are faults. A schema: a map. Absent or `true`: free JSON. */
  additionalProperties?: boolean | JsonSchema;
  minProperties?: number;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  /** Alternatives. With `x-choose-by` the one is taken whose `properties` holds that key when the value does. */
  anyOf?: JsonSchema[];
  /** A property name: present in the value → the first alternative, absent → the second. */
  'x-choose-by'?: string;
  /** `{type: integer|string}` as Kubernetes has it. */
  'x-kubernetes-int-or-string'?: boolean;
  /** Hints for forms; opaque to the kernel. */
  'x-ui'?: Json;
}

export type DefinitionKind = 'component' | 'trait' | 'policy' | 'workflowStep';

/** What every render function may know. All of it is a function of the revision and the target, never of time. */
export interface ComponentContext {
  /** The component's name. */
  name: string;
  namespace: string;
  appName: string;
  /** `<app>-v<N>`; empty in a dry run. */
  appRevision: string;
  appRevisionNum: number;
  /** Content hash of this component, 16 hex digits; the same in a dry run. */
  revision: string;
  appLabels: Record<string, string>;
  appAnnotations: Record<string, string>;
  cluster: string;
  /** Version of the target cluster; the newest that is supported where none is reachable. */
  clusterVersion: { major: number; minor: number };
  publishVersion?: string;
  replicaKey?: string;
}

/** What a trait may know besides: the component as it stands after the traits before this one. */
export interface TraitContext extends ComponentContext {
  componentType: string;
  componentParameters: Json;
  workload: KubeObject;
  auxiliaries: Record<string, KubeObject>;
}

/** Something that a definition says about its parameters. */
export interface Report {
  message: string;
  /** Path below the parameters: `ports[0].name`. */
  parameter?: string;
  expected?: string;
  hint?: string;
}

export interface ComponentResult {
  workload?: KubeObject;
  /** Further objects by key. An object without a name is named `<component>-<key>`. */
  auxiliaries?: Record<string, KubeObject>;
  errors?: Report[];
  warnings?: Report[];
}

export interface TraitResult {
  patch?: Patch;
  auxiliaries?: Record<string, KubeObject>;
  /** Patches on auxiliaries that earlier traits or the component made, by key. */
  patchAuxiliaries?: Record<string, Patch>;
  errors?: Report[];
  warnings?: Report[];
}

/**
 * How a trait changes an object.
 *
 * `merge`: maps merge, scalars and plain lists take the patch's word, `null` removes a key. Inside the value a
 * directive (an object whose only keys start with `$`) says more:
 * - `{ "$merge": [...], "$key": ["name"], "$missing"?: "append" | "error" }`: list elements are merged into those
 *   with equal key fields; others are appended, or are an error (LTN204) that names what is there;
 * - `{ "$append": [...] }`: elements are appended unless an equal one is there;
 * - `{ "$replace": value }`: the value replaces what was there, maps included;
 * - `{ "$each": value }`: the value is merged into every element of the list.
 *
 * `json-merge` is RFC 7396, `json` is RFC 6902.
 */
export type Patch =
  | { type: 'merge'; value: JsonObject }
  | { type: 'json-merge'; value: JsonObject }
  | { type: 'json'; operations: JsonPatchOperation[] };

export interface JsonPatchOperation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  path: string;
  from?: string;
  value?: Json;
}

/** Health of one live object. */
export interface Health {
  healthy: boolean;
  /** Status text for people: `Ready: 2/3`. */
  message?: string;
}

export interface HealthInput {
  /** `workload`, or the key of the auxiliary. */
  key: string;
  /** The live object, status included. */
  object: KubeObject;
}

/** What the compiled manifest says of one definition: enough to list, validate, document and draw a form. */
export interface DefinitionManifest {
  kind: DefinitionKind;
  name: string;
  description: string;
  parameters: JsonSchema;
  /** Components: the kind that they render, where it is one. */
  workload?: { apiVersion: string; kind: string };
  /** Traits: `plural.group` (`deployments.apps`) of the workloads that it can act on; `["*"]` for all. */
  appliesTo?: string[];
  podDisruptive?: boolean;
  /** Traits with `postDispatch` are rendered and applied once the workload is healthy. */
  stage?: 'preDispatch' | 'dispatch' | 'postDispatch';
  /** Whether the bundle answers `health` for it. */
  health: boolean;
  examples?: { title: string; parameters: Json }[];
  deprecated?: string;
}

/**
 * Methods that a bundle answers. A bundle is one classic script that sets `globalThis.lateen` to a {@link BundleEntry}.
 * Arguments and answers are JSON text.
 */
export interface BundleEntry {
  /** @param request JSON of a {@link BundleRequest}. @returns JSON of the answer. Throws what the author's code throws. */
  call(request: string): string;
}

export type BundleRequest =
  /** → `DefinitionManifest[]` */
  | { method: 'describe' }
  /** → `ComponentResult` or `TraitResult` */
  | { method: 'render'; kind: DefinitionKind; name: string; parameters: Json; context: ComponentContext | TraitContext }
  /** → `Health` */
  | { method: 'health'; kind: DefinitionKind; name: string; input: HealthInput };

/** Rights that an addon asks for. First form; the broker enforces them. */
export interface Permissions {
  kube?: { apiGroups: string[]; resources: string[]; verbs: string[]; namespaces?: string[] }[];
  http?: { hosts: string[] }[];
  exec?: { program: string }[];
}

/** `addon.yaml`: what an author writes. */
export interface AddonManifest {
  name: string;
  version: string;
  description: string;
  icon?: string;
  tags?: string[];
  license?: string;
  maintainers?: { name: string; email?: string; url?: string }[];
  engines: { kernel: string; kubernetes?: string };
  dependencies?: Record<string, string>;
  permissions?: Permissions;
  parameters?: JsonSchema;
  /** Services, by name: the entry file and what the service contributes. */
  services?: Record<string, { entry: string; contributes: ServiceContribution[] }>;
}

export type ServiceContribution = 'clusterProvider' | 'driver' | 'source' | 'route' | 'exporter';

/** `manifest.json` of a package: the author's manifest, completed by the build. */
export interface PackageManifest extends AddonManifest {
  format: 'lateen.dev/addon/v1';
  definitions: DefinitionManifest[];
  /** Path of the definitions' bundle inside the package; absent when the addon has no definitions. */
  bundle?: string;
  /** Paths of manifests that the addon needs in the cluster. */
  resources: string[];
}
