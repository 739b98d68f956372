/** What the model takes and gives. Pure: text and values in, values and faults out. */
import type {
  Application,
  ComponentContext,
  ComponentResult,
  DefinitionKind,
  DefinitionManifest,
  Fault,
  Health,
  HealthInput,
  Json,
  JsonSchema,
  KubeObject,
  Place,
  TraitContext,
  TraitResult,
} from '@lateen/schemas';

/** One text to parse. `file` is how it is called in faults; `<stdin>` for standard input. */
export interface SourceText {
  file: string;
  text: string;
}

/** Says where a path of a document stands. Paths are `['spec', 'components', 0, 'name']`. */
export type Locate = (path: readonly (string | number)[], at?: 'key' | 'value') => Place | undefined;

export interface ParsedDocument {
  /** Plain data, frozen neither by us nor shared with another document. */
  object: KubeObject;
  locate: Locate;
  /** Paths where YAML 1.1 readers, as kubectl is one, see a boolean in a plain word (`yes`, `on`, `n`). */
  booleanWords: { path: (string | number)[]; word: string; isKey: boolean }[];
}

export interface ParseResult {
  documents: ParsedDocument[];
  faults: Fault[];
}

export interface ApplicationDocument {
  application: Application;
  locate: Locate;
  booleanWords: ParsedDocument['booleanWords'];
}

export interface CheckedApplication {
  /** With defaults of the model filled in: names of policies and steps. Absent when errors were found. */
  application?: Application;
  faults: Fault[];
}

/** Parameters checked against a definition's schema. */
export interface CheckedParameters {
  /** With defaults filled in. Meaningful only without errors. */
  value: Json;
  faults: Fault[];
}

export interface CheckParametersOptions {
  /** Path of the parameters in the document, for faults: `spec.components[0].properties`. */
  path: readonly (string | number)[];
  locate?: Locate;
  /** What is checked, for messages: `component "web" (webservice)`. */
  what: string;
  /** Paths below the parameters that inputs fill in later: they may be missing now. */
  pending?: readonly string[];
}

export type CheckParameters = (
  schema: JsonSchema,
  value: Json | undefined,
  options: CheckParametersOptions,
) => CheckedParameters;

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
