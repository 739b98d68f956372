/** How the kernel names what it owns: object identities and field managers. */
import { createHash } from 'node:crypto';
import type { KubeObject } from '@lateen/schemas';
import type { ObjectRef } from '../cluster/api.ts';

/** An object on a cluster. */
export interface TargetRef extends ObjectRef {
  cluster: string;
}

/** The cluster that the kernel itself runs against. */
export const LOCAL_CLUSTER = 'local';

/** Labels that say which application an object belongs to. */
export const LABELS = {
  app: 'app.oam.dev/name',
  namespace: 'app.oam.dev/namespace',
  component: 'app.oam.dev/component',
} as const;

export const FINALIZER = 'lateen.dev/applications';
/** Set by users: delete the application, keep its objects. */
export const ORPHAN_FINALIZER = 'app.oam.dev/orphan-resource';

/** Group of an apiVersion; empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** Identity of an object without its version, so that an API version upgrade keeps it. */
export function targetId(ref: TargetRef): string {
  return `${ref.cluster}|${groupOf(ref.apiVersion)}/${ref.kind}|${ref.namespace ?? ''}|${ref.name}`;
}

/** `Kind namespace/name`, for messages. */
export function describeTarget(ref: { kind: string; namespace?: string; name: string }): string {
  return `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`;
}

export function refOf(object: KubeObject): ObjectRef {
  const { name = '', namespace } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace && { namespace }) };
}

/** Kubernetes' limit on the length of a field manager. */
const MAX_MANAGER = 128;

/** The field manager of one application. Long names end in a digest, so that no two applications share one. */
export function fieldManagerOf(namespace: string, name: string): string {
  const manager = `lateen:${namespace}/${name}`;
  if (manager.length <= MAX_MANAGER) return manager;
  const digest = createHash('sha256').update(manager).digest('hex').slice(0, 16);
  return `${manager.slice(0, MAX_MANAGER - 17)}-${digest}`;
}
