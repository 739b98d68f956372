/** What rendering takes and gives. Rendering is pure: definitions, evaluator and values are handed in. */
import type { Application, DefinitionKind, Fault, Json, KubeObject } from '@lateen/schemas';
import type { DefinitionCatalog, Evaluator, Locate, ParsedDocument } from '../model/api.ts';

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

/** Values that outputs of components have now, by output name. */
export type OutputValues = Readonly<Record<string, Json>>;

export interface RenderTarget {
  /** Name of the cluster; the kernel's own is `local`. */
  cluster: string;
  clusterVersion: { major: number; minor: number };
}

export interface RenderInput {
  application: Application;
  catalog: DefinitionCatalog;
  evaluator: Evaluator;
  target: RenderTarget;
  /** `<app>-v<N>`; empty in a dry run. */
  appRevision: string;
  appRevisionNum: number;
  /** Values of outputs that are known. What waits for others is told in `waiting`. */
  outputs?: OutputValues;
  /** Dry run: inputs without a value get a placeholder that says so, instead of holding the component back. */
  placeholders?: boolean;
  /** Places of faults, where the application came from a file. */
  locate?: Locate;
  /** Words that YAML 1.1 reads as booleans, for warnings where a string was expected. */
  booleanWords?: ParsedDocument['booleanWords'];
  /** Only these components; default all. */
  components?: readonly string[];
  withOrigins?: boolean;
}

export interface RenderedApplication {
  components: RenderedComponent[];
  /** Components that wait for outputs: name → names of the outputs. */
  waiting: { component: string; outputs: string[] }[];
  /** All faults of all components. */
  faults: Fault[];
}

/** Waves in which components are applied: each waits for those before it. From `dependsOn`, `inputs` and `outputs`. */
export type ComponentOrder = string[][];
