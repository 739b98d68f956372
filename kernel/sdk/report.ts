/** How a definition speaks to its user: by stopping with an error, or with a warning beside the result. */
import type { Report } from '@lateen/schemas';

export interface ReportDetails {
  /** What would have been right: `a port between 1 and 65535`. */
  expected?: string;
  /** What to do. */
  hint?: string;
}

/** Carries an error of the user's parameters out of a render function; the runtime makes it an `errors` entry. */
export class Failure extends Error {
  readonly report: Report;
  constructor(report: Report) {
    super(report.message);
    this.name = 'Failure';
    this.report = report;
  }
}

/** One collector per running render; a bundle runs one render at a time, to its end. */
let collected: Report[] | undefined;

function reportOf(message: string, parameter: string | undefined, details: ReportDetails): Report {
  const report: Report = { message };
  if (parameter !== undefined) report.parameter = parameter;
  if (details.expected !== undefined) report.expected = details.expected;
  if (details.hint !== undefined) report.hint = details.hint;
  return report;
}

/**
 * Stops the render with an error about the user's parameters.
 * @param message what is wrong, in one sentence.
 * @param parameter path below the parameters: `ports[0].name`.
 * @throws {Failure} always.
 */
export function fail(message: string, parameter?: string, details: ReportDetails = {}): never {
  throw new Failure(reportOf(message, parameter, details));
}

/** Tells the user of something that has no effect or will surprise; the render goes on. Outside of a render: nothing. */
export function warn(message: string, parameter?: string, details: ReportDetails = {}): void {
  collected?.push(reportOf(message, parameter, details));
}

/** Runs `task` and returns its value with the warnings that it gave. Used by the runtime. */
export function withWarnings<T>(task: () => T): { value: T; warnings: Report[] } {
  const outer = collected;
  const warnings: Report[] = [];
  collected = warnings;
  try {
    return { value: task(), warnings };
  } finally {
    collected = outer;
  }
}
