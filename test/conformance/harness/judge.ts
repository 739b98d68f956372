/** Runs a case on the servers and says what is wrong. */
import { KNOWN_DIFFERENCES, type KnownDifference } from '../known-differences.ts';
import { type Difference, differences } from './compare.ts';
import type { Case, CaseGroup, ServerUnderTest, Step } from './context.ts';
import { type CaseResult, runCase } from './run.ts';

export interface Verdict {
  results: Record<string, CaseResult>;
  /** What fails the case: expectations that did not hold, and differences that nobody has explained. */
  problems: (string | Difference)[];
  /** Differences that the table of known ones explains. */
  excused: { difference: Difference; by: KnownDifference }[];
}

/** Steps by name, so that a missing step does not shift all that follow. */
function byName(transcript: Step[]): Record<string, Step> {
  return Object.fromEntries(transcript.map(({ step, ...rest }, index) => [`${index + 1} ${step}`, { step, ...rest }]));
}

/** Whether `at`, a path in which `*` stands for anything, covers `path`, or a part that holds it. */
function covers(at: string, path: string): boolean {
  const pattern = at
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}($|[.[])`).test(path);
}

/** The entry of the table that explains a difference. */
export function explanation(group: string, name: string, path: string): KnownDifference | undefined {
  return KNOWN_DIFFERENCES.find(
    (known) => known.group === group && (known.name === undefined || known.name === name) && covers(known.at, path),
  );
}

/** Runs one case on each of the servers, compares the transcripts when there are two. */
export async function judge(servers: ServerUnderTest[], group: CaseGroup, one: Case, runId: string): Promise<Verdict> {
  const results: Record<string, CaseResult> = {};
  await Promise.all(
    servers.map(async (server) => {
      results[server.name] = await runCase(server, group.name, one, runId);
    }),
  );
  const verdict: Verdict = { results, problems: [], excused: [] };
  for (const [server, { failure }] of Object.entries(results)) {
    if (!failure) continue;
    const by = server === 'devcluster' ? explanation(group.name, one.name, 'expectation') : undefined;
    if (by) verdict.excused.push({ difference: { path: 'expectation', real: null, ours: failure.message }, by });
    else verdict.problems.push(`${server}: ${failure.stack ?? failure.message}`);
  }
  const real = results['kube-apiserver'];
  const ours = results.devcluster;
  if (real && ours) {
    for (const difference of differences(byName(real.transcript), byName(ours.transcript))) {
      const by = explanation(group.name, one.name, difference.path);
      if (by) verdict.excused.push({ difference, by });
      else verdict.problems.push(difference);
    }
  }
  return verdict;
}
