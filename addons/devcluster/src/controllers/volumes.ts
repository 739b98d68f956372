/** PersistentVolumeClaims: each is bound to a simulated volume of its class. */
import type { Loose } from '../types/loose.ts';
import { compareQuantities } from '../types/quantity.ts';
import { type Context, deleteIfThere, errorCode, keyOf } from './kit.ts';

const CLAIMS = 'v1/persistentvolumeclaims';
const VOLUMES = 'v1/persistentvolumes';
const CLASSES = 'storage.k8s.io/v1/storageclasses';
const PODS = 'v1/pods';
export const PROVISIONER = 'devcluster.lateen.dev/simulated';
const PVC_PROTECTION = 'kubernetes.io/pvc-protection';
const PV_PROTECTION = 'kubernetes.io/pv-protection';

/** Starts the controller of claims and volumes. */
export function volumeController(context: Context): void {
  const { cache, writer, options } = context;

  const usedByPod = (claim: Loose): boolean => {
    for (const pod of cache.list(PODS, claim.metadata.namespace)) {
      if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue;
      for (const volume of (pod.spec.volumes as Loose[] | undefined) ?? []) {
        if (volume.persistentVolumeClaim?.claimName === claim.metadata.name) return true;
      }
    }
    return false;
  };

  /** A volume of somebody's own that fits the claim. */
  const fitting = (claim: Loose): Loose | undefined => {
    for (const volume of cache.list(VOLUMES)) {
      const { spec } = volume;
      if (claim.spec.volumeName && volume.metadata.name !== claim.spec.volumeName) continue;
      if (
        spec.claimRef &&
        (spec.claimRef.name !== claim.metadata.name || spec.claimRef.namespace !== claim.metadata.namespace)
      )
        continue;
      if (spec.claimRef?.uid && spec.claimRef.uid !== claim.metadata.uid) continue;
      if (
        (spec.storageClassName ?? '') !== (claim.spec.storageClassName ?? '') ||
        spec.volumeMode !== claim.spec.volumeMode
      )
        continue;
      if (!(claim.spec.accessModes as string[]).every((mode) => spec.accessModes.includes(mode))) continue;
      if (compareQuantities(spec.capacity?.storage ?? '0', claim.spec.resources?.requests?.storage ?? '0') < 0)
        continue;
      return volume;
    }
    return undefined;
  };

  const provision = async (claim: Loose): Promise<Loose | undefined> => {
    const storageClass = claim.spec.storageClassName ? cache.get(CLASSES, '', claim.spec.storageClassName) : undefined;
    if (!storageClass) return undefined;
    const name = `pvc-${claim.metadata.uid}`;
    const known = cache.get(VOLUMES, '', name);
    if (known) return known;
    return writer.create(VOLUMES, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': storageClass.provisioner } },
      spec: {
        accessModes: claim.spec.accessModes,
        capacity: { storage: claim.spec.resources.requests.storage },
        claimRef: claimReference(claim),
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
        storageClassName: claim.spec.storageClassName,
        volumeMode: claim.spec.volumeMode,
        // There is no such folder; nothing is ever mounted.
        hostPath: { path: `/simulated/${name}`, type: '' },
      },
    });
  };

  const claimReference = (claim: Loose): Loose => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: claim.metadata.namespace,
    name: claim.metadata.name,
    uid: claim.metadata.uid,
    resourceVersion: claim.metadata.resourceVersion,
  });

  const workClaim = async (key: string): Promise<void> => {
    let claim = cache.byKey(CLAIMS, key);
    if (!claim) return;
    if (claim.metadata.deletionTimestamp) {
      const finalizers = (claim.metadata.finalizers as string[] | undefined) ?? [];
      if (finalizers.includes(PVC_PROTECTION) && !usedByPod(claim)) {
        await writer.update(CLAIMS, {
          ...claim,
          metadata: { ...claim.metadata, finalizers: finalizers.filter((one) => one !== PVC_PROTECTION) },
        });
      }
      return;
    }
    const wanted = claim.spec.resources?.requests?.storage as string | undefined;
    if (claim.status?.phase === 'Bound') {
      // A claim that asks for more gets it.
      if (wanted && compareQuantities(wanted, claim.status.capacity?.storage ?? '0') > 0) {
        const volume = cache.get(VOLUMES, '', claim.spec.volumeName);
        if (volume)
          await writer.update(
            VOLUMES,
            { ...volume, spec: { ...volume.spec, capacity: { storage: wanted } } },
            'simulation',
          );
        await writer.update(CLAIMS, { ...claim, status: { ...claim.status, capacity: { storage: wanted } } }, 'status');
      }
      return;
    }
    let volume = fitting(claim) ?? (claim.spec.volumeName ? undefined : await provision(claim));
    if (!volume) return;
    if (volume.spec.claimRef?.uid !== claim.metadata.uid) {
      volume = await writer.update(
        VOLUMES,
        { ...volume, spec: { ...volume.spec, claimRef: claimReference(claim) } },
        'simulation',
      );
    }
    const volumeName: string = volume.metadata.name;
    claim = cache.byKey(CLAIMS, key);
    if (!claim) return;
    await writer.update(
      CLAIMS,
      {
        ...claim,
        metadata: {
          ...claim.metadata,
          annotations: {
            ...claim.metadata.annotations,
            'pv.kubernetes.io/bind-completed': 'yes',
            'pv.kubernetes.io/bound-by-controller': 'yes',
          },
        },
        spec: { ...claim.spec, volumeName },
        status: {
          ...claim.status,
          phase: 'Bound',
          accessModes: volume.spec.accessModes,
          capacity: volume.spec.capacity,
        },
      },
      'simulation',
    );
    await phase(volumeName, 'Bound');
  };

  const phase = async (name: string, to: string): Promise<void> => {
    const volume = cache.get(VOLUMES, '', name);
    if (volume && volume.status?.phase !== to)
      await writer.update(VOLUMES, { ...volume, status: { ...volume.status, phase: to } }, 'status');
  };

  const workVolume = async (name: string): Promise<void> => {
    const volume = cache.get(VOLUMES, '', name);
    if (!volume) return;
    const { claimRef } = volume.spec;
    const claim = claimRef && cache.get(CLAIMS, claimRef.namespace, claimRef.name);
    const bound = claim !== undefined && (!claimRef.uid || claim.metadata.uid === claimRef.uid);
    if (volume.metadata.deletionTimestamp) {
      const finalizers = (volume.metadata.finalizers as string[] | undefined) ?? [];
      if (finalizers.includes(PV_PROTECTION) && !bound) {
        await writer.update(VOLUMES, {
          ...volume,
          metadata: { ...volume.metadata, finalizers: finalizers.filter((one) => one !== PV_PROTECTION) },
        });
      }
      return;
    }
    if (!claimRef) return phase(name, 'Available');
    if (bound) {
      if (claim.status?.phase !== 'Bound') claims.add(keyOf(claim));
      return;
    }
    if (!claimRef.uid) return phase(name, 'Available');
    if (volume.spec.persistentVolumeReclaimPolicy === 'Delete') await deleteIfThere(writer, VOLUMES, volume);
    else await phase(name, 'Released');
  };

  const claims = context.queue('persistentvolumeclaims', async (key) => {
    try {
      await workClaim(key);
    } catch (error) {
      if (errorCode(error) !== 403) throw error;
    }
  });
  const volumes = context.queue('persistentvolumes', workVolume);

  cache.watch(CLASSES, ({ type }) => {
    if (type === 'set')
      for (const claim of cache.list(CLAIMS)) if (claim.status?.phase !== 'Bound') claims.add(keyOf(claim));
  });
  cache.watch(CLAIMS, ({ type, object }) => {
    if (type === 'set') claims.add(keyOf(object));
    else if (object.spec.volumeName) volumes.add(object.spec.volumeName);
  });
  cache.watch(VOLUMES, ({ type, object }) => {
    if (type !== 'set') return;
    volumes.add(object.metadata.name);
    if (!object.spec.claimRef)
      for (const claim of cache.list(CLAIMS)) if (claim.status?.phase !== 'Bound') claims.add(keyOf(claim));
  });
  if (options.workloads === 'pods') {
    cache.watch(PODS, ({ type, object }) => {
      if (type !== 'gone') return;
      for (const volume of (object.spec.volumes as Loose[] | undefined) ?? []) {
        const name = volume.persistentVolumeClaim?.claimName;
        if (name) claims.add(`${object.metadata.namespace}/${name}`);
      }
    });
  }
}
