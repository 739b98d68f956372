/** What rendering takes and gives. Rendering is pure: definitions, evaluator and values are handed in. */
import type {
  ComponentContext,
  ComponentResult,
  DefinitionKind,
  DefinitionManifest,
  Fault,
  Health,
  HealthInput,
  Json,
  KubeObject,
  TraitContext,
  TraitResult,
} from '@lateen/schemas';

/** A definition as an enabled addon offers it. */
export interface Definition {
  manifest: DefinitionManifest;
  addon: { name: string; version: string; digest: string };
}

/** The definitions that applications may use now. */
export interface DefinitionCatalog {
  find(kind: DefinitionKind, type: string): Definition | undefined;
  /** Names of all definitions of a kind, sorted: for "did you mean" and lists. */
  names(kind: DefinitionKind): string[];
  /** Addon names in the registries that would offer this type, where it is not enabled. */
  offeredBy(kind: DefinitionKind, type: string): string[];
}

/** Runs definitions. The sandbox stands behind it; rendering does not know. Rejects with a `LateenError`. */
export interface Evaluator {
  component(definition: Definition, parameters: Json, context: ComponentContext): Promise<ComponentResult>;
  trait(definition: Definition, parameters: Json, context: TraitContext): Promise<TraitResult>;
  health(definition: Definition, input: HealthInput): Promise<Health>;
}

/** One rendered object and where it comes from. */
export interface RenderedManifest {
  cluster: string;
  namespace: string;
  component: string;
  /** The component or trait definition that made it. */
  definition: { kind: DefinitionKind; name: string; addon: string; version: string };
  /** `workload`, or the auxiliary's key. */
  key: string;
  object: KubeObject;
}

/** Which source set a field: by JSON pointer into the object. Later entries override earlier ones. */
export interface FieldOrigin {
  pointer: string;
  source: { kind: DefinitionKind | 'kernel'; name: string /** Index of the trait in its component. */; index?: number };
}

export interface RenderedComponent {
  component: string;
  /** Content hash of the component, 16 hex digits. */
  revision: string;
  manifests: RenderedManifest[];
  /** Traits of stage `postDispatch` that were left out because the workload's status was not given. */
  deferred: number[];
  faults: Fault[];
  /** Only when asked for. By `key` of the manifest. */
  origins?: Map<string, FieldOrigin[]>;
}
