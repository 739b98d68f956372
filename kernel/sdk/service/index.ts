/** `lateen/sdk/service`: everything that an addon author imports to write a service. */
export { type Fault, type Json, type JsonObject, type KubeObject, LateenError } from '@lateen/schemas';
export {
  type ClusterProvider,
  type ClusterStart,
  defineService,
  type ServiceContext,
  type ServiceDefinition,
  type StartedCluster,
} from './define.ts';
export { runService } from './run.ts';
