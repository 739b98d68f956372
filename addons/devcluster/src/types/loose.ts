/**
 * A Kubernetes object, or a part of one, that is read and written by field name. What the fields hold is checked against the
 * kind's schema before any code sees it, so that defaults, strategies and controllers read it without a type for each kind.
 */
// biome-ignore lint/suspicious/noExplicitAny: the schema check stands before; see above
export type Loose = Record<string, any>;

/** Whether a value is a JSON object (neither null nor a list). */
export const isRecord = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sets a field that has no value yet (undefined or null). */
export function initial<T>(object: Loose, field: string, value: T): T {
  object[field] ??= value;
  return object[field] as T;
}

/** Deep equality of JSON values; the order of fields does not count, a field that is undefined counts as absent. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => same(item, b[index]));
  }
  const left = a as Loose;
  const right = b as Loose;
  for (const key in left) if (left[key] !== undefined && !same(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}
