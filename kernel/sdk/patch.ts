/** Patches that a trait returns, and the directives that may stand inside a `merge`. */
import type { JsonPatchOperation, Patch } from '@lateen/schemas';

/**
 * A value on its way to JSON: fields that are `undefined` are left out, elements of a list that are `undefined` too,
 * so `[a, condition ? b : undefined]` reads as it should.
 */
export type Draft = string | number | boolean | null | undefined | readonly Draft[] | object;

/**
 * Maps merge, scalars and plain lists take the patch's word, `null` removes a key. {@link mergeBy}, {@link append},
 * {@link replace} and {@link each} may stand anywhere inside.
 */
export function merge(value: object): Patch {
  return { type: 'merge', value } as Patch;
}

/** RFC 7396: as {@link merge}, without directives. */
export function jsonMerge(value: object): Patch {
  return { type: 'json-merge', value } as Patch;
}

/** RFC 6902. */
export function jsonPatch(operations: readonly JsonPatchOperation[]): Patch {
  return { type: 'json', operations: [...operations] };
}

/** A directive of `merge`; only its position in a patch gives it a meaning. */
export type Directive = { readonly [K in `$${string}`]: Draft };

/**
 * Merges each item into the element of the list with equal `keys`.
 * @param options.missing what to do with an item that has no partner: append it (default) or report an error.
 */
export function mergeBy(
  keys: readonly string[],
  items: readonly (object | undefined)[],
  options: { missing?: 'append' | 'error' } = {},
): Directive {
  const directive: Record<`$${string}`, Draft> = { $merge: items, $key: keys };
  if (options.missing !== undefined) directive.$missing = options.missing;
  return directive;
}

/** Appends the items that are not in the list yet. */
export function append(items: readonly Draft[]): Directive {
  return { $append: items };
}

/** Takes the place of what was there, maps included. */
export function replace(value: Draft): Directive {
  return { $replace: value };
}

/** Is merged into every element of the list. */
export function each(value: object): Directive {
  return { $each: value };
}
