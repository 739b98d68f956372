/** Makes a failing sequence as small as it gets while it still fails. */
import type { Operation } from './generate.ts';

/** Whether the sequence still shows the failure. */
export type Fails = (operations: Operation[]) => Promise<boolean>;

/** All bodies that are one step smaller: one member or element less, anywhere. */
function* smaller(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      yield value.filter((_, other) => other !== index);
      for (const inner of smaller(value[index])) yield value.map((one, other) => (other === index ? inner : one));
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (['apiVersion', 'kind', 'name', 'metadata'].includes(key)) {
        for (const inner of smaller(member)) yield { ...value, [key]: inner };
        continue;
      }
      const { [key]: _removed, ...rest } = value as Record<string, unknown>;
      yield rest;
      for (const inner of smaller(member)) yield { ...value, [key]: inner };
    }
  }
}

/** Removes operations, then parts of their bodies, for as long as `fails` says so. Tries at most `tries` times. */
export async function shrink(operations: Operation[], fails: Fails, tries = 400): Promise<Operation[]> {
  let best = operations;
  let left = tries;
  const attempt = async (candidate: Operation[]): Promise<boolean> => {
    if (left-- <= 0 || candidate.length === 0 || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = best.length - size; start >= 0; start -= size) {
      await attempt([...best.slice(0, start), ...best.slice(start + size)]);
    }
  }
  for (let progress = true; progress && left > 0; ) {
    progress = false;
    for (let index = 0; index < best.length && !progress; index++) {
      for (const body of smaller(best[index]?.body)) {
        if (left <= 0) break;
        if (await attempt(best.map((one, other) => (other === index ? { ...one, body } : one)))) {
          progress = true;
          break;
        }
      }
    }
  }
  return best;
}
