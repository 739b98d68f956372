/** Defaults of the built-in kinds: the values that the API server writes into fields that a client left out. */
import { podDefaults, templateDefaults } from './defaults-pod.ts';
import { initial, type Loose } from './loose.ts';

const RBAC = 'rbac.authorization.k8s.io';
const each = (list: unknown, visit: (item: Loose) => void): void => {
  if (Array.isArray(list)) for (const item of list) if (item) visit(item as Loose);
};

export function claimDefaults(claim: Loose): void {
  const spec = initial<Loose>(claim, 'spec', {});
  initial(spec, 'volumeMode', 'Filesystem');
  for (const source of [spec.dataSource, spec.dataSourceRef]) if (source) initial(source, 'apiGroup', '');
  claim.status ??= {};
  claim.status.phase ||= 'Pending';
}

function jobDefaults(job: Loose): void {
  const spec = initial<Loose>(job, 'spec', {});
  templateDefaults(spec);
  if (spec.completions == null && spec.parallelism == null) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  initial(spec, 'parallelism', 1);
  initial(spec, 'backoffLimit', spec.backoffLimitPerIndex != null ? 2147483647 : 6);
  initial(spec, 'completionMode', 'NonIndexed');
  initial(spec, 'suspend', false);
  initial(spec, 'manualSelector', undefined);
  each(spec.podFailurePolicy?.rules, (rule) => {
    each(rule.onPodConditions, (condition) => {
      condition.status ||= 'True';
    });
  });
  initial(spec, 'podReplacementPolicy', spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed');
}

function serviceDefaults(service: Loose): void {
  const spec = initial<Loose>(service, 'spec', {});
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'ClientIP') {
    const config = initial<Loose>(spec, 'sessionAffinityConfig', {});
    initial(initial<Loose>(config, 'clientIP', {}), 'timeoutSeconds', 10800);
  } else delete spec.sessionAffinityConfig;
  spec.type ||= 'ClusterIP';
  each(spec.ports, (port) => {
    port.protocol ||= 'TCP';
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port;
  });
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') spec.externalTrafficPolicy ||= 'Cluster';
  if (spec.type !== 'ExternalName') initial(spec, 'internalTrafficPolicy', 'Cluster');
  if (spec.type === 'LoadBalancer') initial(spec, 'allocateLoadBalancerNodePorts', true);
  each(service.status?.loadBalancer?.ingress, (ingress) => {
    if (ingress.ip) initial(ingress, 'ipMode', 'VIP');
  });
}

function autoscalerDefaults(autoscaler: Loose): void {
  const spec = initial<Loose>(autoscaler, 'spec', {});
  initial(spec, 'minReplicas', 1);
  if (!spec.metrics || spec.metrics.length === 0) {
    spec.metrics = [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ];
  }
  if (spec.behavior) {
    const up = initial<Loose>(spec.behavior, 'scaleUp', {});
    initial(up, 'stabilizationWindowSeconds', 0);
    initial(up, 'selectPolicy', 'Max');
    if (!up.policies?.length) {
      up.policies = [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ];
    }
    const down = initial<Loose>(spec.behavior, 'scaleDown', {});
    initial(down, 'selectPolicy', 'Max');
    if (!down.policies?.length) down.policies = [{ type: 'Percent', value: 100, periodSeconds: 15 }];
  }
}

function subjects(binding: Loose): void {
  if (binding.roleRef) binding.roleRef.apiGroup ||= RBAC;
  each(binding.subjects, (subject) => {
    if ((subject.kind === 'User' || subject.kind === 'Group') && !subject.apiGroup) subject.apiGroup = RBAC;
  });
}

function webhook(value: Loose): void {
  initial(value, 'failurePolicy', 'Fail');
  initial(value, 'matchPolicy', 'Equivalent');
  initial(value, 'namespaceSelector', {});
  initial(value, 'objectSelector', {});
  initial(value, 'timeoutSeconds', 10);
  if (value.clientConfig?.service) initial(value.clientConfig.service, 'port', 443);
  each(value.rules, (rule) => {
    initial(rule, 'scope', '*');
  });
}

function matchResources(value: Loose | undefined): void {
  if (!value) return;
  initial(value, 'matchPolicy', 'Equivalent');
  initial(value, 'namespaceSelector', {});
  initial(value, 'objectSelector', {});
  for (const list of [value.resourceRules, value.excludeResourceRules]) {
    each(list, (rule) => {
      initial(rule, 'scope', '*');
    });
  }
}

/** By `group/Kind`; `Kind` alone for the core group. Each changes the object it is given. */
const DEFAULTS: Record<string, (object: Loose) => void> = {
  Pod: podDefaults,
  PodTemplate: (template) => templateDefaults(template),
  ReplicationController(controller) {
    const spec = initial<Loose>(controller, 'spec', {});
    templateDefaults(spec);
    const labels = spec.template?.metadata?.labels as Loose | undefined;
    if (labels) {
      if (!spec.selector || Object.keys(spec.selector).length === 0) spec.selector = { ...labels };
      if (!controller.metadata?.labels) controller.metadata = { ...controller.metadata, labels: { ...labels } };
    }
    initial(spec, 'replicas', 1);
  },
  'apps/Deployment'(deployment) {
    const spec = initial<Loose>(deployment, 'spec', {});
    templateDefaults(spec);
    initial(spec, 'replicas', 1);
    const strategy = initial<Loose>(spec, 'strategy', {});
    strategy.type ||= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') {
      const rolling = initial<Loose>(strategy, 'rollingUpdate', {});
      initial(rolling, 'maxUnavailable', '25%');
      initial(rolling, 'maxSurge', '25%');
    }
    initial(spec, 'revisionHistoryLimit', 10);
    initial(spec, 'progressDeadlineSeconds', 600);
  },
  'apps/ReplicaSet'(set) {
    const spec = initial<Loose>(set, 'spec', {});
    templateDefaults(spec);
    initial(spec, 'replicas', 1);
  },
  'apps/StatefulSet'(set) {
    const spec = initial<Loose>(set, 'spec', {});
    templateDefaults(spec);
    spec.podManagementPolicy ||= 'OrderedReady';
    const strategy = initial<Loose>(spec, 'updateStrategy', {});
    strategy.type ||= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') {
      const rolling = initial<Loose>(strategy, 'rollingUpdate', {});
      initial(rolling, 'partition', 0);
    }
    const retention = initial<Loose>(spec, 'persistentVolumeClaimRetentionPolicy', {});
    retention.whenDeleted ||= 'Retain';
    retention.whenScaled ||= 'Retain';
    initial(spec, 'replicas', 1);
    initial(spec, 'revisionHistoryLimit', 10);
    each(spec.volumeClaimTemplates, (claim) => {
      claim.apiVersion = 'v1';
      claim.kind = 'PersistentVolumeClaim';
      claimDefaults(claim);
    });
  },
  'apps/DaemonSet'(set) {
    const spec = initial<Loose>(set, 'spec', {});
    templateDefaults(spec);
    const strategy = initial<Loose>(spec, 'updateStrategy', {});
    strategy.type ||= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') {
      const rolling = initial<Loose>(strategy, 'rollingUpdate', {});
      initial(rolling, 'maxUnavailable', 1);
      initial(rolling, 'maxSurge', 0);
    }
    initial(spec, 'revisionHistoryLimit', 10);
  },
  'batch/Job': jobDefaults,
  'batch/CronJob'(cron) {
    const spec = initial<Loose>(cron, 'spec', {});
    templateDefaults(spec.jobTemplate?.spec);
    spec.concurrencyPolicy ||= 'Allow';
    initial(spec, 'suspend', false);
    initial(spec, 'successfulJobsHistoryLimit', 3);
    initial(spec, 'failedJobsHistoryLimit', 1);
  },
  Service: serviceDefaults,
  Endpoints: (endpoints) =>
    each(endpoints.subsets, (subset) =>
      each(subset.ports, (port) => {
        port.protocol ||= 'TCP';
      }),
    ),
  'discovery.k8s.io/EndpointSlice': (slice) =>
    each(slice.ports, (port) => {
      initial(port, 'name', '');
      initial(port, 'protocol', 'TCP');
    }),
  'networking.k8s.io/NetworkPolicy'(policy) {
    const spec = initial<Loose>(policy, 'spec', {});
    initial(spec, 'podSelector', {});
    for (const rules of [spec.ingress, spec.egress]) {
      each(rules, (rule) =>
        each(rule.ports, (port) => {
          initial(port, 'protocol', 'TCP');
        }),
      );
    }
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
  },
  'networking.k8s.io/IngressClass': (ingressClass) => {
    const parameters = ingressClass.spec?.parameters as Loose | undefined;
    if (parameters) initial(parameters, 'scope', 'Cluster');
  },
  PersistentVolumeClaim: claimDefaults,
  PersistentVolume(volume) {
    const spec = initial<Loose>(volume, 'spec', {});
    spec.persistentVolumeReclaimPolicy ||= 'Retain';
    initial(spec, 'volumeMode', 'Filesystem');
    if (spec.hostPath) initial(spec.hostPath, 'type', '');
    volume.status ??= {};
    volume.status.phase ||= 'Pending';
  },
  Secret(secret) {
    secret.type ||= 'Opaque';
  },
  Namespace(namespace) {
    namespace.status ??= {};
    namespace.status.phase ||= 'Active';
    // Every namespace can be selected by its name.
    if (namespace.metadata?.name) {
      namespace.metadata.labels = {
        ...namespace.metadata.labels,
        'kubernetes.io/metadata.name': namespace.metadata.name,
      };
    }
  },
  Node(node) {
    const status = initial<Loose>(node, 'status', {});
    if (status.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
    const info = initial<Loose>(status, 'nodeInfo', {});
    void info;
  },
  LimitRange: (range) =>
    each(range.spec?.limits, (item) => {
      if (item.type !== 'Container') return;
      item.default = { ...item.max, ...item.default };
      item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
      if (Object.keys(item.default).length === 0) delete item.default;
      if (Object.keys(item.defaultRequest).length === 0) delete item.defaultRequest;
    }),
  'autoscaling/HorizontalPodAutoscaler': autoscalerDefaults,
  'rbac.authorization.k8s.io/RoleBinding': subjects,
  'rbac.authorization.k8s.io/ClusterRoleBinding': subjects,
  'storage.k8s.io/StorageClass'(storageClass) {
    initial(storageClass, 'reclaimPolicy', 'Delete');
    initial(storageClass, 'volumeBindingMode', 'Immediate');
  },
  'storage.k8s.io/CSIDriver'(driver) {
    const spec = initial<Loose>(driver, 'spec', {});
    initial(spec, 'attachRequired', true);
    initial(spec, 'podInfoOnMount', false);
    initial(spec, 'storageCapacity', false);
    initial(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType');
    initial(spec, 'volumeLifecycleModes', ['Persistent']);
    initial(spec, 'requiresRepublish', false);
    initial(spec, 'seLinuxMount', false);
  },
  'scheduling.k8s.io/PriorityClass'(priorityClass) {
    initial(priorityClass, 'preemptionPolicy', 'PreemptLowerPriority');
  },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': (configuration) =>
    each(configuration.webhooks, webhook),
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': (configuration) =>
    each(configuration.webhooks, (value) => {
      webhook(value);
      initial(value, 'reinvocationPolicy', 'Never');
    }),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy'(policy) {
    const spec = initial<Loose>(policy, 'spec', {});
    initial(spec, 'failurePolicy', 'Fail');
    matchResources(spec.matchConstraints);
  },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': (binding) =>
    matchResources(binding.spec?.matchResources),
  'admissionregistration.k8s.io/MutatingAdmissionPolicy'(policy) {
    const spec = initial<Loose>(policy, 'spec', {});
    initial(spec, 'failurePolicy', 'Fail');
    matchResources(spec.matchConstraints);
  },
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': (binding) =>
    matchResources(binding.spec?.matchResources),
  'certificates.k8s.io/CertificateSigningRequest'(request) {
    const spec = initial<Loose>(request, 'spec', {});
    if (!spec.usages) spec.usages = ['digital signature', 'key encipherment'];
  },
  'apiextensions.k8s.io/CustomResourceDefinition'(definition) {
    const spec = initial<Loose>(definition, 'spec', {});
    spec.scope ||= 'Namespaced';
    const names = initial<Loose>(spec, 'names', {});
    if (names.kind) {
      names.singular ||= String(names.kind).toLowerCase();
      names.listKind ||= `${names.kind}List`;
    }
    const conversion = initial<Loose>(spec, 'conversion', {});
    conversion.strategy ||= 'None';
    if (conversion.webhook?.clientConfig?.service) initial(conversion.webhook.clientConfig.service, 'port', 443);
  },
};

/**
 * Writes a built-in kind's defaults into an object.
 * @param group API group; empty for the core group
 */
export function applyDefaults(group: string, kind: string, object: Loose): void {
  DEFAULTS[group ? `${group}/${kind}` : kind]?.(object);
}

/** Whether a built-in kind has defaults at all. */
export const hasDefaults = (group: string, kind: string): boolean =>
  Object.hasOwn(DEFAULTS, group ? `${group}/${kind}` : kind);
