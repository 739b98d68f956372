/** Starts both pairs of servers once for the whole suite. Fails, rather than skips, where a server is not to be had. */
import type { TestProject } from 'vitest/node';
import { type Profile, type RunningServers, type ServerAddress, startServers } from './harness/servers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    servers: Record<Profile, ServerAddress[]>;
  }
}

/** vitest's global setup: returns what takes the servers down again. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running: RunningServers[] = [];
  const stop = async (): Promise<void> => {
    for (const one of running.splice(0)) await one.stop();
  };
  try {
    const log = (line: string): void => console.error(line);
    const machinery = await startServers('machinery', { log });
    running.push(machinery);
    const workloads = await startServers('workloads', { log });
    running.push(workloads);
    project.provide('servers', { machinery: machinery.addresses, workloads: workloads.addresses });
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
