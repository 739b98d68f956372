/**
 * The sandbox in a worker thread, with a watchdog. All VMs share one worker, which runs one call at a time; the
 * kernel's thread keeps the queues, so that it alone knows what is owed to whom when a worker has to be ended.
 */
import { Worker } from 'node:worker_threads';
import { parseAnswer } from './answer.ts';
import { type Sandbox, SandboxError, type SandboxLimits, type SandboxStats } from './api.ts';
import { compileEngine } from './engine.ts';
import { digestOfWasm, imageKey } from './image-store.ts';
import { DEFAULT_LIMITS, readWasm, requestText, type SandboxOptions, toSandboxError } from './options.ts';
import {
  type CallMessage,
  type FromWorker,
  type ResultMessage,
  Shared,
  type ToWorker,
  type WorkerData,
} from './protocol.ts';
import type { WasmModule } from './webassembly.ts';

/** Calls that the worker holds. Enough to keep it busy, few enough that a new bundle's call is not far behind. */
const WINDOW = 32;
/**
 * The watchdog looks this often and counts looks, not time: while the kernel's own thread is busy nobody looks, and
 * no call is ended for a delay that is not its own. Milliseconds of real time: it watches a real thread.
 */
const LOOK_MS = 50;
/** A worker that has not begun with any call for so many looks is broken. */
const IDLE_LOOKS = 10_000 / LOOK_MS;
/** Workers that end one after the other, none with a result, before the calls are given up. */
const MAX_CRASHES = 3;
/** Hangs older than this are forgiven. Milliseconds. */
const HANG_MEMORY_MS = 60_000;
const FIRST_HOLD_MS = 1_000;
const MAX_HOLD_MS = 60_000;

interface Call {
  sequence: number;
  bundle: Bundle;
  request: string;
  deadlineMs: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Bundle {
  id: string;
  code: string;
  limits: SandboxLimits;
  queue: Call[];
  /** Hangs in a row, each within {@link HANG_MEMORY_MS} of the one before. */
  hangs: number;
  lastHangAt: number;
  /** Until then calls are refused: code that hangs again and again costs everybody's time. */
  heldUntil: number;
}

interface Thread {
  worker: Worker;
  words: Int32Array;
  /** Ids of the bundles that were sent to it. */
  loaded: Set<string>;
  stats: Map<number, (memory: Record<string, number>) => void>;
  /** Whether it keeps the process alive. */
  isHeld: boolean;
  /** What the watchdog saw at its last look, and for how many looks it has seen the same. */
  seenStarts: number;
  seenSequence: number;
  sameLooks: number;
}

class SupervisedSandbox implements Sandbox {
  readonly #options: SandboxOptions;
  readonly #bundles = new Map<string, Bundle>();
  /** Bundles with queued calls, next first. */
  #waiting: Bundle[] = [];
  /** What the worker was sent and has not answered, in order. */
  readonly #sent = new Map<number, Call>();
  #wasmBytes: Uint8Array | undefined;
  #wasmDigest: string | undefined;
  #module: WasmModule | undefined;
  #thread: Thread | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #sequence = 0;
  #flushPlanned = false;
  #crashes = 0;
  #calls = 0;
  #restarts = 0;
  #closed = false;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  load(id: string, code: string, limits?: Partial<SandboxLimits>): void {
    if (this.#bundles.has(id)) return;
    const all = { ...DEFAULT_LIMITS, ...this.#options.limits, ...limits };
    this.#bundles.set(id, { id, code, limits: all, queue: [], hangs: 0, lastHangAt: 0, heldUntil: 0 });
  }

  unload(id: string): void {
    const bundle = this.#bundles.get(id);
    if (!bundle) return;
    this.#bundles.delete(id);
    this.#refuseQueued(bundle, new SandboxError('closed', id, 'the bundle was unloaded'));
    if (this.#thread?.loaded.delete(id)) this.#send({ type: 'unload', bundle: id });
  }

  has(id: string): boolean {
    return this.#bundles.has(id);
  }

  call(id: string, request: unknown, options: { deadlineMs?: number } = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new SandboxError('closed', id, 'the sandbox is closed');
      const bundle = this.#bundles.get(id);
      if (!bundle) throw new SandboxError('closed', id, 'the bundle is not loaded');
      const held = bundle.heldUntil - performance.now();
      if (held > 0) throw heldError(bundle, held);
      const text = requestText(id, request);
      this.#calls++;
      this.#enqueue({
        sequence: ++this.#sequence,
        bundle,
        request: text,
        deadlineMs: options.deadlineMs ?? bundle.limits.deadlineMs,
        resolve,
        reject,
      });
    });
  }

  async stats(): Promise<SandboxStats> {
    const thread = this.#thread;
    const memory = thread
      ? await new Promise<Record<string, number>>((resolve) => {
          const sequence = ++this.#sequence;
          thread.stats.set(sequence, resolve);
          this.#send({ type: 'stats', sequence });
          this.#hold(thread);
        })
      : {};
    return { vms: Object.keys(memory).length, calls: this.#calls, restarts: this.#restarts, memory };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#refuseAll((id) => new SandboxError('closed', id, 'the sandbox was closed'));
    this.#bundles.clear();
    this.#stopWatching();
    await this.#endThread();
  }

  #enqueue(call: Call): void {
    if (call.bundle.queue.length === 0) this.#waiting.push(call.bundle);
    call.bundle.queue.push(call);
    this.#planFlush();
  }

  /** Calls that are made in one go share a message. */
  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    queueMicrotask(() => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  /** Sends queued calls, one per bundle in turn, until the worker holds as many as it may. */
  #flush(): void {
    if (this.#closed || this.#waiting.length === 0 || this.#sent.size >= WINDOW) {
      this.#watch();
      return;
    }
    const thread = this.#thread ?? this.#startThread();
    const calls: CallMessage[] = [];
    while (this.#sent.size < WINDOW) {
      const bundle = this.#waiting.shift();
      const call = bundle?.queue.shift();
      if (!bundle || !call) break;
      if (bundle.queue.length > 0) this.#waiting.push(bundle);
      if (!thread.loaded.has(bundle.id)) {
        thread.loaded.add(bundle.id);
        const { id, code, limits } = bundle;
        const image = this.#options.images?.get(this.#imageKey(code, limits));
        this.#send({ type: 'load', bundle: id, code, limits, image });
      }
      this.#sent.set(call.sequence, call);
      const { sequence, request, deadlineMs } = call;
      calls.push({ sequence, bundle: bundle.id, request, deadlineMs });
    }
    this.#send({ type: 'calls', calls });
    this.#watch();
  }

  #send(message: ToWorker): void {
    const thread = this.#thread;
    if (!thread) return;
    thread.worker.postMessage(message);
    Atomics.add(thread.words, Shared.mail, 1);
    Atomics.notify(thread.words, Shared.mail);
  }

  #startThread(): Thread {
    this.#module ??= compileEngine(this.#wasm());
    const shared = new SharedArrayBuffer(Shared.words * Int32Array.BYTES_PER_ELEMENT);
    const workerData: WorkerData = { module: this.#module, shared, givesImages: this.#options.images !== undefined };
    const url = this.#options.workerUrl ?? new URL('./worker.ts', import.meta.url);
    const worker = new Worker(url instanceof URL || !url.startsWith('file:') ? url : new URL(url), {
      workerData,
      env: {},
      execArgv: [],
      // The engine's own stack limit comes first, and needs room: its frames lie on the thread's stack.
      resourceLimits: { stackSizeMb: 8, maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 },
    });
    const thread: Thread = {
      worker,
      words: new Int32Array(shared),
      loaded: new Set(),
      stats: new Map(),
      isHeld: true,
      seenStarts: 0,
      seenSequence: 0,
      sameLooks: 0,
    };
    worker.on('message', (message: FromWorker) => {
      if (this.#thread === thread) this.#receive(thread, message);
    });
    worker.on('error', (error) => this.#onCrash(thread, error));
    worker.on('exit', () => this.#onCrash(thread, new Error('the worker ended')));
    this.#thread = thread;
    return thread;
  }

  #wasm(): Uint8Array {
    this.#wasmBytes ??= readWasm(this.#options.wasm);
    return this.#wasmBytes;
  }

  #imageKey(code: string, limits: SandboxLimits): string {
    this.#wasmDigest ??= digestOfWasm(this.#wasm());
    return imageKey(this.#wasmDigest, code, limits);
  }

  #receive(thread: Thread, message: FromWorker): void {
    if (message.type === 'image') {
      const bundle = this.#bundles.get(message.bundle);
      if (bundle) this.#options.images?.put(this.#imageKey(bundle.code, bundle.limits), message.image);
      return;
    }
    if (message.type === 'stats') {
      thread.stats.get(message.sequence)?.(message.memory);
      thread.stats.delete(message.sequence);
      this.#hold(thread);
      return;
    }
    this.#crashes = 0;
    for (const result of message.results) this.#settle(result);
    this.#flush();
  }

  #settle(result: ResultMessage): void {
    const call = this.#sent.get(result.sequence);
    if (!call) return;
    this.#sent.delete(result.sequence);
    const { id } = call.bundle;
    if (result.failed) {
      const { failure, message, stack } = result.failed;
      call.reject(new SandboxError(failure, id, message, stack));
      return;
    }
    try {
      call.resolve(parseAnswer(result.answer ?? ''));
    } catch (error) {
      call.reject(toSandboxError(id, error));
    }
  }

  /** The worker keeps the process alive exactly while it owes something. */
  #hold(thread: Thread): void {
    const isHeld = this.#sent.size > 0 || thread.stats.size > 0;
    if (isHeld === thread.isHeld) return;
    thread.isHeld = isHeld;
    if (isHeld) thread.worker.ref();
    else thread.worker.unref();
  }

  /** The watchdog runs while answers are owed; it stops at its next look, so that calls in a row do not pay for it. */
  #watch(): void {
    if (this.#thread) this.#hold(this.#thread);
    if (this.#sent.size === 0 || this.#watchdog) return;
    this.#watchdog = setInterval(() => this.#look(), LOOK_MS);
    this.#watchdog.unref();
  }

  #stopWatching(): void {
    clearInterval(this.#watchdog);
    this.#watchdog = undefined;
  }

  #look(): void {
    const thread = this.#thread;
    if (!thread || this.#sent.size === 0) {
      this.#stopWatching();
      return;
    }
    const starts = Atomics.load(thread.words, Shared.starts);
    const sequence = Atomics.load(thread.words, Shared.sequence);
    if (starts !== thread.seenStarts || sequence !== thread.seenSequence) {
      thread.seenStarts = starts;
      thread.seenSequence = sequence;
      thread.sameLooks = 0;
      return;
    }
    thread.sameLooks++;
    const call = this.#sent.get(sequence);
    if (!call) {
      if (thread.sameLooks >= IDLE_LOOKS) this.#onCrash(thread, new Error('the worker does not answer'));
      return;
    }
    const allowedMs = Math.max(call.bundle.limits.hangMs, call.deadlineMs * 3 + 100);
    // The first look that saw this call may have come right after it began, so looks are rounded down.
    if (thread.sameLooks >= Math.floor(allowedMs / LOOK_MS)) this.#onHang(call);
  }

  #onHang(call: Call): void {
    const { bundle } = call;
    const now = performance.now();
    bundle.hangs = now - bundle.lastHangAt < HANG_MEMORY_MS ? bundle.hangs + 1 : 1;
    bundle.lastHangAt = now;
    this.#sent.delete(call.sequence);
    call.reject(new SandboxError('hung', bundle.id, 'hung where it cannot be interrupted; its worker was ended'));
    this.#restart();
    if (bundle.hangs > 1) {
      const hold = Math.min(FIRST_HOLD_MS * 2 ** (bundle.hangs - 2), MAX_HOLD_MS);
      bundle.heldUntil = now + hold;
      this.#refuseQueued(bundle, heldError(bundle, hold));
    }
    this.#flush();
  }

  /** The worker ended by itself: out of the host's memory, or a bug of ours. */
  #onCrash(thread: Thread, error: Error): void {
    if (this.#thread !== thread) return;
    const guilty = this.#sent.get(Atomics.load(thread.words, Shared.sequence));
    this.#crashes = guilty ? 0 : this.#crashes + 1;
    if (guilty) {
      this.#sent.delete(guilty.sequence);
      guilty.reject(new SandboxError('memory', guilty.bundle.id, `its worker ended: ${error.message}`));
    }
    this.#restart();
    if (this.#crashes >= MAX_CRASHES) {
      this.#crashes = 0;
      this.#refuseAll((id) => new SandboxError('closed', id, `the sandbox worker does not run: ${error.message}`));
    }
    this.#flush();
  }

  /** Ends the worker and puts what it owed back in front of the queues. The next flush starts another. */
  #restart(): void {
    this.#restarts++;
    void this.#endThread();
    const owed = [...this.#sent.values()].reverse();
    this.#sent.clear();
    for (const call of owed) {
      if (this.#bundles.get(call.bundle.id) !== call.bundle) {
        call.reject(new SandboxError('closed', call.bundle.id, 'the bundle was unloaded'));
        continue;
      }
      if (call.bundle.queue.length === 0) this.#waiting.unshift(call.bundle);
      call.bundle.queue.unshift(call);
    }
    this.#watch();
  }

  async #endThread(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    this.#thread = undefined;
    for (const resolve of thread.stats.values()) resolve({});
    await thread.worker.terminate();
  }

  #refuseQueued(bundle: Bundle, error: SandboxError): void {
    this.#waiting = this.#waiting.filter((other) => other !== bundle);
    for (const call of bundle.queue.splice(0)) call.reject(error);
  }

  #refuseAll(errorFor: (id: string) => SandboxError): void {
    for (const bundle of [...this.#waiting]) this.#refuseQueued(bundle, errorFor(bundle.id));
    for (const call of this.#sent.values()) call.reject(errorFor(call.bundle.id));
    this.#sent.clear();
  }
}

function heldError(bundle: Bundle, forMs: number): SandboxError {
  const seconds = Math.ceil(forMs / 1000);
  return new SandboxError('hung', bundle.id, `hung ${bundle.hangs} times; not called again for ${seconds} s`);
}

/**
 * A sandbox whose VMs run in one worker thread of their own. The worker starts at the first call. Code that hangs
 * where it cannot be interrupted is ended with the worker; calls of other bundles are made again in a new one.
 */
export function createSandbox(options: SandboxOptions = {}): Sandbox {
  return new SupervisedSandbox(options);
}
