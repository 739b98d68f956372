/** How an addon declares what it offers. Declaring runs nothing. */
import type { ComponentContext, Health, JsonPrimitive, KubeObject, Patch, Report, TraitContext } from '@lateen/schemas';
import type { InferInput, Schema } from './schema.ts';

/**
 * A Kubernetes object as a render function writes it: `undefined` fields are left out, and so may be the name
 * (an object without one is named after its component).
 */
export type Manifest = { apiVersion: string; kind: string; metadata?: object } & { [field: string]: unknown };

/** A Kubernetes object of a type with a fixed list of fields, such as those of the package `kubernetes-models`. */
export type TypedManifest = { apiVersion: string; kind: string; metadata?: object };

export interface ComponentOutput {
  workload: Manifest | TypedManifest;
  /** Further objects by key; keys whose value is `undefined` are left out. */
  auxiliaries?: Record<string, Manifest | TypedManifest | undefined>;
  errors?: Report[];
  warnings?: Report[];
}

export interface TraitOutput {
  /** What changes in the workload. */
  patch?: Patch;
  auxiliaries?: Record<string, Manifest | TypedManifest | undefined>;
  /** What changes in objects that the component or earlier traits made, by their key. */
  patchAuxiliaries?: Record<string, Patch | undefined>;
  errors?: Report[];
  warnings?: Report[];
}

/**
 * A live object, status included. A health function declares the fields that it reads:
 * `health(object: LiveObject<{ status?: { readyReplicas?: number } }>)`.
 */
export type LiveObject<Fields = unknown> = KubeObject & Fields;

export interface Example<P> {
  title: string;
  parameters: P;
}

export interface ComponentOptions<S extends Schema<unknown>, P> {
  /** The type that users write. */
  name: string;
  /** One sentence for users. */
  description: string;
  /** The kind that it renders, where it is always the same one. */
  workload?: { apiVersion: string; kind: string };
  parameters: S;
  /** Pure: the same parameters and context give the same objects. Call `fail` or `warn` to speak to the user. */
  render(parameters: P, context: ComponentContext): ComponentOutput;
  /** Health of one live object that it rendered; `key` is `workload` or the key of an auxiliary. */
  health?(object: LiveObject, at: { key: string }): Health;
  examples?: Example<InferInput<S>>[];
  /** What to use instead. */
  deprecated?: string;
}

export interface TraitOptions<S extends Schema<unknown>, P> {
  name: string;
  description: string;
  /** `plural.group` of the workloads that it can act on (`deployments.apps`), or `['*']`. */
  appliesTo: readonly string[];
  /** `postDispatch`: rendered and applied once the workload is healthy. Default `dispatch`. */
  stage?: 'preDispatch' | 'dispatch' | 'postDispatch';
  /** Whether a change restarts the pods. */
  podDisruptive?: boolean;
  parameters: S;
  /** Pure, and given the component as it stands after the traits before this one. */
  render(parameters: P, context: TraitContext): TraitOutput;
  /** Health of one live object among its auxiliaries. */
  health?(object: LiveObject, at: { key: string }): Health;
  examples?: Example<InferInput<S>>[];
  deprecated?: string;
}

/** A declared component. Its parameter types were checked where it was declared and are forgotten here. */
export interface ComponentDefinition {
  readonly kind: 'component';
  readonly options: ComponentOptions<Schema<unknown>, never>;
}

export interface TraitDefinition {
  readonly kind: 'trait';
  readonly options: TraitOptions<Schema<unknown>, never>;
}

export interface AddonOptions {
  components?: readonly ComponentDefinition[];
  traits?: readonly TraitDefinition[];
}

/** What the entry file of an addon exports by default. */
export interface AddonDefinition {
  readonly components: readonly ComponentDefinition[];
  readonly traits: readonly TraitDefinition[];
}

type ParametersOf<S> = S extends Schema<infer Output, infer _> ? Output : never;

/** Declares a component type: parameters → workload and auxiliary objects. */
export function defineComponent<S extends Schema<unknown>>(
  options: ComponentOptions<S, ParametersOf<S>>,
): ComponentDefinition {
  return { kind: 'component', options: options as unknown as ComponentDefinition['options'] };
}

/** Declares a trait: parameters and the component's objects → patches and further objects. */
export function defineTrait<S extends Schema<unknown>>(options: TraitOptions<S, ParametersOf<S>>): TraitDefinition {
  return { kind: 'trait', options: options as unknown as TraitDefinition['options'] };
}

/**
 * Collects the definitions of an addon.
 * @throws TypeError when two definitions of one kind have the same name.
 */
export function defineAddon(options: AddonOptions): AddonDefinition {
  const components = options.components ?? [];
  const traits = options.traits ?? [];
  for (const definitions of [components, traits]) {
    const names = new Set<JsonPrimitive>();
    for (const { kind, options } of definitions) {
      if (names.has(options.name)) throw new TypeError(`the addon defines ${kind} "${options.name}" twice`);
      names.add(options.name);
    }
  }
  return { components, traits };
}
