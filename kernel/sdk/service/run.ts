/** The service's end of the contract. The build calls it with what the entry file exports. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Json, LateenError } from '@lateen/schemas';
import type { ServiceContext, ServiceDefinition } from './define.ts';
import { type Channel, type Frame, type FrameError, openChannel, PROTOCOL_VERSIONS, SERVICE_FD } from './frames.ts';

type Method = (params: Json, context: ServiceContext) => unknown;

function methodOf(definition: ServiceDefinition, name: string): Method | undefined {
  const [contribution = '', method = '', ...more] = name.split('.');
  if (more.length > 0 || !Object.hasOwn(definition, contribution)) return undefined;
  const target = definition[contribution as keyof ServiceDefinition] as Record<string, unknown> | undefined;
  if (typeof target !== 'object' || method === '' || method in Object.prototype) return undefined;
  const found = target[method];
  return typeof found === 'function' ? (params, context) => found.call(target, params, context) : undefined;
}

function errorOf(error: unknown): FrameError {
  if (error instanceof LateenError) return { message: error.message, faults: error.faults };
  return { message: error instanceof Error ? error.message : String(error) };
}

/** Node's timers hold no more than this many milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Answers the kernel until it says `stop` or goes away; then stops what the service contributes.
 * @param stream for tests; a child process uses descriptor 3.
 * @returns when everything is stopped.
 */
export async function serveContract(definition: ServiceDefinition, stream: Duplex): Promise<void> {
  const running = new Map<number, AbortController>();
  let channel: Channel | undefined;

  const answer = async (frame: Frame & { type: 'request' }): Promise<void> => {
    const { id, method, params, deadlineMs } = frame;
    void channel?.send({ type: 'ack', id });
    const abort = new AbortController();
    running.set(id, abort);
    const timer = setTimeout(
      () => abort.abort(new Error(`${method} ran past its deadline`)),
      Math.min(Math.max(deadlineMs, 0), MAX_TIMER_MS),
    );
    let reply: Frame;
    try {
      const call = methodOf(definition, method);
      if (!call) throw new Error(`the service does not offer "${method}"`);
      const result = (await call(params, { signal: abort.signal })) as Json | undefined;
      reply = { type: 'response', id, result: result ?? null };
    } catch (error) {
      reply = { type: 'failure', id, error: errorOf(error) };
    }
    clearTimeout(timer);
    running.delete(id);
    await channel?.send(reply);
  };

  await new Promise<void>((resolve) => {
    channel = openChannel(stream, {
      onFrame(frame) {
        switch (frame.type) {
          case 'hello': {
            const version = frame.versions.filter((each) => PROTOCOL_VERSIONS.includes(each)).sort((a, b) => b - a)[0];
            // A version that the kernel did not offer tells it what went wrong.
            const contributes = Object.keys(definition);
            void channel?.send({ type: 'welcome', version: version ?? PROTOCOL_VERSIONS[0] ?? 0, contributes });
            break;
          }
          case 'request':
            void answer(frame);
            break;
          case 'cancel':
            running.get(frame.id)?.abort(new Error('the kernel cancelled the call'));
            break;
          case 'ping':
            void channel?.send({ type: 'pong', id: frame.id });
            break;
          case 'stop':
            resolve();
            break;
        }
      },
      onEnd: () => resolve(),
    });
  });
  for (const abort of running.values()) abort.abort(new Error('the service stops'));
  try {
    await definition.clusterProvider?.stop();
  } finally {
    channel?.end();
  }
}

/** Runs a service in this process: it ends when the kernel tells it to or goes away. */
export async function runService(definition: ServiceDefinition): Promise<void> {
  let stream: Socket;
  try {
    stream = new Socket({ fd: SERVICE_FD, readable: true, writable: true });
  } catch {
    console.error(`a service is started by Lateen, which speaks to it over descriptor ${SERVICE_FD}`);
    process.exit(1);
  }
  let code = 0;
  try {
    await serveContract(definition, stream);
  } catch (error) {
    console.error(error);
    code = 1;
  }
  // Leaving at once would lose what was printed and not yet taken.
  await Promise.all([process.stdout, process.stderr].map((out) => new Promise((resolve) => out.write('', resolve))));
  process.exit(code);
}
