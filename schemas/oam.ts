/**
 * The kinds of `core.oam.dev/v1beta1`, as users write them and as the kernel reports on them. Their CRDs stand in
 * `schemas/crds/`; a test holds both equal.
 */
import type { DefinitionKind, Json, JsonObject, JsonSchema, KubeObject, ObjectMeta } from './contract.ts';

export const OAM_API_VERSION = 'core.oam.dev/v1beta1';

export interface Application extends KubeObject {
  apiVersion: 'core.oam.dev/v1beta1';
  kind: 'Application';
  metadata: ObjectMeta;
  spec: ApplicationSpec;
  status?: ApplicationStatus;
}

export interface ApplicationSpec {
  components: ApplicationComponent[];
  policies?: ApplicationPolicy[];
  workflow?: Workflow;
}

export interface ApplicationComponent {
  name: string;
  /** Name of a component definition; may carry `@v3` or `@v1.2.0`. */
  type: string;
  properties?: JsonObject;
  externalRevision?: string;
  dependsOn?: string[];
  inputs?: StepInput[];
  outputs?: StepOutput[];
  traits?: ApplicationTrait[];
  /** Legacy; kept, without effect. */
  scopes?: Record<string, string>;
}

export interface ApplicationTrait {
  type: string;
  properties?: JsonObject;
}

/** Waits for an output of that name and writes it into the properties at `parameterKey`. */
export interface StepInput {
  from: string;
  /** Dotted or bracketed path: `env[0].value`. */
  parameterKey?: string;
}

export interface StepOutput {
  name: string;
  /** An expression over the rendered and the live component: `output.status.x`, `outputs.y.spec.z`, `context.name`. */
  valueFrom: string;
}

export interface ApplicationPolicy {
  /** Missing names become `<type>-auto-gen-<index>`. */
  name?: string;
  type: string;
  properties?: JsonObject;
}

export type WorkflowMode = 'StepByStep' | 'DAG';

export interface Workflow {
  ref?: string;
  mode?: { steps?: WorkflowMode; subSteps?: WorkflowMode };
  steps?: WorkflowStep[];
}

export interface WorkflowSubStep {
  name?: string;
  type: string;
  meta?: { alias?: string };
  if?: string;
  /** A Go duration: `1h30m`. */
  timeout?: string;
  dependsOn?: string[];
  inputs?: StepInput[];
  outputs?: StepOutput[];
  properties?: JsonObject;
}

export interface WorkflowStep extends WorkflowSubStep {
  mode?: WorkflowMode;
  subSteps?: WorkflowSubStep[];
}

export type ApplicationPhase =
  | 'starting'
  | 'rendering'
  | 'generatingPolicy'
  | 'runningWorkflow'
  | 'workflowSuspending'
  | 'workflowTerminated'
  | 'workflowFailed'
  | 'running'
  | 'unhealthy'
  | 'deleting';

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message?: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

export interface ApplicationStatus {
  /** The phase; the field is called so in every OAM Application. */
  status?: ApplicationPhase;
  observedGeneration?: number;
  conditions?: Condition[];
  latestRevision?: { name: string; revision: number; revisionHash: string };
  /** References of the workloads. */
  components?: ObjectReference[];
  services?: ServiceStatus[];
  appliedResources?: AppliedResource[];
  workflow?: JsonObject;
  /** Values of the components' outputs, by name; those that come from Secrets are not kept here. */
  outputs?: Record<string, Json>;
}

export interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
}

/** One component on one cluster. */
export interface ServiceStatus {
  name: string;
  namespace: string;
  cluster: string;
  env?: string;
  workloadDefinition: { apiVersion: string; kind: string };
  healthy: boolean;
  workloadHealthy?: boolean;
  message?: string;
  traits?: { type: string; healthy: boolean; pending?: boolean; message?: string }[];
  /** When this was last seen to change. RFC 3339. */
  since?: string;
}

export interface AppliedResource extends ObjectReference {
  cluster: string;
  creator?: string;
  component?: string;
  /** `True`, `False`, `Unknown`: health as last judged. */
  healthy?: 'True' | 'False' | 'Unknown';
  message?: string;
  /** When the kernel last applied it with a change. RFC 3339. */
  appliedAt?: string;
}

export interface ApplicationRevision extends KubeObject {
  apiVersion: 'core.oam.dev/v1beta1';
  kind: 'ApplicationRevision';
  metadata: ObjectMeta;
  spec: {
    /** The Application as it was: metadata (name, namespace, labels, annotations) and spec. */
    application: KubeObject;
    /** Number in the name: `<app>-v<revision>`. */
    revision: number;
    /** Content hash of the application's spec and of what renders it. */
    hash: string;
    /** Addon versions that render it. */
    addons: { name: string; version: string; digest: string }[];
    /** Definitions that it uses. */
    definitions: { kind: DefinitionKind; name: string; addon: string; version: string }[];
  };
}

export type DefinitionObjectKind =
  | 'ComponentDefinition'
  | 'TraitDefinition'
  | 'PolicyDefinition'
  | 'WorkflowStepDefinition';

/** A definition as an object of the cluster: what an installation can do, for `kubectl get componentdefinitions`. */
export interface DefinitionObject extends KubeObject {
  apiVersion: 'core.oam.dev/v1beta1';
  kind: DefinitionObjectKind;
  metadata: ObjectMeta;
  spec: {
    description?: string;
    workload?: JsonObject;
    appliesToWorkloads?: string[];
    podDisruptive?: boolean;
    stage?: string;
    version?: string;
    schematic?: {
      /** Written by Lateen for definitions that an addon offers. */
      addon?: { name: string; version: string; digest: string };
      /** JSON Schema of the parameters. */
      parameters?: JsonSchema;
      [form: string]: unknown;
    };
    [field: string]: unknown;
  };
}

export const DEFINITION_OBJECT_KINDS: Readonly<Record<DefinitionKind, DefinitionObjectKind>> = {
  component: 'ComponentDefinition',
  trait: 'TraitDefinition',
  policy: 'PolicyDefinition',
  workflowStep: 'WorkflowStepDefinition',
};
