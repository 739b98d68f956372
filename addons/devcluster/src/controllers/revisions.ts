/** ControllerRevisions: the history of the templates of StatefulSets and DaemonSets. */
import { type Loose, same } from '../types/loose.ts';
import { type Context, controllerReference, deleteIfThere, hashName } from './kit.ts';

export const REVISIONS = 'apps/v1/controllerrevisions';

export interface History {
  current: Loose;
  all: Loose[];
}

/**
 * The revision of an owner's present template; made when there is none, made the newest when the template is an old one.
 * @param kind `StatefulSet` or `DaemonSet`
 */
export async function presentRevision(context: Context, owner: Loose, kind: string): Promise<History> {
  const { cache, writer } = context;
  const all = cache.controlled(REVISIONS, owner.metadata.uid).sort((a, b) => a.revision - b.revision);
  // As a patch: kubectl sends it back to undo a rollout.
  const data = { spec: { template: { ...owner.spec.template, $patch: 'replace' } } };
  const newest = all.at(-1);
  const equal = all.find((one) => same(one.data, data));
  if (equal && equal === newest) return { current: equal, all };
  const revision = (newest?.revision ?? 0) + 1;
  if (equal) {
    const current = await writer.update(REVISIONS, { ...equal, revision });
    return { current, all: [...all.filter((one) => one !== equal), current] };
  }
  const hash = hashName(owner.spec.template);
  const current = await writer.create(REVISIONS, {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${owner.metadata.name}-${hash}`,
      namespace: owner.metadata.namespace,
      labels: { ...owner.spec.selector?.matchLabels, 'controller.kubernetes.io/hash': hash },
      ownerReferences: [controllerReference(owner, 'apps/v1', kind)],
    },
    data,
    revision,
  });
  return { current, all: [...all, current] };
}

/** Deletes the oldest revisions that nothing uses, beyond the limit. */
export async function forgetRevisions(
  context: Context,
  owner: Loose,
  history: History,
  used: Set<string>,
): Promise<void> {
  const limit: number = owner.spec.revisionHistoryLimit ?? 10;
  const unused = history.all.filter((one) => one !== history.current && !used.has(one.metadata.name));
  for (const one of unused.slice(0, Math.max(0, unused.length - limit)))
    await deleteIfThere(context.writer, REVISIONS, one);
}
