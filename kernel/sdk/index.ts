/** `lateen/sdk`: everything that an addon author imports to declare definitions. */
export type {
  ComponentContext,
  Health,
  Json,
  JsonObject,
  JsonPatchOperation,
  JsonSchema,
  KubeObject,
  ObjectMeta,
  Patch,
  Report,
  TraitContext,
} from '@lateen/schemas';
export {
  type AddonDefinition,
  type AddonOptions,
  type ComponentDefinition,
  type ComponentOptions,
  type ComponentOutput,
  defineAddon,
  defineComponent,
  defineTrait,
  type Example,
  type LiveObject,
  type Manifest,
  type TraitDefinition,
  type TraitOptions,
  type TraitOutput,
  type TypedManifest,
} from './define.ts';
export { append, type Directive, type Draft, each, jsonMerge, jsonPatch, merge, mergeBy, replace } from './patch.ts';
export {
  type Container,
  type ContainerPort,
  containerNamed,
  containersOf,
  type EnvVar,
  mainContainer,
  type PodPatch,
  type PodSpec,
  type PodTemplate,
  type PodTemplatePlace,
  type Probe,
  patchContainers,
  patchPod,
  podTemplate,
  podTemplateOf,
  type ResourceRequirements,
  type Volume,
  type VolumeMount,
} from './pod.ts';
export { fail, type ReportDetails, warn } from './report.ts';
export * as t from './schema.ts';
