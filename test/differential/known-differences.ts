/** Differences of random sequences that are meant, each with its reason. */
import type { Difference } from '../conformance/harness/compare.ts';
import type { Operation } from './generate.ts';

export interface KnownDifference {
  reason: string;
  matches(difference: Difference, operation: Operation | undefined): boolean;
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [];

/** The entry that explains a difference, if one does. */
export function explained(operations: Operation[], difference: Difference): KnownDifference | undefined {
  const operation = operations[Number(/^\[(\d+)\]/.exec(difference.path)?.[1] ?? -1)];
  return KNOWN_DIFFERENCES.find((known) => known.matches(difference, operation));
}
