/**
 * What an image's name makes its simulated container do:
 *
 * - `fail/NAME[:TAG]` cannot be pulled (ImagePullBackOff); with the tag `crash` it is pulled, and crashes again and again
 *   (CrashLoopBackOff). In a Job's pod a crash ends the pod as failed.
 * - `never-ready/NAME` runs and is never ready.
 * - `slow/NAME:30s` takes that long until it runs (`ms`, `s`, `m`; ten seconds when the tag is no time).
 *
 * Every other image runs and is ready at once.
 */
export type Behaviour = 'runs' | 'cannot-be-pulled' | 'crashes' | 'never-ready';

export interface ImageBehaviour {
  behaviour: Behaviour;
  /** Milliseconds until it runs, on top of the usual ones. */
  delayMs: number;
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000 };

/** Reads a time such as `30s`, `500ms`, `2m`. @returns milliseconds; undefined for other text. */
export function duration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  return match ? Number(match[1]) * UNITS[match[2]!]! : undefined;
}

/** How a container of this image behaves. */
export function imageBehaviour(image: string): ImageBehaviour {
  const [prefix] = image.split('/', 1);
  const tag = /:([^/:@]+)$/.exec(image)?.[1] ?? '';
  switch (prefix) {
    case 'fail':
      return { behaviour: tag === 'crash' ? 'crashes' : 'cannot-be-pulled', delayMs: 0 };
    case 'never-ready':
      return { behaviour: 'never-ready', delayMs: 0 };
    case 'slow':
      return { behaviour: 'runs', delayMs: duration(tag) ?? 10_000 };
    default:
      return { behaviour: 'runs', delayMs: 0 };
  }
}

/** How a pod with these containers behaves: the worst of them decides, the slowest delays. */
export function podBehaviour(spec: {
  containers?: { image?: string }[];
  initContainers?: { image?: string }[];
}): ImageBehaviour {
  const order: Behaviour[] = ['runs', 'never-ready', 'crashes', 'cannot-be-pulled'];
  const result: ImageBehaviour = { behaviour: 'runs', delayMs: 0 };
  for (const { image } of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const one = imageBehaviour(image ?? '');
    if (order.indexOf(one.behaviour) > order.indexOf(result.behaviour)) result.behaviour = one.behaviour;
    result.delayMs = Math.max(result.delayMs, one.delayMs);
  }
  return result;
}
