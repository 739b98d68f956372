/**
 * A fault is one thing that is wrong with one input, told so that its reader can mend it.
 * Faults are plain data: rooms collect them and report all faults of one input together.
 */
import type { ErrorCode } from './errors.ts';

/** Where a fault stands in a file. Lines and columns count from 1. */
export interface Place {
  file: string;
  line?: number;
  column?: number;
}

export interface Fault {
  /** Stable code from the catalogue in `errors.ts`, documented in `docs/errors.md`. */
  code: ErrorCode;
  /** `error` stops what was asked for; `warning` does not. */
  severity: 'error' | 'warning';
  /** One sentence: what is wrong, naming the offender. */
  message: string;
  place?: Place;
  /** Path inside the document, as users write it: `spec.components[0].traits[1].properties.replicas`. */
  path?: string;
  /** What would have been right: `an integer`, `one of ClusterIP, NodePort, LoadBalancer`. */
  expected?: string;
  /** What to do: `did you mean "scaler"?`, `run: lateen addon enable standard`. */
  hint?: string;
}

/** Thrown where faults cannot be returned. Carries every fault of the input, not just the first. */
export class LateenError extends Error {
  readonly faults: Fault[];
  constructor(faults: Fault | Fault[], options?: ErrorOptions) {
    const all = Array.isArray(faults) ? faults : [faults];
    super(all.map(formatFault).join('\n'), options);
    this.name = 'LateenError';
    this.faults = all;
  }
}

/** `file:line:column: code: message (expected …; hint)`: the one form in which faults are printed as plain text. */
export function formatFault(fault: Fault): string {
  const { place } = fault;
  const where = place
    ? `${[place.file, place.line, place.column].filter((part) => part !== undefined).join(':')}: `
    : '';
  const tail = [fault.expected && `expected ${fault.expected}`, fault.hint].filter(Boolean).join('; ');
  const severity = fault.severity === 'warning' ? 'warning ' : '';
  return `${where}${severity}${fault.code}: ${fault.message}${tail ? ` (${tail})` : ''}`;
}

/** The faults that stop: everything but warnings. */
export function errorsOf(faults: readonly Fault[]): Fault[] {
  return faults.filter((fault) => fault.severity === 'error');
}
