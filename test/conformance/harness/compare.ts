/** Differences between two normalised values. */
import type { Json } from './normalise.ts';

export interface Difference {
  /** Where: `2 create again.body.details.causes[0].message`. */
  path: string;
  /** The real server's value; `undefined` when it has none. */
  real: Json | undefined;
  ours: Json | undefined;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All places where two values differ, deepest paths. Arrays are compared by index. */
export function differences(real: Json | undefined, ours: Json | undefined, path = ''): Difference[] {
  if (real === ours) return [];
  if (Array.isArray(real) && Array.isArray(ours)) {
    const found: Difference[] = [];
    for (let index = 0; index < Math.max(real.length, ours.length); index++) {
      found.push(...differences(real[index], ours[index], `${path}[${index}]`));
    }
    return found;
  }
  if (isObject(real) && isObject(ours)) {
    const found: Difference[] = [];
    for (const key of [...new Set([...Object.keys(real), ...Object.keys(ours)])].sort()) {
      found.push(...differences(real[key], ours[key], path ? `${path}.${key}` : key));
    }
    return found;
  }
  return [{ path, real, ours }];
}

function show(value: Json | undefined): string {
  const text = value === undefined ? '(absent)' : JSON.stringify(value);
  return text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text;
}

/** One difference as three lines. */
export function describeDifference({ path, real, ours }: Difference): string {
  return `${path}\n    real: ${show(real)}\n    ours: ${show(ours)}`;
}
