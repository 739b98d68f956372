/** Sends the same random sequences of operations to a real kube-apiserver and to devcluster and compares the answers. */
import { parseArgs } from 'node:util';
import { type Difference, describeDifference, differences } from '../conformance/harness/compare.ts';
import type { Connection } from '../conformance/harness/connection.ts';
import { openServers, startServers } from '../conformance/harness/servers.ts';
import { generateSequence, type Operation } from './generate.ts';
import { explained } from './known-differences.ts';
import { sequenceSeed } from './random.ts';
import { prepareServer, runSequence } from './run.ts';
import { shrink } from './shrink.ts';

const USAGE = `Usage: node test/differential/main.ts [--sequences 2000] [--seed N] [--replay SEED] [--self] [--workers 4] [--report 12]
  --replay SEED  one sequence, by the seed that a failure printed, shrunk
  --self         the real server against itself: shows that generator and comparison are sound
  --report N     how many different failures to print and shrink`;

interface Failure {
  seed: number;
  operations: Operation[];
  differences: Difference[];
}

/** What kind of failure this is, so that a hundred of one kind count as one. */
function signature({ operations, differences: [first] }: Failure): string {
  const index = Number(/^\[(\d+)\]/.exec(first?.path ?? '')?.[1] ?? -1);
  const operation = operations[index];
  const place = (first?.path ?? '').replace(/\[\d+\]/g, '[]').replace(/k:\{.*?\}/g, 'k:{}');
  return `${operation ? `${operation.op}${operation.subresource ? `/${operation.subresource}` : ''} ${operation.kind}` : 'end state'} at ${place}`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      sequences: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
      replay: { type: 'string' },
      self: { type: 'boolean' },
      workers: { type: 'string', default: '4' },
      report: { type: 'string', default: '12' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const log = (line: string): void => console.error(line);
  const running = await startServers('machinery', { only: values.self ? 'kube-apiserver' : undefined, log });
  const connections = (await openServers(running.addresses)).map((server) => server.connection);
  try {
    for (const connection of connections) await prepareServer(connection);
    const [real] = connections;
    const ours = connections[1] ?? real;
    if (!real || !ours) throw new Error('there are not two servers to compare');
    return values.replay === undefined
      ? await runMany(
          real,
          ours,
          Number(values.sequences),
          Number(values.seed),
          Number(values.workers),
          Number(values.report),
        )
      : await replay(real, ours, Number(values.replay));
  } finally {
    for (const connection of connections) connection.close();
    await running.stop();
  }
}

let runs = 0;

async function compare(real: Connection, ours: Connection, operations: Operation[]): Promise<Difference[]> {
  const id = runs++;
  const [one, two] = await Promise.all([
    runSequence(real, operations, `r${id}`),
    // Against itself, the same objects need other names; of the same length, or cut names would differ.
    runSequence(ours, operations, real === ours ? `o${id}` : `r${id}`),
  ]);
  return differences(one.answers, two.answers).filter((difference) => !explained(operations, difference));
}

async function replay(real: Connection, ours: Connection, seed: number): Promise<number> {
  const operations = generateSequence(seed);
  const found = await compare(real, ours, operations);
  if (found.length === 0) {
    console.log(`sequence ${seed}: ${operations.length} operations, no difference`);
    return 0;
  }
  await report(real, ours, { seed, operations, differences: found });
  return 1;
}

async function report(real: Connection, ours: Connection, failure: Failure): Promise<void> {
  const wanted = signature(failure);
  const operations = await shrink(failure.operations, async (candidate) => {
    const found = await compare(real, ours, candidate);
    return found.length > 0 && signature({ ...failure, operations: candidate, differences: found }) === wanted;
  });
  console.log(`\n${wanted}   (replay with --replay ${failure.seed})`);
  for (const [index, { op, kind, name, manager, body, ...more }] of operations.entries()) {
    console.log(
      `  [${index}] ${op} ${kind} ${name} by ${manager} ${JSON.stringify(more)}\n      ${JSON.stringify(body)}`,
    );
  }
  for (const difference of (await compare(real, ours, operations)).slice(0, 6)) {
    console.log(`  ${describeDifference(difference)}`);
  }
}

async function runMany(
  real: Connection,
  ours: Connection,
  count: number,
  seed: number,
  workers: number,
  reports: number,
): Promise<number> {
  const started = performance.now();
  const kinds = new Map<string, Failure[]>();
  let next = 0;
  let operationCount = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (let index = next++; index < count; index = next++) {
        const own = sequenceSeed(seed, index);
        const operations = generateSequence(own);
        operationCount += operations.length;
        const found = await compare(real, ours, operations);
        if (found.length === 0) continue;
        const failure = { seed: own, operations, differences: found };
        const key = signature(failure);
        kinds.set(key, [...(kinds.get(key) ?? []), failure]);
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const failed = [...kinds.values()].reduce((sum, failures) => sum + failures.length, 0);
  const sorted = [...kinds].sort(([, a], [, b]) => b.length - a.length);
  for (const [key, failures] of sorted) console.log(`${String(failures.length).padStart(5)}  ${key}`);
  for (const [, failures] of sorted.slice(0, reports)) {
    const shortest = failures.reduce((a, b) => (b.operations.length < a.operations.length ? b : a));
    await report(real, ours, shortest);
  }
  console.log(
    `\n${count} sequences (${operationCount} operations) of seed ${seed}: ${failed} differ in ${kinds.size} ways; ` +
      `${seconds.toFixed(1)} s, ${(count / seconds).toFixed(1)} sequences/s, ${(operationCount / seconds).toFixed(0)} operations/s on each server`,
  );
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
