/** Runs conformance cases without a test runner: to work on a case, and to print the table of known differences. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { GROUPS } from './cases/index.ts';
import { describeDifference } from './harness/compare.ts';
import type { CaseGroup, ServerUnderTest } from './harness/context.ts';
import { judge, type Verdict } from './harness/judge.ts';
import { openServers, type Profile, startServers } from './harness/servers.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';

const USAGE = `Usage: node test/conformance/main.ts [--group NAME] [--case TEXT] [--only real|devcluster] [--show] [--self] [--known]
  --group NAME   only groups of this name          --case TEXT   only cases whose name contains TEXT
  --only SERVER  run on one server, compare nothing --show        print transcripts
  --self         a real server against a real server: shows that cases and comparison are sound
  --known        print the table of known differences and end`;

function printKnown(): void {
  for (const { group, name, at, reason } of KNOWN_DIFFERENCES) {
    console.log(`${group}${name ? `: ${name}` : ''}\n    at ${at}\n    ${reason}`);
  }
  console.log(`${KNOWN_DIFFERENCES.length} known differences`);
}

/** Runs `work` over items, a few at a time. */
async function pool<T>(items: T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      group: { type: 'string' },
      case: { type: 'string' },
      only: { type: 'string' },
      show: { type: 'boolean' },
      known: { type: 'boolean' },
      self: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.known) {
    printKnown();
    return 0;
  }
  const only: ServerUnderTest['name'] | undefined =
    values.only === 'real' ? 'kube-apiserver' : values.only === 'devcluster' ? 'devcluster' : undefined;
  const runId = `r${randomBytes(3).toString('hex')}`;
  const log = (line: string): void => console.error(line);
  let failed = 0;
  let passed = 0;
  let excused = 0;
  for (const profile of ['machinery', 'workloads'] as Profile[]) {
    const wanted = GROUPS.filter(
      (group) => group.profile === profile && (!values.group || group.name === values.group),
    );
    const cases = wanted.flatMap((group) =>
      group.cases.filter((one) => !values.case || one.name.includes(values.case)).map((one) => ({ group, one })),
    );
    if (cases.length === 0) continue;
    const running = await startServers(profile, { only, self: values.self, log });
    const servers = await openServers(running.addresses);
    try {
      await pool(cases, 4, async ({ group, one }) => {
        const verdict = await judge(servers, group, one, runId);
        excused += verdict.excused.length;
        if (verdict.problems.length === 0) passed++;
        else failed++;
        print(group, one.name, verdict, values.show ?? false);
      });
    } finally {
      for (const server of servers) server.connection.close();
      await running.stop();
    }
  }
  console.log(`${passed} cases hold, ${failed} do not, ${excused} known differences met`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function print(group: CaseGroup, name: string, verdict: Verdict, show: boolean): void {
  console.log(`${verdict.problems.length === 0 ? 'ok  ' : 'FAIL'} ${group.name}: ${name}`);
  for (const problem of verdict.problems) {
    console.log(`  ${typeof problem === 'string' ? problem : describeDifference(problem)}`.replaceAll('\n', '\n  '));
  }
  if (!show) return;
  for (const [server, { transcript }] of Object.entries(verdict.results)) {
    console.log(`  --- ${server}`);
    for (const step of transcript) console.log(`  ${JSON.stringify(step)}`);
  }
}

process.exitCode = await main();
