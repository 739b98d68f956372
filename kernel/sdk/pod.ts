/**
 * Helpers for workloads that run pods. They know Kubernetes' own shapes and nothing of any definition: where a pod
 * template stands, how containers are told apart, how to write a patch that reaches them.
 */
import type { KubeObject, Patch, TraitContext } from '@lateen/schemas';
import { merge, mergeBy } from './patch.ts';
import { fail } from './report.ts';

/** Fields that are not listed are allowed and kept. */
interface Open {
  [field: string]: unknown;
}

export interface EnvVar extends Open {
  name: string;
  value?: string;
  valueFrom?: {
    secretKeyRef?: { name: string; key: string; optional?: boolean };
    configMapKeyRef?: { name: string; key: string; optional?: boolean };
    fieldRef?: { fieldPath: string; apiVersion?: string };
    resourceFieldRef?: { resource: string; containerName?: string; divisor?: string };
  };
}

export interface ContainerPort extends Open {
  containerPort: number;
  name?: string;
  protocol?: string;
  hostPort?: number;
  hostIP?: string;
}

export interface VolumeMount extends Open {
  name: string;
  mountPath: string;
  subPath?: string;
  readOnly?: boolean;
  mountPropagation?: string;
}

export interface Probe extends Open {
  exec?: { command: string[] };
  httpGet?: {
    path?: string;
    port: number | string;
    host?: string;
    scheme?: string;
    httpHeaders?: { name: string; value: string }[];
  };
  tcpSocket?: { port: number | string; host?: string };
  grpc?: { port: number; service?: string };
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
  terminationGracePeriodSeconds?: number;
}

export interface ResourceRequirements extends Open {
  requests?: Record<string, string | number>;
  limits?: Record<string, string | number>;
}

export interface Container extends Open {
  name: string;
  image?: string;
  imagePullPolicy?: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  ports?: ContainerPort[];
  env?: EnvVar[];
  envFrom?: Open[];
  resources?: ResourceRequirements;
  volumeMounts?: VolumeMount[];
  volumeDevices?: { name: string; devicePath: string }[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  startupProbe?: Probe;
  lifecycle?: Open;
  securityContext?: Open;
}

export interface Volume extends Open {
  name: string;
}

export interface PodSpec extends Open {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  imagePullSecrets?: { name: string }[];
  hostAliases?: { ip: string; hostnames: string[] }[];
  serviceAccountName?: string;
  restartPolicy?: string;
  nodeSelector?: Record<string, string>;
  affinity?: Open;
  tolerations?: Open[];
  securityContext?: Open;
}

export interface PodTemplate extends Open {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string>; [field: string]: unknown };
  spec: PodSpec;
}

/** A pod template and the fields that lead to it from the top of its object; no fields for a Pod itself. */
export interface PodTemplatePlace {
  template: PodTemplate;
  path: string[];
}

/** Where a pod template may stand: a Deployment and its like, a CronJob. */
const TEMPLATE_PATHS: readonly (readonly string[])[] = [
  ['spec', 'template'],
  ['spec', 'jobTemplate', 'spec', 'template'],
];

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function at(object: unknown, path: readonly string[]): unknown {
  let value = object;
  for (const field of path) {
    if (!isMap(value) || !Object.hasOwn(value, field)) return undefined;
    value = value[field];
  }
  return value;
}

function isPodTemplate(value: unknown): value is PodTemplate {
  return isMap(value) && isMap(value.spec) && Array.isArray(value.spec.containers);
}

/** The object with `path` leading to `value`: `nest(['spec', 'template'], x)` is `{ spec: { template: x } }`. */
function nest(path: readonly string[], value: object): object {
  return path.reduceRight<object>((inner, field) => ({ [field]: inner }), value);
}

/**
 * Finds the pod template of a workload, by its shape: so it finds those of Deployment, StatefulSet, DaemonSet,
 * ReplicaSet, Job and CronJob, of a Pod, and of custom kinds that are built alike.
 */
export function podTemplateOf(workload: KubeObject): PodTemplatePlace | undefined {
  for (const path of TEMPLATE_PATHS) {
    const template = at(workload, path);
    if (isPodTemplate(template)) return { template, path: [...path] };
  }
  if (workload.kind === 'Pod' && isPodTemplate(workload)) return { template: workload, path: [] };
  return undefined;
}

/**
 * {@link podTemplateOf} of the component that a trait acts on.
 * @throws {Failure} when the component runs no pods.
 */
export function podTemplate(context: TraitContext): PodTemplatePlace {
  const place = podTemplateOf(context.workload);
  if (place) return place;
  return fail(`component "${context.name}" has no pods: it renders a ${context.workload.kind}`, undefined, {
    expected: 'a component that runs pods',
  });
}

/** A change of a pod template. Directives such as `mergeBy` may stand inside. */
export interface PodPatch {
  metadata?: object;
  spec?: object;
}

/**
 * A patch that reaches the pod template, wherever the component's kind has it.
 * @param rest changes beside it, from the top of the object: `{ metadata: … }`.
 * @throws {Failure} when the component runs no pods.
 */
export function patchPod(context: TraitContext, patch: PodPatch, rest: object = {}): Patch {
  const nested = nest(podTemplate(context).path, patch);
  return merge(joined(rest, nested));
}

function joined(left: object, right: object): object {
  const result: Record<string, unknown> = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const there = Object.hasOwn(result, key) ? result[key] : undefined;
    result[key] = isMap(there) && isMap(value) ? joined(there, value) : value;
  }
  return result;
}

/** The containers of the component that a trait acts on; init containers apart. */
export function containersOf(context: TraitContext): Container[] {
  return podTemplate(context).template.spec.containers;
}

/**
 * The component's main container: the one named like the component, else the first.
 * @throws {Failure} when the component runs no pods.
 */
export function mainContainer(context: TraitContext): Container {
  const containers = containersOf(context);
  const main = containers.find((container) => container.name === context.name) ?? containers[0];
  return main ?? fail(`component "${context.name}" has no container`);
}

/**
 * The container of this name; the main container where no name (or an empty one) is given.
 * @param parameter path of the parameter that gave the name, for the error.
 * @throws {Failure} when there is none of this name.
 */
export function containerNamed(context: TraitContext, name?: string, parameter?: string): Container {
  if (name === undefined || name === '') return mainContainer(context);
  const containers = containersOf(context);
  const found = containers.find((container) => container.name === name);
  if (found) return found;
  const names = containers.map((container) => container.name);
  return fail(`container "${name}" not found in component "${context.name}"`, parameter, {
    expected: names.length === 1 ? `"${names[0]}"` : `one of ${names.map((each) => `"${each}"`).join(', ')}`,
  });
}

/** A patch that merges each change into the container of the same name; other containers stay as they are. */
export function patchContainers<C extends { name: string }>(context: TraitContext, changes: readonly C[]): Patch {
  return patchPod(context, { spec: { containers: mergeBy(['name'], changes, { missing: 'error' }) } });
}
