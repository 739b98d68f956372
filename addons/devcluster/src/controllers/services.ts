/** Services: endpoints of the pods that they select, and addresses for load balancers. Ingresses: an address. */
import { type Loose, same } from '../types/loose.ts';
import {
  type Context,
  controllerReference,
  deleteIfThere,
  isPodReady,
  keyOf,
  mapSelects,
  randomSuffix,
} from './kit.ts';

export const SERVICES = 'v1/services';
const ENDPOINTS = 'v1/endpoints';
const SLICES = 'discovery.k8s.io/v1/endpointslices';
const INGRESSES = 'networking.k8s.io/v1/ingresses';
const PODS = 'v1/pods';
const SERVICE_LABEL = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';

/** The number of a Service's target port on a pod; undefined when the pod has no port of that name. */
function targetPort(port: Loose, pod: Loose): number | undefined {
  if (typeof port.targetPort === 'number') return port.targetPort;
  for (const container of pod.spec.containers as Loose[]) {
    const found = (container.ports as Loose[] | undefined)?.find(
      (one) => one.name === port.targetPort && one.protocol === port.protocol,
    );
    if (found) return found.containerPort;
  }
  return undefined;
}

/** Starts the controllers of Services and Ingresses. */
export function serviceController(context: Context): void {
  const { cache, writer, options } = context;

  /** An address of the loopback network that no other Service has. Nothing listens there. */
  const freeAddress = (): string => {
    const taken = new Set<string>();
    for (const service of cache.list(SERVICES)) {
      for (const { ip } of (service.status?.loadBalancer?.ingress as Loose[] | undefined) ?? []) taken.add(ip);
    }
    for (let n = 2; n < 65_000; n++) {
      const ip = `127.0.${n >> 8}.${n & 0xff}`;
      if ((n & 0xff) !== 0 && (n & 0xff) !== 255 && !taken.has(ip)) return ip;
    }
    return '127.0.0.1';
  };

  const balance = async (service: Loose): Promise<void> => {
    const has = (service.status?.loadBalancer?.ingress as Loose[] | undefined)?.length ?? 0;
    const wants = service.spec.type === 'LoadBalancer';
    if (wants === has > 0) return;
    const status = wants ? { loadBalancer: { ingress: [{ ip: freeAddress(), ipMode: 'VIP' }] } } : { loadBalancer: {} };
    await writer.update(SERVICES, { ...service, status }, 'status');
  };

  const reference = (pod: Loose): Loose => ({
    kind: 'Pod',
    name: pod.metadata.name,
    namespace: pod.metadata.namespace,
    uid: pod.metadata.uid,
  });

  const work = async (key: string): Promise<void> => {
    const service = cache.byKey(SERVICES, key);
    if (!service || service.metadata.deletionTimestamp) return;
    await balance(service);
    if (options.workloads === 'status-only' || !service.spec.selector || service.spec.type === 'ExternalName') return;
    const { namespace, name } = service.metadata;
    const pods = [...cache.list(PODS, namespace)]
      .filter(
        (pod) =>
          pod.status?.podIP &&
          pod.status.phase !== 'Succeeded' &&
          pod.status.phase !== 'Failed' &&
          mapSelects(service.spec.selector, pod.metadata.labels),
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const publishAll = service.spec.publishNotReadyAddresses === true;
    const ports = ((service.spec.ports as Loose[] | undefined) ?? []).map((port) => ({
      name: port.name ?? '',
      protocol: port.protocol,
      port:
        pods.map((pod) => targetPort(port, pod)).find((one) => one !== undefined) ??
        (typeof port.targetPort === 'number' ? port.targetPort : undefined),
      ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}),
    }));
    const usable = ports.filter((port) => port.port !== undefined);
    const endpoints = pods.map((pod) => {
      const terminating = pod.metadata.deletionTimestamp !== undefined;
      const ready = isPodReady(pod);
      return {
        addresses: [pod.status.podIP],
        conditions: { ready: publishAll || (ready && !terminating), serving: publishAll || ready, terminating },
        nodeName: pod.spec.nodeName,
        ...(service.spec.clusterIP === 'None' && pod.spec.hostname && pod.spec.subdomain === name
          ? { hostname: pod.spec.hostname }
          : {}),
        targetRef: reference(pod),
      };
    });
    const slicePorts = pods.length > 0 || usable.length > 0 ? usable : undefined;
    const slice = [...cache.list(SLICES, namespace)].find(
      (one) => one.metadata.labels?.[SERVICE_LABEL] === name && one.metadata.labels?.[MANAGED_BY] === MANAGER,
    );
    const labels = {
      ...service.metadata.labels,
      [MANAGED_BY]: MANAGER,
      [SERVICE_LABEL]: name,
      ...(service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}),
    };
    if (!slice) {
      await writer.create(SLICES, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: `${name}-${randomSuffix(context.clock)}`,
          generateName: `${name}-`,
          namespace,
          labels,
          ownerReferences: [controllerReference(service, 'v1', 'Service')],
        },
        addressType: 'IPv4',
        endpoints,
        ports: slicePorts,
      });
    } else if (
      !same(slice.endpoints ?? [], endpoints) ||
      !same(slice.ports ?? [], slicePorts ?? []) ||
      !same(slice.metadata.labels, labels)
    ) {
      await writer.update(SLICES, { ...slice, metadata: { ...slice.metadata, labels }, endpoints, ports: slicePorts });
    }
    const address = (pod: Loose): Loose => ({
      ip: pod.status.podIP,
      nodeName: pod.spec.nodeName,
      targetRef: reference(pod),
    });
    const alive = pods.filter((pod) => !pod.metadata.deletionTimestamp);
    const ready = alive.filter((pod) => publishAll || isPodReady(pod)).map(address);
    const unready = alive.filter((pod) => !publishAll && !isPodReady(pod)).map(address);
    const subsets =
      ready.length + unready.length === 0
        ? undefined
        : [
            {
              ...(ready.length > 0 ? { addresses: ready } : {}),
              ...(unready.length > 0 ? { notReadyAddresses: unready } : {}),
              ports: usable.map(({ name: portName, ...rest }) => (portName ? { name: portName, ...rest } : rest)),
            },
          ];
    const current = cache.get(ENDPOINTS, namespace, name);
    const meta = {
      name,
      namespace,
      labels: { ...service.metadata.labels, 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
    };
    if (!current) await writer.create(ENDPOINTS, { apiVersion: 'v1', kind: 'Endpoints', metadata: meta, subsets });
    else if (!same(current.subsets ?? [], subsets ?? [])) await writer.update(ENDPOINTS, { ...current, subsets });
  };
  const queue = context.queue('services', work);

  cache.watch(ENDPOINTS, () => undefined);
  cache.watch(SLICES, ({ type, object }) => {
    const name = object.metadata.labels?.[SERVICE_LABEL];
    if (type === 'gone' && name) queue.add(`${object.metadata.namespace}/${name}`, options.batchMs);
  });
  cache.watch(SERVICES, ({ type, object }) => {
    if (type === 'set') {
      queue.add(keyOf(object), options.batchMs);
      return;
    }
    const endpoints = cache.get(ENDPOINTS, object.metadata.namespace, object.metadata.name);
    if (endpoints && object.spec.selector) void deleteIfThere(writer, ENDPOINTS, endpoints).catch(() => undefined);
  });
  if (options.workloads === 'pods') {
    cache.watch(PODS, ({ object, before, type }) => {
      // Nothing that an endpoint shows has changed.
      if (
        type === 'set' &&
        before &&
        before.status?.podIP === object.status?.podIP &&
        isPodReady(before) === isPodReady(object) &&
        before.metadata.deletionTimestamp === object.metadata.deletionTimestamp &&
        before.metadata.labels === object.metadata.labels
      ) {
        return;
      }
      if (!object.status?.podIP) return;
      for (const service of cache.list(SERVICES, object.metadata.namespace)) {
        if (mapSelects(service.spec.selector, object.metadata.labels)) queue.add(keyOf(service), options.batchMs);
      }
    });
  }

  const ingresses = context.queue('ingresses', async (key) => {
    const ingress = cache.byKey(INGRESSES, key);
    if (!ingress || ingress.metadata.deletionTimestamp || ingress.status?.loadBalancer?.ingress?.length) return;
    await writer.update(
      INGRESSES,
      { ...ingress, status: { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } } },
      'status',
    );
  });
  cache.watch(INGRESSES, ({ type, object }) => {
    if (type === 'set' && !object.status?.loadBalancer?.ingress?.length) ingresses.add(keyOf(object), options.batchMs);
  });
}
