/** What the testbed can start, in which version, and where each binary may come from. */

export type ToolName = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl' | 'etcd' | 'kwok';

export interface Tool {
  name: ToolName;
  /** The cache folder's and the Go module's name; tools of one bundle share a version and a build. */
  bundle: 'kubernetes' | 'etcd' | 'kwok';
  /** Version that is built, without the leading v. */
  version: string;
  /** Go package of the command, in the module `test/testbed/go/<bundle>/`. */
  goPackage: string;
  /** Arguments that make the binary print its version. */
  versionArgs: string[];
  /** Whether a binary of this version, found on the machine, can stand in for ours. */
  accepts(version: string): boolean;
  /** What `accepts` asks for, in words. */
  wants: string;
  /** Whether the public envtest archive holds it. */
  inEnvtest: boolean;
  /** Debian package that has it, where there is one. */
  debian?: string;
}

export const KUBERNETES_VERSION = '1.36.3';
const ETCD_VERSION = '3.6.16';
const KWOK_VERSION = '0.8.0';

/** `[major, minor]` of a version such as `1.36.3` or `1.32.4-dispatcher`. */
function minorOf(version: string): [number, number] {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return [major, minor];
}

function kubernetesTool(name: ToolName, versionArgs: string[], inEnvtest: boolean): Tool {
  const wanted = minorOf(KUBERNETES_VERSION);
  return {
    name,
    bundle: 'kubernetes',
    version: KUBERNETES_VERSION,
    goPackage: `k8s.io/kubernetes/cmd/${name}`,
    versionArgs,
    // The expectations in the conformance suite hold for one minor version.
    accepts: (version) => minorOf(version).join('.') === wanted.join('.'),
    wants: `v${wanted.join('.')}`,
    inEnvtest,
  };
}

export const TOOLS: Readonly<Record<ToolName, Tool>> = {
  'kube-apiserver': kubernetesTool('kube-apiserver', ['--version'], true),
  'kube-controller-manager': kubernetesTool('kube-controller-manager', ['--version'], false),
  'kube-scheduler': kubernetesTool('kube-scheduler', ['--version'], false),
  kubectl: kubernetesTool('kubectl', ['version', '--client'], true),
  etcd: {
    name: 'etcd',
    bundle: 'etcd',
    version: ETCD_VERSION,
    goPackage: 'go.etcd.io/etcd/server/v3',
    versionArgs: ['--version'],
    // Older ones lack the progress requests without which kube-apiserver serves no streaming lists.
    accepts: (version) => {
      const [major, minor] = minorOf(version);
      const patch = Number.parseInt(version.split('.')[2] ?? '0', 10);
      return major > 3 || (major === 3 && (minor >= 6 || (minor === 5 && patch >= 8) || (minor === 4 && patch >= 25)));
    },
    wants: 'v3.4.25, v3.5.8 or newer',
    inEnvtest: true,
    debian: 'etcd-server',
  },
  kwok: {
    name: 'kwok',
    bundle: 'kwok',
    version: KWOK_VERSION,
    goPackage: 'sigs.k8s.io/kwok/cmd/kwok',
    versionArgs: ['--version'],
    accepts: (version) => {
      const [major, minor] = minorOf(version);
      return major > 0 || minor >= 7;
    },
    wants: 'v0.7 or newer',
    inEnvtest: false,
  },
};

export const TOOL_NAMES = Object.keys(TOOLS) as ToolName[];
