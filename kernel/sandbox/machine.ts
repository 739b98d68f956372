/**
 * One instance of QuickJS compiled to WebAssembly (package `quickjs-wasi`), with the few operations that VMs are made
 * of. This is the only file that knows the engine. It speaks to the module's own exports, not to the package's
 * JavaScript: a VM can then be put back to its first state by one copy of some 400 KB (10 µs).
 */
import type { SandboxFailure } from './api.ts';
import { GuestError } from './guest-error.ts';
import { type Gap, type Image, RECORDS } from './image.ts';
import type { Stopwatch } from './stopwatch.ts';
import { Wasm, type WasmGlobal, type WasmImports, type WasmMemory, type WasmModule } from './webassembly.ts';

/** The exports that are used, as `quickjs-wasi` 3.6 has them. Numbers named `…Ptr` point to a boxed JS value. */
interface Exports {
  memory: WasmMemory;
  __stack_pointer: WasmGlobal;
  _initialize(): void;
  qjs_init2(intrinsics: number): number;
  qjs_eval(codePtr: number, codeLength: number, fileNamePtr: number, flags: number): number;
  qjs_call(functionPtr: number, thisPtr: number, count: number, argumentsPtr: number): number;
  qjs_new_string(textPtr: number, length: number): number;
  qjs_get_string_len(valuePtr: number, lengthPtr: number): number;
  qjs_get_prop_string(objectPtr: number, namePtr: number): number;
  qjs_get_global(): number;
  qjs_get_exception(): number;
  qjs_is_exception(valuePtr: number): number;
  qjs_is_string(valuePtr: number): number;
  qjs_is_object(valuePtr: number): number;
  qjs_is_function(valuePtr: number): number;
  qjs_is_proxy(valuePtr: number): number;
  qjs_free_value(valuePtr: number): void;
  qjs_set_memory_limit(bytes: number): void;
  qjs_set_max_stack_size(bytes: number): void;
  qjs_set_interrupt_handler(enabled: number): void;
  qjs_run_gc(): void;
  qjs_compute_memory_usage(resultPtr: number): void;
  wasm_malloc(bytes: number): number;
  wasm_free(ptr: number): void;
}

/**
 * Built-in objects of a VM, as bits of `qjs_init2`: Date 1, eval 2, RegExp 4, JSON 8, Proxy 16, Map and Set 32, typed
 * arrays 64, Promise 128, BigInt 256, DOMException 2048, atob and btoa 4096. Left out are what would show time or the
 * garbage collector: WeakRef 512 and performance 1024.
 */
const INTRINSICS = 1 | 2 | 4 | 8 | 16 | 32 | 64 | 128 | 256 | 2048 | 4096;

/**
 * Runs first in every VM. `Date` stays, with a clock that stands at the epoch and UTC for the time zone.
 * `Math.random` throws: a value that is always the same would be believed to be random.
 */
const PRELUDE = `'use strict';
delete globalThis.SharedArrayBuffer;
delete globalThis.Atomics;
delete globalThis.performance;
delete globalThis.navigator;
delete globalThis.queueMicrotask;
Object.defineProperty(Math, 'random', { writable: true, configurable: true, value: function random() {
  throw new TypeError('Math.random is not available: a definition is a pure function of its parameters');
} });`;

const PAGE = 65536;
/** A stack trace or message is cut here. */
const MAX_TEXT = 8 * 1024;
/** Milliseconds beyond the deadline for code that runs while an error is read (getters of the error's fields). */
const ERROR_GRACE_MS = 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function imports(stopwatch: Stopwatch, exportsOf: () => Exports): WasmImports {
  const NOT_SUPPORTED = 52;
  return {
    env: {
      // A VM is given no host function, so nothing can be called.
      host_call: () => 0,
      host_interrupt: () => (stopwatch.check() ? 1 : 0),
      host_promise_rejection: () => undefined,
      host_module_normalize: () => 0,
      host_module_load: () => 0,
      host_get_timezone_offset: () => 0,
    },
    wasi_snapshot_preview1: {
      clock_time_get: (_clock: number, _precision: bigint, resultPtr: number) => {
        new DataView(exportsOf().memory.buffer).setBigUint64(resultPtr, 0n, true);
        return 0;
      },
      random_get: (ptr: number, length: number) => {
        new Uint8Array(exportsOf().memory.buffer, ptr, length).fill(0);
        return 0;
      },
      fd_write: () => NOT_SUPPORTED,
      fd_close: () => NOT_SUPPORTED,
      fd_fdstat_get: () => NOT_SUPPORTED,
      fd_seek: () => NOT_SUPPORTED,
    },
  };
}

/** One instance of the module, with the few operations that VMs are made of. */
export class Machine {
  readonly exports: Exports;
  readonly #stopwatch: Stopwatch;
  #bytes: Uint8Array;

  constructor(module: WasmModule, stopwatch: Stopwatch) {
    this.#stopwatch = stopwatch;
    const instance = new Wasm.Instance(
      module,
      imports(stopwatch, () => this.exports),
    );
    this.exports = instance.exports as unknown as Exports;
    this.#bytes = new Uint8Array(this.exports.memory.buffer);
  }

  /** Sets up an empty VM. To be called under a running stopwatch. */
  initialize(): void {
    this.exports._initialize();
    if (this.exports.qjs_init2(INTRINSICS) !== 0) throw new Error('the engine cannot be started');
    this.exports.qjs_set_interrupt_handler(1);
    this.run(PRELUDE, 'prelude.js');
  }

  /** The module's memory. Growing it detaches what was seen before, so it is asked for at each use. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.exports.memory.buffer) this.#bytes = new Uint8Array(this.exports.memory.buffer);
    return this.#bytes;
  }

  word(ptr: number): number {
    return new DataView(this.exports.memory.buffer).getUint32(ptr, true);
  }

  setWord(ptr: number, value: number): void {
    new DataView(this.exports.memory.buffer).setUint32(ptr, value, true);
  }

  allocate(bytes: number): number {
    const ptr = this.exports.wasm_malloc(bytes);
    if (ptr === 0) throw new GuestError('memory', 'out of memory');
    return ptr;
  }

  /** Writes text and a closing zero byte. @returns where it lies and its length in bytes. */
  writeText(text: string): { ptr: number; length: number } {
    // A UTF-16 code unit takes three bytes of UTF-8 at most; the exact size is not worth a pass over short texts.
    if (text.length < 65536) {
      const ptr = this.allocate(text.length * 3 + 1);
      const { written } = encoder.encodeInto(text, this.bytes.subarray(ptr, ptr + text.length * 3));
      this.bytes[ptr + written] = 0;
      return { ptr, length: written };
    }
    const encoded = encoder.encode(text);
    const ptr = this.allocate(encoded.length + 1);
    this.bytes.set(encoded, ptr);
    this.bytes[ptr + encoded.length] = 0;
    return { ptr, length: encoded.length };
  }

  /** Text of a string value. @param maxBytes longer text is not copied out: `undefined`. */
  readText(valuePtr: number, lengthPtr: number, maxBytes: number): string | undefined {
    const ptr = this.exports.qjs_get_string_len(valuePtr, lengthPtr);
    if (ptr === 0) throw new GuestError('memory', 'out of memory');
    const length = this.word(lengthPtr);
    return length > maxBytes ? undefined : decoder.decode(this.bytes.subarray(ptr, ptr + length));
  }

  property(objectPtr: number, name: string): number {
    const { ptr } = this.writeText(name);
    const value = this.exports.qjs_get_prop_string(objectPtr, ptr);
    this.exports.wasm_free(ptr);
    return value;
  }

  /** Runs a classic script. @throws GuestError */
  run(code: string, fileName: string): void {
    const text = this.writeText(code);
    const name = this.writeText(fileName);
    const result = this.exports.qjs_eval(text.ptr, text.length, name.ptr, 0);
    if (this.exports.qjs_is_exception(result) !== 0) throw this.takeError();
    this.exports.qjs_free_value(result);
    this.exports.wasm_free(text.ptr);
    this.exports.wasm_free(name.ptr);
  }

  /**
   * Reads the pending exception. Fields of a hostile error may be getters: they run under the same guard as the call,
   * and what they throw is not read again.
   */
  takeError(): GuestError {
    const { exports } = this;
    if (this.#stopwatch.fired) return new GuestError('deadline', 'ran past its deadline');
    this.#stopwatch.extend(ERROR_GRACE_MS);
    const error = exports.qjs_get_exception();
    const lengthPtr = this.allocate(4);
    const field = (name: string): string | undefined => {
      const value = this.property(error, name);
      if (exports.qjs_is_exception(value) !== 0) {
        exports.qjs_get_exception();
        return undefined;
      }
      if (exports.qjs_is_string(value) === 0) return undefined;
      const text = this.readText(value, lengthPtr, MAX_TEXT * 16);
      return text === undefined ? '(a text that is too long to show)' : showable(text);
    };
    if (exports.qjs_is_object(error) === 0) {
      // What is thrown when not even an error object can be allocated is no object.
      if (this.isFull()) return new GuestError('memory', 'out of memory');
      if (exports.qjs_is_string(error) === 0) return new GuestError('threw', 'threw something that is not an Error');
      return new GuestError('threw', showable(this.readText(error, lengthPtr, MAX_TEXT * 16) ?? 'threw a long text'));
    }
    if (exports.qjs_is_proxy(error) !== 0) return new GuestError('threw', 'threw something that is not an Error');
    const name = field('name');
    const message = field('message');
    const stack = field('stack');
    if (this.#stopwatch.fired) return new GuestError('deadline', 'ran past its deadline');
    if (name === undefined && message === undefined) {
      return new GuestError('threw', 'threw something that is not an Error', stack);
    }
    return new GuestError(failureOf(name, message), describeError(name, message), stack);
  }

  /** Bytes that the runtime has allocated, and may. */
  usage(): { used: number; limit: number } {
    const result = this.allocate(26 * 8);
    this.exports.qjs_compute_memory_usage(result);
    const usage = { used: this.word(result), limit: this.word(result + 8) };
    this.exports.wasm_free(result);
    return usage;
  }

  isFull(): boolean {
    const { used, limit } = this.usage();
    return used > limit * 0.95;
  }

  image(gap?: Gap): Image {
    const { bytes } = this;
    const stackPointer = this.exports.__stack_pointer.value;
    const part = (from: number, to: number) => ({ at: from, bytes: bytes.slice(from, to) });
    const parts = gap
      ? [part(stackPointer, gap.from + RECORDS), part(gap.to - RECORDS, bytes.length)]
      : [part(stackPointer, bytes.length)];
    return { stackPointer, memoryBytes: bytes.length, parts };
  }

  restore(image: Image): void {
    const missing = image.memoryBytes - this.exports.memory.buffer.byteLength;
    if (missing > 0) this.exports.memory.grow(Math.ceil(missing / PAGE));
    for (const { at, bytes } of image.parts) this.bytes.set(bytes, at);
    this.exports.__stack_pointer.value = image.stackPointer;
  }
}

/** What steers a terminal or reorders text; line feeds and tabs may stay. */
const STEERING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Text of an addon as it may be shown to people: of bounded length, and nothing but text. */
function showable(text: string): string {
  const cut = text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
  return cut.replace(STEERING, (character) => (character === '\n' || character === '\t' ? character : '\ufffd'));
}

function describeError(name: string | undefined, message: string | undefined): string {
  if (!message) return name || 'threw an Error without a message';
  return name && name !== 'Error' ? `${name}: ${message}` : message;
}

const MEMORY_MESSAGES: ReadonlySet<string | undefined> = new Set([
  'out of memory',
  'stack overflow',
  'string too long',
]);

/** The engine has no other mark for these; code that forges one only mislabels its own failure. */
function failureOf(name: string | undefined, message: string | undefined): SandboxFailure {
  if (name === 'InternalError' && MEMORY_MESSAGES.has(message)) return 'memory';
  if (name === 'RangeError' && message === 'Maximum call stack size exceeded') return 'memory';
  if (name === 'NotPlainData') return 'bad-answer';
  return 'threw';
}

/** Errors of the host that guest code can bring about: a trap, or the host's own stack at its end. */
export function fromHost(error: unknown): unknown {
  if (error instanceof Wasm.RuntimeError) return new GuestError('memory', `the engine stopped: ${error.message}`);
  if (error instanceof RangeError) return new GuestError('memory', 'out of memory or stack');
  return error;
}

/** Everything besides the module itself that an image depends on. */
export const ENGINE_SETUP = JSON.stringify([INTRINSICS, PRELUDE]);
