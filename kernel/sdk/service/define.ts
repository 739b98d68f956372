/** How an addon declares a service: code that needs a process of its own. Declaring runs nothing. */
import type { JsonObject } from '@lateen/schemas';

export interface ServiceContext {
  /** Aborted when the kernel cancels the call or its deadline passes. */
  signal: AbortSignal;
}

export interface ClusterStart {
  /** Folder for everything that must survive a restart. It exists. */
  dataDir: string;
  /** Port to listen on; 0 for any that is free. */
  port: number;
  options: JsonObject;
}

export interface StartedCluster {
  /** A kubeconfig, as YAML, with everything that a client needs. */
  kubeconfig: string;
  url: string;
}

/** Starts and stops a Kubernetes API on a machine that has none. */
export interface ClusterProvider {
  start(request: ClusterStart, context: ServiceContext): Promise<StartedCluster>;
  /** Called before the service ends, also when it was never started. */
  stop(): Promise<void>;
}

/** What a service contributes; each contribution is an object of functions that the kernel calls by name. */
export interface ServiceDefinition {
  clusterProvider?: ClusterProvider;
}

/** Declares a service; its entry file exports it by default. */
export function defineService(definition: ServiceDefinition): ServiceDefinition {
  return definition;
}
