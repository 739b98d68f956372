/**
 * Drift without desired state in memory: when somebody changes a field that we applied, the API server takes it
 * out of our entry in `managedFields`. So a digest of that entry, remembered from our last apply, tells whether all
 * that we own still stands.
 */
import { createHash } from 'node:crypto';
import type { KubeObject } from '@lateen/schemas';

interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  subresource?: string;
  apiVersion?: string;
  time?: string;
  fieldsV1?: unknown;
}

function entriesOf(object: KubeObject): ManagedFieldsEntry[] {
  const entries = object.metadata.managedFields;
  return Array.isArray(entries) ? (entries as ManagedFieldsEntry[]) : [];
}

/**
 * Digest of the fields that `manager` owns by server-side apply: 16 hex digits, or an empty string when it owns none.
 */
export function ownedFieldsDigest(object: KubeObject, manager: string): string {
  const own = entriesOf(object).find(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource,
  );
  if (!own?.fieldsV1) return '';
  return createHash('sha256').update(JSON.stringify(own.fieldsV1)).digest('hex').slice(0, 16);
}

/**
 * Whether somebody else made the object: another manager's entry is as old as the object itself. Only asked where the
 * kernel died between an apply and the note of it; a wrong "yes" asks the user, a wrong "no" would delete strangers' objects.
 */
export function madeByOthers(object: KubeObject, manager: string): boolean {
  const born = object.metadata.creationTimestamp;
  return entriesOf(object).some((entry) => entry.manager !== manager && !entry.subresource && entry.time === born);
}

/** Managers other than ours that own fields outside of subresources, for messages. */
export function otherManagers(object: KubeObject, manager: string): string[] {
  const names = entriesOf(object)
    .filter((entry) => entry.manager !== manager && !entry.subresource)
    .map((entry) => entry.manager ?? 'unknown');
  return [...new Set(names)].sort();
}
