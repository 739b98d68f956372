/** A component like `webservice`: twenty parameters, a Deployment and a Service. */
import { defineComponent, t } from 'lateen/sdk';

const port = t.object({
  port: t.integer({ description: 'Number of the port', minimum: 1, maximum: 65535 }),
  name: t.optional(t.string('Name of the port')),
  protocol: t.withDefault(t.oneOf(['TCP', 'UDP', 'SCTP']), 'TCP'),
  expose: t.withDefault(t.boolean('Whether a Service exposes it'), false),
});

const probe = t.object({
  httpGet: t.optional(t.object({ path: t.string(), port: t.integer() })),
  exec: t.optional(t.object({ command: t.array(t.string()) })),
  initialDelaySeconds: t.withDefault(t.integer(), 0),
  periodSeconds: t.withDefault(t.integer(), 10),
  timeoutSeconds: t.withDefault(t.integer(), 1),
  successThreshold: t.withDefault(t.integer(), 1),
  failureThreshold: t.withDefault(t.integer(), 3),
});

const env = t.object({
  name: t.string(),
  value: t.optional(t.string()),
  valueFrom: t.optional(t.object({ secretKeyRef: t.optional(t.object({ name: t.string(), key: t.string() })) })),
});

export const service = defineComponent({
  name: 'service',
  description: 'A long-running service with a stable address.',
  workload: { apiVersion: 'apps/v1', kind: 'Deployment' },
  parameters: t.object({
    image: t.string('Container image'),
    imagePullPolicy: t.optional(t.oneOf(['Always', 'Never', 'IfNotPresent'])),
    imagePullSecrets: t.optional(t.array(t.string())),
    labels: t.optional(t.record(t.string())),
    annotations: t.optional(t.record(t.string())),
    cmd: t.optional(t.array(t.string())),
    args: t.optional(t.array(t.string())),
    env: t.optional(t.array(env)),
    cpu: t.optional(t.quantity()),
    memory: t.optional(t.quantity()),
    ports: t.optional(t.array(port)),
    exposeType: t.withDefault(t.oneOf(['ClusterIP', 'NodePort', 'LoadBalancer']), 'ClusterIP'),
    livenessProbe: t.optional(probe),
    readinessProbe: t.optional(probe),
    volumeMounts: t.optional(
      t.object({
        pvc: t.optional(t.array(t.object({ name: t.string(), mountPath: t.string(), claimName: t.string() }))),
        configMap: t.optional(t.array(t.object({ name: t.string(), mountPath: t.string(), cmName: t.string() }))),
      }),
    ),
  }),
  render(parameters, context) {
    const { ports = [], volumeMounts: { pvc = [], configMap = [] } = {}, cpu, memory } = parameters;
    const selector = { 'app.oam.dev/component': context.name };
    const resources = cpu === undefined && memory === undefined ? undefined : { cpu, memory };
    const exposed = ports.filter(({ expose }) => expose);
    const nameOf = ({ name, port }: { name?: string; port: number }) => name ?? `port-${port}`;
    return {
      workload: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: context.name },
        spec: {
          selector: { matchLabels: selector },
          template: {
            metadata: {
              labels: { ...parameters.labels, 'app.oam.dev/name': context.appName, ...selector },
              annotations: parameters.annotations,
            },
            spec: {
              imagePullSecrets: parameters.imagePullSecrets?.map((name) => ({ name })),
              containers: [
                {
                  name: context.name,
                  image: parameters.image,
                  imagePullPolicy: parameters.imagePullPolicy,
                  command: parameters.cmd,
                  args: parameters.args,
                  env: parameters.env,
                  ports: ports.map((each) => ({
                    containerPort: each.port,
                    name: nameOf(each),
                    protocol: each.protocol,
                  })),
                  resources: resources && { requests: resources, limits: resources },
                  livenessProbe: parameters.livenessProbe,
                  readinessProbe: parameters.readinessProbe,
                  volumeMounts: [...pvc, ...configMap].map(({ name, mountPath }) => ({ name, mountPath })),
                },
              ],
              volumes: [
                ...pvc.map(({ name, claimName }) => ({ name, persistentVolumeClaim: { claimName } })),
                ...configMap.map(({ name, cmName }) => ({ name, configMap: { name: cmName, defaultMode: 420 } })),
              ],
            },
          },
        },
      },
      auxiliaries: {
        service:
          exposed.length === 0
            ? undefined
            : {
                apiVersion: 'v1',
                kind: 'Service',
                metadata: { name: context.name },
                spec: {
                  selector,
                  type: parameters.exposeType,
                  ports: exposed.map((each) => ({ name: nameOf(each), port: each.port, targetPort: each.port })),
                },
              },
      },
    };
  },
});
