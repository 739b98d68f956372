/** Command line of the testbed: `ensure` gets the binaries, `up` runs a control plane until it is interrupted. */
import { parseArgs } from 'node:util';
import { BinariesMissing, ensureBinaries } from './binaries.ts';
import { TOOL_NAMES, type ToolName } from './catalogue.ts';
import { startTestbed, TestbedError } from './start.ts';

const USAGE = `Usage:
  node test/testbed/main.ts ensure [NAME…]   find or make the binaries (default: all): ${TOOL_NAMES.join(', ')}
  node test/testbed/main.ts up [--controller-manager] [--scheduler] [--kwok NODES] [--audit]
                                             run a control plane on loopback until Ctrl-C; prints its kubeconfig's path`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'controller-manager': { type: 'boolean' },
      scheduler: { type: 'boolean' },
      kwok: { type: 'string' },
      audit: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [verb, ...names] = positionals;
  const log = (line: string): void => console.error(line);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (verb === 'ensure') {
    const unknown = names.filter((name) => !(TOOL_NAMES as string[]).includes(name));
    if (unknown.length > 0) {
      console.error(`unknown: ${unknown.join(', ')}\n${USAGE}`);
      return 2;
    }
    const found = await ensureBinaries(names.length > 0 ? (names as ToolName[]) : TOOL_NAMES, { log });
    for (const { name, version, source, path } of Object.values(found)) {
      console.log(`${name.padEnd(24)} ${version.padEnd(10)} ${source.padEnd(18)} ${path}`);
    }
    return 0;
  }
  if (verb === 'up' && names.length === 0) {
    const kwok = values.kwok === undefined ? 0 : Number(values.kwok);
    const testbed = await startTestbed({
      controllerManager: values['controller-manager'] || kwok > 0,
      scheduler: values.scheduler || kwok > 0,
      kwok,
      audit: values.audit ?? false,
      log,
    });
    console.log(`export KUBECONFIG=${testbed.kubeconfig.path}`);
    console.error(`kube-apiserver ${testbed.version} at ${testbed.url}; Ctrl-C stops it and removes its data`);
    await new Promise<void>((resolve) => {
      const idle = setInterval(() => undefined, 1 << 30);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.once(signal, () => {
          clearInterval(idle);
          resolve();
        });
      }
    });
    await testbed.stop();
    return 0;
  }
  console.error(USAGE);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BinariesMissing || error instanceof TestbedError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
