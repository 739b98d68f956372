/**
 * How kwok lets nodes and pods pretend. An image whose path starts with `fail/` never becomes ready (its container
 * waits with ImagePullBackOff); every other pod runs at once, and a Job's pod completes at once.
 */

function stage(
  name: string,
  kind: 'Node' | 'Pod',
  matches: [key: string, operator: string, ...values: string[]][],
  next: object,
): object {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: 'v1', kind },
      selector: {
        matchExpressions: matches.map(([key, operator, ...values]) => ({
          key,
          operator,
          ...(values.length > 0 ? { values } : {}),
        })),
      },
      next,
    },
  };
}

const alive: [string, string] = ['.metadata.deletionTimestamp', 'DoesNotExist'];
const readyCondition = '.status.conditions.[] | select( .type == "Ready" ) | .status';
const failing = '.spec.containers.[] | .image | startswith("fail/")';

const nodeStatus = `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
addresses:
- { type: InternalIP, address: {{ NodeIP | Quote }} }
- { type: Hostname, address: {{ NodeName | Quote }} }
allocatable: { cpu: "64", memory: 256Gi, pods: "5000" }
capacity: { cpu: "64", memory: 256Gi, pods: "5000" }
phase: Running
`;

const heartbeat = `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
{{ end }}
`;

function podStatus(container: string, ready: 'True' | 'False', phase: string): string {
  return `
{{ $now := Now }}
phase: ${phase}
startTime: {{ $now | Quote }}
conditions:
- { type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: ContainersReady, status: "${ready}", lastTransitionTime: {{ $now | Quote }} }
- { type: Ready, status: "${ready}", lastTransitionTime: {{ $now | Quote }} }
{{ $ips := PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
{{ with $ips }}
podIP: {{ index . 0 | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  restartCount: 0
  ${container}
{{ end }}
`;
}

const STAGES: object[] = [
  stage('node-ready', 'Node', [[readyCondition, 'NotIn', 'True']], { statusTemplate: nodeStatus }),
  {
    ...stage('node-heartbeat', 'Node', [[readyCondition, 'In', 'True']], { statusTemplate: heartbeat }),
  },
  stage(
    'pod-run',
    'Pod',
    [alive, ['.status.phase', 'In', 'Pending'], [readyCondition, 'NotIn', 'True', 'False'], [failing, 'NotIn', 'true']],
    {
      statusTemplate: podStatus(
        'ready: true\n  started: true\n  state: { running: { startedAt: {{ $now | Quote }} } }',
        'True',
        'Running',
      ),
    },
  ),
  stage(
    'pod-fail',
    'Pod',
    [alive, ['.status.phase', 'In', 'Pending'], [readyCondition, 'NotIn', 'True', 'False'], [failing, 'In', 'true']],
    {
      statusTemplate: podStatus(
        'ready: false\n  state: { waiting: { reason: ImagePullBackOff, message: "this image cannot be pulled" } }',
        'False',
        'Pending',
      ),
    },
  ),
  stage(
    'pod-complete',
    'Pod',
    [alive, ['.status.phase', 'In', 'Running'], ['.metadata.ownerReferences.[].kind', 'In', 'Job']],
    {
      statusTemplate: podStatus(
        'ready: false\n  state: { terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }',
        'False',
        'Succeeded',
      ),
    },
  ),
  stage('pod-gone', 'Pod', [['.metadata.deletionTimestamp', 'Exists']], { finalizers: { empty: true }, delete: true }),
];

/** The stages as one YAML stream. */
export function kwokStages(heartbeatSeconds = 20): string {
  return STAGES.map((one) => {
    const named = one as { metadata: { name: string }; spec: object };
    const delayed =
      named.metadata.name === 'node-heartbeat'
        ? { ...named, spec: { ...named.spec, delay: { durationMilliseconds: heartbeatSeconds * 1000 } } }
        : named;
    return `---\n${JSON.stringify(delayed)}\n`;
  }).join('');
}
