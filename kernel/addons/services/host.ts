/** The kernel's end of the service contract: starts a service as a child process of its own and speaks to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { ERRORS, type Fault, type Json, LateenError } from '@lateen/schemas';
import { type Clock, systemClock } from '../../cluster/clock.ts';
import { type Channel, type Frame, openChannel, PROTOCOL_VERSIONS, ProtocolError } from '../../sdk/service/frames.ts';

export interface StartServiceOptions {
  /** For people: `addon/service`. */
  name: string;
  /** The compiled entry file: where it lies, or its bytes as they came out of a package. */
  entry: string | Uint8Array;
  /** The whole environment of the process; nothing is inherited. */
  env?: Record<string, string>;
  clock?: Clock;
  /** Gets what the process prints, line by line; lines are cut at 4,096 characters. */
  log?(line: string): void;
  /** Milliseconds until the service must have answered the greeting. Default 15,000. */
  startMs?: number;
  /** Milliseconds that a service has to stop before its processes are killed. Default 5,000. */
  stopMs?: number;
  /** Milliseconds until a request must be acknowledged; else the service hangs. Default 10,000. */
  ackMs?: number;
  /** Megabytes of JavaScript heap. Default: Node's own. */
  heapMegabytes?: number;
}

export interface CallOptions {
  /** Milliseconds. Default 30,000. */
  deadlineMs?: number;
  signal?: AbortSignal;
}

export interface ServiceExit {
  code: number | null;
  signal: string | null;
  /** Whether it was asked to stop. */
  expected: boolean;
  /** The last lines that it printed. */
  output: string;
}

export interface Service {
  readonly name: string;
  readonly pid: number;
  readonly contributes: readonly string[];
  /**
   * @param method `contribution.function`: `clusterProvider.start`.
   * @throws LateenError LTN509 when the service fails, hangs or ends; its own faults where it gives some.
   */
  call(method: string, params: Json, options?: CallOptions): Promise<Json>;
  /** Runs the listener once when the process has ended; at once when it has already. @returns a function that forgets it. */
  onExit(listener: (exit: ServiceExit) => void): () => void;
  /** Lets it stop, then kills what is left of its process group. Resolves when the process has ended. */
  stop(): Promise<void>;
}

const MAX_LINE = 4096;
const MAX_OUTPUT = 16 * 1024;

interface Pending {
  method: string;
  resolve(result: Json): void;
  reject(error: unknown): void;
  onAck(): void;
  cleanUp(): void;
}

function fault(message: string, hint?: string): LateenError {
  return new LateenError({ code: 'LTN509', severity: 'error', message, ...(hint !== undefined && { hint }) });
}

/** Faults come from the service; only those that are well formed are passed on. */
function knownFaults(faults: unknown): Fault[] {
  if (!Array.isArray(faults)) return [];
  return faults.filter(
    (each): each is Fault =>
      typeof each === 'object' &&
      each !== null &&
      typeof each.message === 'string' &&
      Object.hasOwn(ERRORS, String(each.code)) &&
      (each.severity === 'error' || each.severity === 'warning'),
  );
}

/** What steers a terminal, and whatever else is no text; tabs may stay. */
const STEERING = /[^\P{Cc}\t]/gu;

/** Splits what arrives into lines; an endless line is cut, not collected. */
function readLines(stream: Readable, give: (line: string) => void): void {
  const onLine = (line: string) => give(line.replace(STEERING, ''));
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) onLine(line.slice(0, MAX_LINE));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}

/** Ends every process of the group: a service must not leave children behind. */
function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

class ChildService implements Service {
  readonly name: string;
  readonly pid: number;
  contributes: readonly string[] = [];
  readonly #channel: Channel;
  readonly #options: Required<Pick<StartServiceOptions, 'stopMs' | 'ackMs' | 'clock'>>;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(exit: ServiceExit) => void>();
  readonly #ended: Promise<void>;
  #welcome: ((frame: Frame & { type: 'welcome' }) => void) | undefined;
  #exit: ServiceExit | undefined;
  #output = '';
  #stopping = false;
  #nextId = 0;

  constructor(child: ChildProcess, pid: number, options: StartServiceOptions, cleanUp: () => Promise<void>) {
    this.name = options.name;
    this.pid = pid;
    const { stopMs = 5_000, ackMs = 10_000, clock = systemClock } = options;
    this.#options = { stopMs, ackMs, clock };
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      readLines(stream, (line) => {
        this.#output = `${this.#output}${line}\n`.slice(-MAX_OUTPUT);
        options.log?.(line);
      });
    }
    this.#channel = openChannel(child.stdio[3] as Duplex, {
      onFrame: (frame) => this.#receive(frame),
      // A service that closes the stream or breaks the contract is of no more use.
      onEnd: (error) => {
        if (error instanceof ProtocolError) this.#output += `${error.message}\n`;
        if (!this.#stopping) killGroup(pid, 'SIGKILL');
      },
    });
    this.#ended = new Promise((resolve) => {
      // `close` comes after the last output was read.
      child.on('close', (code, signal) => {
        killGroup(pid, 'SIGKILL');
        this.#finish({ code, signal, expected: this.#stopping, output: this.#output });
        void cleanUp().then(resolve, resolve);
      });
    });
  }

  /** Says hello and waits for the answer. */
  async greet(startMs: number): Promise<void> {
    const { clock } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Frame & { type: 'welcome' }>();
    this.#welcome = resolve;
    const forget = this.onExit((exit) => reject(this.#endedError(exit)));
    const cancel = clock.after(startMs, () =>
      reject(fault(`service "${this.name}" did not start within ${startMs / 1000} s${this.#tail()}`)),
    );
    void this.#channel.send({ type: 'hello', versions: [...PROTOCOL_VERSIONS], name: this.name });
    try {
      const { version, contributes } = await promise;
      if (!PROTOCOL_VERSIONS.includes(version)) {
        throw fault(
          `service "${this.name}" speaks version ${version} of the service contract`,
          `this kernel speaks ${PROTOCOL_VERSIONS.join(', ')}: use another version of the addon or of the kernel`,
        );
      }
      this.contributes = contributes;
    } finally {
      cancel();
      forget();
      this.#welcome = undefined;
    }
  }

  call(method: string, params: Json, options: CallOptions = {}): Promise<Json> {
    const { clock, ackMs } = this.#options;
    const { deadlineMs = 30_000, signal } = options;
    if (this.#exit) return Promise.reject(this.#endedError(this.#exit));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = ++this.#nextId;
    return new Promise((resolve, reject) => {
      const give = (error: unknown) => {
        void this.#channel.send({ type: 'cancel', id });
        this.#settle(id)?.reject(error);
      };
      const onAbort = () => give(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      const cancelAck = clock.after(Math.min(ackMs, deadlineMs), () =>
        give(fault(`service "${this.name}" does not react to ${method}: it hangs`)),
      );
      const cancelDeadline = clock.after(deadlineMs, () =>
        give(fault(`${method} of service "${this.name}" took longer than ${deadlineMs / 1000} s`)),
      );
      this.#pending.set(id, {
        method,
        resolve,
        reject,
        onAck: cancelAck,
        cleanUp() {
          cancelAck();
          cancelDeadline();
          signal?.removeEventListener('abort', onAbort);
        },
      });
      void this.#channel.send({ type: 'request', id, method, params, deadlineMs });
    });
  }

  onExit(listener: (exit: ServiceExit) => void): () => void {
    if (this.#exit) listener(this.#exit);
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    if (!this.#stopping && !this.#exit) {
      this.#stopping = true;
      void this.#channel.send({ type: 'stop' });
      const cancel = this.#options.clock.after(this.#options.stopMs, () => killGroup(this.pid, 'SIGKILL'));
      void this.#ended.then(cancel);
    }
    await this.#ended;
  }

  kill(): Promise<void> {
    killGroup(this.pid, 'SIGKILL');
    return this.#ended;
  }

  #receive(frame: Frame): void {
    switch (frame.type) {
      case 'welcome':
        this.#welcome?.(frame);
        break;
      case 'ack':
        this.#pending.get(frame.id)?.onAck();
        break;
      case 'response':
        this.#settle(frame.id)?.resolve(frame.result);
        break;
      case 'failure': {
        const pending = this.#settle(frame.id);
        const faults = knownFaults(frame.error?.faults);
        const message = `${pending?.method} of service "${this.name}" failed: ${frame.error?.message}`;
        pending?.reject(faults.length > 0 ? new LateenError(faults) : fault(message));
        break;
      }
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.cleanUp();
    return pending;
  }

  #finish(exit: ServiceExit): void {
    if (this.#exit) return;
    this.#exit = exit;
    this.#channel.end();
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(this.#endedError(exit));
    for (const listener of this.#listeners) listener(exit);
    this.#listeners.clear();
  }

  #endedError(exit: ServiceExit): LateenError {
    const how = exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`;
    return fault(`service "${this.name}" ended ${how}${this.#tail()}`);
  }

  /** The last lines that say something: of an exception its message, not the frames of its stack. */
  #tail(): string {
    const lines = this.#output.split('\n').filter((line) => !/^\s*(at .*|\^*|Node\.js v.*)$/.test(line));
    return lines.length === 0 ? '' : `; it printed: ${lines.slice(-5).join('\n')}`;
  }
}

/**
 * Starts a service: a Node process with an empty environment, in a process group and a folder of its own.
 * @throws LateenError LTN509 when it does not start, with the last lines that it printed.
 */
export async function startService(options: StartServiceOptions): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'lateen-service-'));
  const cleanUp = () => rm(folder, { recursive: true, force: true });
  try {
    const path = typeof options.entry === 'string' ? options.entry : join(folder, 'service.mjs');
    if (typeof options.entry !== 'string') await writeFile(path, options.entry, { mode: 0o600 });
    const flags = options.heapMegabytes === undefined ? [] : [`--max-old-space-size=${options.heapMegabytes}`];
    const child = spawn(process.execPath, [...flags, path], {
      cwd: folder,
      env: { ...options.env },
      // A group of its own, so that it can be killed with whatever it starts.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const failed = new Promise<never>((_, reject) => child.on('error', reject));
    failed.catch(() => undefined);
    const { pid } = child;
    if (pid === undefined) await failed;
    const service = new ChildService(child, pid as number, options, cleanUp);
    try {
      await service.greet(options.startMs ?? 15_000);
      return service;
    } catch (error) {
      await service.kill();
      throw error;
    }
  } catch (error) {
    await cleanUp();
    if (error instanceof LateenError) throw error;
    const what = typeof options.entry === 'string' ? basename(options.entry) : 'its entry file';
    throw fault(`service "${options.name}" cannot be started from ${what}: ${(error as Error).message}`);
  }
}
