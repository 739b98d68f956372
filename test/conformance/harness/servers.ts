/** The two servers that every case runs against. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestbed, type Testbed } from '../../testbed/start.ts';
import { connectTo, endpointOf } from './connection.ts';
import type { ServerUnderTest } from './context.ts';

/**
 * `machinery`: no controller touches workloads, so that what a case sees is what it wrote.
 * `workloads`: Deployments and their like become ready, by kwok on the real server, by simulation on devcluster.
 */
export type Profile = 'machinery' | 'workloads';

/** Controllers that belong to the API as a client sees it. */
const MACHINERY_CONTROLLERS = [
  'namespace-controller',
  'garbage-collector-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'root-ca-certificate-publisher-controller',
  'certificatesigningrequest-signing-controller',
  'certificatesigningrequest-approving-controller',
  'clusterrole-aggregation-controller',
];

/** Where a running server is, in a form that can be handed to another process. */
export interface ServerAddress {
  name: ServerUnderTest['name'];
  kubeconfigPath: string;
  kubectl: string;
  folder: string;
}

export interface RunningServers {
  addresses: ServerAddress[];
  testbed: Testbed;
  stop(): Promise<void>;
}

export interface StartOptions {
  only?: ServerUnderTest['name'];
  /** Puts a second real server in devcluster's place: what then differs is the suite's own doing. */
  self?: boolean;
  log?: (line: string) => void;
}

/** Starts the real server and, unless `only` says otherwise, devcluster. */
export async function startServers(profile: Profile, options: StartOptions = {}): Promise<RunningServers> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const workloads = profile === 'workloads';
    const startReal = async (): Promise<Testbed> => {
      const started = await startTestbed({
        controllerManager: workloads ? true : MACHINERY_CONTROLLERS,
        scheduler: workloads,
        kwok: workloads ? 3 : false,
        // History is forgotten within seconds, so that a case can see it happen.
        apiServerFlags: workloads ? [] : ['--etcd-compaction-interval=4s'],
        log: options.log,
      });
      stops.push(() => started.stop());
      return started;
    };
    const testbed = await startReal();
    const folder = await mkdtemp(join(tmpdir(), 'lateen-conformance-'));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    const { kubectl } = testbed.binaries;
    const addresses: ServerAddress[] = [];
    if (options.only !== 'devcluster') {
      addresses.push({ name: 'kube-apiserver', kubeconfigPath: testbed.kubeconfig.path, kubectl, folder });
    }
    if (options.self) {
      const second = await startReal();
      addresses.push({ name: 'devcluster', kubeconfigPath: second.kubeconfig.path, kubectl, folder });
    } else if (options.only !== 'kube-apiserver') {
      const { startDevcluster } = await import('../../../addons/devcluster/src/start.ts');
      const devcluster = await startDevcluster({ workloads });
      stops.push(() => devcluster.stop());
      const kubeconfigPath = join(folder, 'devcluster.kubeconfig');
      await writeFile(kubeconfigPath, devcluster.kubeconfig, { mode: 0o600 });
      addresses.push({ name: 'devcluster', kubeconfigPath, kubectl, folder });
    }
    return { addresses, testbed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Opens connections to servers that run, maybe in another process. */
export async function openServers(addresses: ServerAddress[]): Promise<ServerUnderTest[]> {
  return Promise.all(
    addresses.map(async (address) => ({
      ...address,
      connection: connectTo(endpointOf(await readFile(address.kubeconfigPath, 'utf8'))),
    })),
  );
}
