/** Starts the controllers over a feed of changes. */
import type { KeyPair } from '../pki/certificates.ts';
import type { Loose } from '../types/loose.ts';
import { autoscalerController, budgetController } from './autoscaling.ts';
import { cronJobController } from './cronjobs.ts';
import { daemonSetController } from './daemonsets.ts';
import { deploymentController } from './deployments.ts';
import { garbageController } from './garbage.ts';
import { jobController } from './jobs.ts';
import {
  Cache,
  type Change,
  type Clock,
  type Context,
  createQueue,
  type Queue,
  type SimulationOptions,
  type Writer,
} from './kit.ts';
import { podController } from './pods.ts';
import { replicaSetController } from './replicasets.ts';
import { serviceController } from './services.ts';
import { statefulSetController } from './statefulsets.ts';
import { accountController, accountTokenController, aggregationController, signingController } from './system.ts';
import { volumeController } from './volumes.ts';

export const DEFAULT_SIMULATION: SimulationOptions = {
  workloads: 'pods',
  nodes: 2,
  podStartMs: 20,
  jobRunMs: 500,
  batchMs: 10,
};

export interface ControllerInput {
  writer: Writer;
  clock: Clock;
  authority: KeyPair;
  /** Makes the token of a ServiceAccount for a Secret that asks for one. */
  tokenFor(account: Loose, secret: Loose): string;
  /** How workloads are simulated; undefined: not at all. */
  simulation?: SimulationOptions;
  /** Is told of what went wrong; the work is tried again. */
  report(controller: string, error: unknown, key: string): void;
}

export interface Controllers {
  /** Takes a change of any object of any kind; those that are there at the start count as changes too. */
  apply(change: Change): void;
  /** A live view of the kinds that controllers look at. */
  cache: Cache;
  stop(): void;
}

/** Sets the controllers up. They work on the changes that they are given from then on. */
export function startControllers(input: ControllerInput): Controllers {
  const queues: Queue[] = [];
  const cache = new Cache();
  const context: Context = {
    cache,
    writer: input.writer,
    clock: input.clock,
    options: input.simulation ?? DEFAULT_SIMULATION,
    queue(name, work) {
      const queue = createQueue(input.clock, work, (error, key) => input.report(name, error, key));
      queues.push(queue);
      return queue;
    },
  };
  const garbage = garbageController(context);
  accountController(context, input.authority.cert);
  accountTokenController(context, input.authority.cert, input.tokenFor);
  aggregationController(context);
  signingController(context, input.authority);
  if (input.simulation) {
    deploymentController(context);
    statefulSetController(context);
    daemonSetController(context);
    jobController(context);
    cronJobController(context);
    serviceController(context);
    volumeController(context);
    autoscalerController(context);
    budgetController(context);
    if (input.simulation.workloads === 'pods') {
      replicaSetController(context);
      podController(context);
    }
  }
  return {
    cache,
    apply(change) {
      cache.apply(change);
      garbage(change);
    },
    stop() {
      for (const queue of queues) queue.stop();
    },
  };
}
