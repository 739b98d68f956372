/** The same cases against a real kube-apiserver and against devcluster: each holds on both, and both answer the same. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { GROUPS } from './cases/index.ts';
import { describeDifference } from './harness/compare.ts';
import type { ServerUnderTest } from './harness/context.ts';
import { judge } from './harness/judge.ts';
import { openServers, type Profile } from './harness/servers.ts';
import { KNOWN_DIFFERENCES, type KnownDifference } from './known-differences.ts';

const runId = `r${randomBytes(3).toString('hex')}`;
const servers = new Map<Profile, ServerUnderTest[]>();
const met = new Set<KnownDifference>();

beforeAll(async () => {
  const addresses = inject('servers');
  for (const profile of ['machinery', 'workloads'] as const)
    servers.set(profile, await openServers(addresses[profile]));
});

afterAll(() => {
  for (const one of [...servers.values()].flat()) one.connection.close();
});

for (const group of GROUPS) {
  describe.concurrent(group.name, () => {
    for (const one of group.cases) {
      test(one.name, async () => {
        const both = servers.get(group.profile) ?? [];
        expect(both.map((server) => server.name)).toEqual(['kube-apiserver', 'devcluster']);
        const verdict = await judge(both, group, one, runId);
        for (const { by } of verdict.excused) met.add(by);
        const problems = verdict.problems.map((problem) =>
          typeof problem === 'string' ? problem : describeDifference(problem),
        );
        expect(problems.join('\n'), 'what differs').toBe('');
      });
    }
  });
}

test('every known difference is one that a case still meets', () => {
  const stale = KNOWN_DIFFERENCES.filter((known) => !met.has(known));
  expect(stale, 'take these out of known-differences.ts').toEqual([]);
});
