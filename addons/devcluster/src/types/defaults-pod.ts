/** Defaults of pods and pod templates. */
import { initial, type Loose } from './loose.ts';

const each = (list: unknown, visit: (item: Loose) => void): void => {
  if (Array.isArray(list)) for (const item of list) if (item) visit(item as Loose);
};

const VOLUME_SOURCES_WITH_MODE = ['secret', 'configMap', 'downwardAPI', 'projected'];

function httpGet(action: Loose | undefined): void {
  if (!action?.httpGet) return;
  action.httpGet.path ||= '/';
  action.httpGet.scheme ||= 'HTTP';
}

function probe(value: Loose | undefined): void {
  if (!value) return;
  value.timeoutSeconds ||= 1;
  value.periodSeconds ||= 10;
  value.successThreshold ||= 1;
  value.failureThreshold ||= 3;
  httpGet(value);
  if (value.grpc) initial(value.grpc, 'service', '');
}

/** The policy that an image without one gets: its newest build each time when it names no fixed tag. */
function pullPolicy(image: unknown): string {
  const reference = String(image ?? '');
  if (reference.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(reference)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function fieldRef(value: Loose | undefined): void {
  if (value) value.apiVersion ||= 'v1';
}

function container(value: Loose): void {
  value.imagePullPolicy ||= pullPolicy(value.image);
  value.terminationMessagePath ||= '/dev/termination-log';
  value.terminationMessagePolicy ||= 'File';
  each(value.ports, (port) => {
    port.protocol ||= 'TCP';
  });
  each(value.env, (variable) => {
    fieldRef(variable.valueFrom?.fieldRef);
    if (variable.valueFrom?.fileKeyRef) variable.valueFrom.fileKeyRef.optional ??= false;
  });
  probe(value.livenessProbe);
  probe(value.readinessProbe);
  probe(value.startupProbe);
  httpGet(value.lifecycle?.postStart);
  httpGet(value.lifecycle?.preStop);
}

function volume(value: Loose): void {
  if (Object.keys(value).every((field) => field === 'name' || value[field] === undefined || value[field] === null)) {
    value.emptyDir = {};
  }
  for (const source of VOLUME_SOURCES_WITH_MODE) if (value[source]) initial(value[source], 'defaultMode', 420);
  each(value.downwardAPI?.items, (item) => fieldRef(item.fieldRef));
  each(value.projected?.sources, (source) => {
    if (source.serviceAccountToken) initial(source.serviceAccountToken, 'expirationSeconds', 3600);
    each(source.downwardAPI?.items, (item) => fieldRef(item.fieldRef));
  });
  if (value.hostPath) initial(value.hostPath, 'type', '');
  if (value.iscsi) value.iscsi.iscsiInterface ||= 'default';
  if (value.rbd) {
    value.rbd.pool ||= 'rbd';
    value.rbd.user ||= 'admin';
    value.rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (value.azureDisk) {
    initial(value.azureDisk, 'cachingMode', 'ReadWrite');
    initial(value.azureDisk, 'kind', 'Shared');
    initial(value.azureDisk, 'fsType', 'ext4');
    initial(value.azureDisk, 'readOnly', false);
  }
  if (value.scaleIO) {
    value.scaleIO.storageMode ||= 'ThinProvisioned';
    value.scaleIO.fsType ||= 'xfs';
  }
  if (value.image) value.image.pullPolicy ||= pullPolicy(value.image.reference);
  if (value.ephemeral?.volumeClaimTemplate?.spec)
    initial(value.ephemeral.volumeClaimTemplate.spec, 'volumeMode', 'Filesystem');
}

/** Gives a pod's or pod template's spec what the API server gives it. */
export function podSpecDefaults(spec: Loose): void {
  spec.restartPolicy ||= 'Always';
  spec.dnsPolicy ||= 'ClusterFirst';
  initial(spec, 'terminationGracePeriodSeconds', 30);
  initial(spec, 'securityContext', {});
  spec.schedulerName ||= 'default-scheduler';
  // The old name of the field is kept beside the new one.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  each(spec.containers, container);
  each(spec.initContainers, container);
  each(spec.ephemeralContainers, container);
  each(spec.volumes, volume);
}

/** What only pods get, not the templates of controllers. */
export function podDefaults(pod: Loose): void {
  const spec = initial<Loose>(pod, 'spec', {});
  podSpecDefaults(spec);
  initial(spec, 'enableServiceLinks', true);
  const requestsFromLimits = (value: Loose): void => {
    const limits = value.resources?.limits as Loose | undefined;
    if (!limits) return;
    const requests = initial<Loose>(value.resources, 'requests', {});
    for (const name in limits) initial(requests, name, limits[name]);
  };
  each(spec.containers, requestsFromLimits);
  each(spec.initContainers, requestsFromLimits);
  if (spec.hostNetwork) {
    const hostPorts = (value: Loose): void =>
      each(value.ports, (port) => {
        port.hostPort ||= port.containerPort;
      });
    each(spec.containers, hostPorts);
    each(spec.initContainers, hostPorts);
  }
  pod.status ??= {};
  pod.status.phase ||= 'Pending';
}

/** Defaults of the template in a controller's spec. */
export function templateDefaults(holder: Loose | undefined, field = 'template'): void {
  const template = holder?.[field] as Loose | undefined;
  if (!template) return;
  template.spec ??= {};
  podSpecDefaults(template.spec);
}
