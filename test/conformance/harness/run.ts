/** Runs one case on one server. */
import { type Case, type ServerUnderTest, type Step, startCase } from './context.ts';

export interface CaseResult {
  transcript: Step[];
  /** The expectation that did not hold, or whatever else ended the case early. */
  failure?: Error;
}

/** Runs a case and returns what it recorded, also when it failed half-way. */
export async function runCase(
  server: ServerUnderTest,
  group: string,
  definition: Case,
  runId: string,
): Promise<CaseResult> {
  let running: Awaited<ReturnType<typeof startCase>> | undefined;
  try {
    running = await startCase(server, group, definition, runId);
    await definition.run(running.context);
    return { transcript: running.transcript() };
  } catch (error) {
    return { transcript: running?.transcript() ?? [], failure: error as Error };
  } finally {
    await running?.cleanUp().catch(() => undefined);
  }
}
