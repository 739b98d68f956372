/**
 * Garbage collection and the end of namespaces. Both need to know of every object there is, of every kind: a small graph
 * of who owns whom, kept from the changes of the whole store.
 */
import type { Loose } from '../types/loose.ts';
import { type Change, type Context, deleteIfThere, errorCode, type Queue, type ResourceName } from './kit.ts';

const NAMESPACES = 'v1/namespaces';
const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

interface Owner {
  uid: string;
  blocks: boolean;
}

interface Node {
  resource: ResourceName;
  namespace: string;
  name: string;
  uid: string;
  owners: Owner[];
  /** Waits for its dependents to be gone. */
  foreground: boolean;
  /** Waits for its dependents to be told that they have lost their owner. */
  orphans: boolean;
  /** Without which it will not go. */
  finalizers: string[];
}

/** Kinds that come and go with others and never hold up a namespace. */
const NOT_COUNTED = new Set(['events.k8s.io/v1/events']);
const NO_DEPENDENTS: ReadonlySet<string> = new Set();

/** Starts both. @returns what must be told of every change of every kind. */
export function garbageController(context: Context): (change: Change) => void {
  const { writer, clock } = context;
  const nodes = new Map<string, Node>();
  const dependents = new Map<string, Set<string>>();
  const spaces = new Map<string, Set<string>>();

  const read = (node: Node): Promise<Loose | undefined> => writer.get(node.resource, node.namespace, node.name);
  const dependentsOf = (uid: string): ReadonlySet<string> => dependents.get(uid) ?? NO_DEPENDENTS;

  /** The owner, if it is there where the dependent looks for it. */
  const ownerOf = (node: Node, owner: Owner): Node | undefined => {
    const found = nodes.get(owner.uid);
    return found && (found.namespace === '' || found.namespace === node.namespace) ? found : undefined;
  };

  const withoutFinalizer = async (node: Node, finalizer: string): Promise<void> => {
    const object = await read(node);
    const finalizers = (object?.metadata.finalizers as string[] | undefined) ?? [];
    if (!object || object.metadata.uid !== node.uid || !finalizers.includes(finalizer)) return;
    await writer.update(node.resource, {
      ...object,
      metadata: { ...object.metadata, finalizers: finalizers.filter((one) => one !== finalizer) },
    });
  };

  /** Takes owners out of an object. */
  const disown = async (node: Node, uids: Set<string>): Promise<void> => {
    const object = await read(node);
    const references = (object?.metadata.ownerReferences as Loose[] | undefined) ?? [];
    const kept = references.filter((one) => !uids.has(one.uid));
    if (!object || object.metadata.uid !== node.uid || kept.length === references.length) return;
    const { ownerReferences: _old, ...metadata } = object.metadata;
    await writer.update(node.resource, {
      ...object,
      metadata: kept.length > 0 ? { ...metadata, ownerReferences: kept } : metadata,
    });
  };

  const workOnOwner = async (node: Node): Promise<void> => {
    if (node.orphans) {
      for (const uid of [...dependentsOf(node.uid)]) {
        const dependent = nodes.get(uid);
        if (dependent) await disown(dependent, new Set([node.uid]));
      }
      await withoutFinalizer(node, ORPHAN);
    } else if (node.foreground) {
      let blocked = false;
      for (const uid of dependentsOf(node.uid)) {
        const dependent = nodes.get(uid);
        if (!dependent) continue;
        queue.add(uid);
        if (dependent.owners.some((one) => one.uid === node.uid && one.blocks)) blocked = true;
      }
      if (!blocked) await withoutFinalizer(node, FOREGROUND);
    }
  };

  const workOnDependent = async (node: Node): Promise<void> => {
    if (node.owners.length === 0) return;
    const gone = new Set<string>();
    let solid = 0;
    let waiting = 0;
    for (const owner of node.owners) {
      const found = ownerOf(node, owner);
      if (!found) gone.add(owner.uid);
      else if (found.foreground && owner.blocks) {
        waiting++;
        gone.add(owner.uid);
      } else solid++;
    }
    if (gone.size === 0) return;
    if (solid > 0) return disown(node, gone);
    const object = await read(node);
    if (!object || object.metadata.uid !== node.uid || object.metadata.deletionTimestamp) return;
    const propagationPolicy = node.finalizers.includes(ORPHAN)
      ? 'Orphan'
      : node.foreground || (waiting > 0 && dependentsOf(node.uid).size > 0)
        ? 'Foreground'
        : 'Background';
    await deleteIfThere(writer, node.resource, object, { propagationPolicy });
  };

  const queue: Queue = context.queue('garbage', async (uid) => {
    const node = nodes.get(uid);
    if (!node) return;
    if (node.foreground || node.orphans) await workOnOwner(node);
    await workOnDependent(node);
  });

  const namespaces = context.queue('namespaces', async (name) => {
    const namespace = await writer.get(NAMESPACES, '', name);
    if (!namespace?.metadata.deletionTimestamp) return;
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    for (const uid of [...(spaces.get(name) ?? [])]) {
      const node = nodes.get(uid);
      if (!node) continue;
      try {
        await writer.delete(node.resource, node.namespace, node.name, { propagationPolicy: 'Background', uid });
      } catch (error) {
        if (![404, 405, 409].includes(errorCode(error))) throw error;
      }
    }
    const left = [...(spaces.get(name) ?? [])].map((uid) => nodes.get(uid)).filter((node) => node !== undefined);
    if (left.length === 0) {
      const latest = await writer.get(NAMESPACES, '', name);
      if (!latest) return;
      const finalizers = ((latest.spec?.finalizers as string[] | undefined) ?? []).filter(
        (one) => one !== 'kubernetes',
      );
      await writer.update(NAMESPACES, { ...latest, spec: { ...latest.spec, finalizers } }, 'finalize');
      return;
    }
    const latest = await writer.get(NAMESPACES, '', name);
    if (!latest) return;
    const counts = new Map<string, number>();
    const waits = new Map<string, number>();
    for (const node of left) {
      const [plural = '', , group = ''] = node.resource.split('/').reverse();
      const text = `${plural}.${group}`;
      counts.set(text, (counts.get(text) ?? 0) + 1);
      for (const finalizer of node.finalizers) waits.set(finalizer, (waits.get(finalizer) ?? 0) + 1);
    }
    const say = (map: Map<string, number>, verb: string): string =>
      [...map].map(([text, count]) => `${text} ${verb} ${count} resource instances`).join(', ');
    const condition = (type: string, on: boolean, reasons: [string, string], messages: [string, string]): Loose => ({
      type,
      status: on ? 'True' : 'False',
      lastTransitionTime:
        ((latest.status?.conditions as Loose[] | undefined) ?? []).find(
          (one) => one.type === type && one.status === (on ? 'True' : 'False'),
        )?.lastTransitionTime ?? now,
      reason: reasons[on ? 0 : 1],
      message: messages[on ? 0 : 1],
    });
    const conditions = [
      condition(
        'NamespaceDeletionDiscoveryFailure',
        false,
        ['DiscoveryFailed', 'ResourcesDiscovered'],
        ['', 'All resources successfully discovered'],
      ),
      condition(
        'NamespaceDeletionGroupVersionParsingFailure',
        false,
        ['GroupVersionParsingFailed', 'ParsedGroupVersions'],
        ['', 'All legacy kube types successfully parsed'],
      ),
      condition(
        'NamespaceDeletionContentFailure',
        false,
        ['ContentDeletionFailed', 'ContentDeleted'],
        ['', 'All content successfully deleted, may be waiting on finalization'],
      ),
      condition(
        'NamespaceContentRemaining',
        true,
        ['SomeResourcesRemain', 'ContentRemoved'],
        [`Some resources are remaining: ${say(counts, 'has')}`, 'All content successfully removed'],
      ),
      condition(
        'NamespaceFinalizersRemaining',
        waits.size > 0,
        ['SomeFinalizersRemain', 'ContentHasNoFinalizers'],
        [
          `Some content in the namespace has finalizers remaining: ${say(waits, 'in')}`,
          'All content-preserving finalizers finished',
        ],
      ),
    ];
    if (JSON.stringify(conditions) !== JSON.stringify(latest.status?.conditions)) {
      await writer.update(
        NAMESPACES,
        { ...latest, status: { ...latest.status, phase: 'Terminating', conditions } },
        'status',
      );
    }
  });

  const unlink = (node: Node): void => {
    for (const { uid } of node.owners) {
      const set = dependents.get(uid);
      set?.delete(node.uid);
      if (set?.size === 0) dependents.delete(uid);
    }
  };

  return ({ type, resource, object }) => {
    const { uid, namespace = '', name } = object.metadata;
    if (NOT_COUNTED.has(resource)) return;
    const before = nodes.get(uid);
    if (before) unlink(before);
    if (type === 'gone') {
      nodes.delete(uid);
      if (namespace) {
        const set = spaces.get(namespace);
        set?.delete(uid);
        if (set?.size === 0) spaces.delete(namespace);
        namespaces.add(namespace, 10);
      }
      for (const dependent of dependentsOf(uid)) queue.add(dependent);
      for (const owner of before?.owners ?? []) if (nodes.get(owner.uid)?.foreground) queue.add(owner.uid);
      return;
    }
    const finalizers = (object.metadata.finalizers as string[] | undefined) ?? [];
    const deleting = object.metadata.deletionTimestamp !== undefined;
    const node: Node = {
      resource,
      namespace,
      name,
      uid,
      owners: ((object.metadata.ownerReferences as Loose[] | undefined) ?? []).map((one) => ({
        uid: one.uid,
        blocks: one.blockOwnerDeletion === true,
      })),
      foreground: deleting && finalizers.includes(FOREGROUND),
      orphans: deleting && finalizers.includes(ORPHAN),
      finalizers,
    };
    nodes.set(uid, node);
    if (namespace) {
      const set = spaces.get(namespace);
      if (set) set.add(uid);
      else spaces.set(namespace, new Set([uid]));
    }
    for (const owner of node.owners) {
      const set = dependents.get(owner.uid);
      if (set) set.add(uid);
      else dependents.set(owner.uid, new Set([uid]));
    }
    if (node.foreground || node.orphans) queue.add(uid);
    else if (node.owners.length > 0 && (!before || before.owners.length !== node.owners.length)) {
      // An owner may be on its way: on a restart objects come in any order.
      if (node.owners.some((owner) => !ownerOf(node, owner) || ownerOf(node, owner)?.foreground)) queue.add(uid, 50);
    }
    if (before && before.owners.length !== node.owners.length) {
      for (const owner of before.owners) if (nodes.get(owner.uid)?.foreground) queue.add(owner.uid);
    }
    if (resource === NAMESPACES && deleting) namespaces.add(name);
  };
}
