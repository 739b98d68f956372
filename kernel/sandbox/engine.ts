/**
 * VMs for bundles. A VM is an *image* (the memory of a VM whose bundle has run its top level) and an instance of the
 * engine. Before each call the image is copied over the instance. So every call begins in the same state, whatever an
 * earlier one did to prototypes, globals or the heap, and however it ended.
 */
import type { SandboxLimits } from './api.ts';
import { GuestError } from './guest-error.ts';
import { decodeImage, encodeImage, type Image, type Layout } from './image.ts';
import { fromHost, Machine } from './machine.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';
import { Wasm, type WasmModule } from './webassembly.ts';

/** Free bytes that an image leaves to its calls before the instance has to grow. Pages cost nothing until written. */
const HEADROOM = 2 * 1024 * 1024;
/** Milliseconds for a bundle's top level; it runs once per VM. */
const LOAD_DEADLINE_MS = 500;

/** A VM of one bundle, ready to be called. */
export interface Vm {
  /**
   * Calls `globalThis.lateen.call(request)` in a VM in its first state.
   * @returns the answer's text. @throws GuestError
   */
  call(request: string, deadlineMs: number): string;
  /** Bytes that the runtime has allocated at rest. */
  memoryBytes(): number;
  /** The VM's image, from which another engine of the same setup makes the same VM without running the bundle. */
  image(): Uint8Array<ArrayBuffer>;
}

export interface Engine {
  /** Runs a bundle's top level in a new VM. @throws GuestError, `bad-bundle` when it is not what the contract says. */
  createVm(code: string, limits: SandboxLimits): Vm;
  /** @returns nothing when the bytes are no image. The caller vouches that they come from the same bundle and limits. */
  restoreVm(image: Uint8Array, limits: SandboxLimits): Vm | undefined;
}

/** Compiles the engine's module. It may be sent to worker threads, which then share the machine code. */
export function compileEngine(wasm: Uint8Array): WasmModule {
  return new Wasm.Module(wasm);
}

/** An engine for the calling thread. */
export function createEngine(module: WasmModule): Engine {
  const stopwatch = createStopwatch();
  let base: Image | undefined;

  /** A VM without a bundle: the first is set up, all others are copies of it. */
  const emptyMachine = (): Machine => {
    const machine = new Machine(module, stopwatch);
    if (base) {
      machine.restore(base);
      return machine;
    }
    stopwatch.start(LOAD_DEADLINE_MS);
    machine.initialize();
    base = machine.image();
    return machine;
  };

  return {
    createVm(code, limits) {
      const machine = emptyMachine();
      stopwatch.start(LOAD_DEADLINE_MS);
      let layout: Layout;
      try {
        layout = loadBundle(machine, code, limits);
      } catch (error) {
        const failure = fromHost(error);
        if (failure instanceof GuestError && failure.failure === 'threw') {
          throw new GuestError('bad-bundle', failure.message, failure.guestStack);
        }
        throw failure;
      }
      const image = machine.image(layout.headroom);
      return createVm(module, stopwatch, image, layout, limits, machine);
    },
    restoreVm(bytes, limits) {
      const decoded = decodeImage(bytes);
      return decoded && createVm(module, stopwatch, decoded.image, decoded.layout, limits);
    },
  };
}

function loadBundle(machine: Machine, code: string, limits: SandboxLimits): Layout {
  const { exports } = machine;
  exports.qjs_set_memory_limit(limits.memoryBytes);
  exports.qjs_set_max_stack_size(limits.stackBytes);
  machine.run(code, 'bundle.js');
  const global = exports.qjs_get_global();
  const receiver = machine.property(global, 'lateen');
  const entry = exports.qjs_is_object(receiver) === 0 ? 0 : machine.property(receiver, 'call');
  if (exports.qjs_is_exception(receiver) !== 0 || (entry !== 0 && exports.qjs_is_exception(entry) !== 0)) {
    throw machine.takeError();
  }
  if (entry === 0 || exports.qjs_is_function(entry) === 0) {
    throw new GuestError('bad-bundle', 'the bundle does not set globalThis.lateen to an object with a function "call"');
  }
  const scratch = machine.allocate(4);
  exports.qjs_run_gc();
  // Free space at the heap's end, so that calls seldom grow the memory. What grew is given back by a new instance.
  const from = machine.allocate(HEADROOM);
  exports.wasm_free(from);
  return { entry, receiver, scratch, headroom: { from, to: from + HEADROOM } };
}

/** @param first an instance that is in the image's state already, where there is one. */
function createVm(
  module: WasmModule,
  stopwatch: Stopwatch,
  image: Image,
  layout: Layout,
  limits: SandboxLimits,
  first?: Machine,
): Vm {
  let machine = first;
  let isFresh = first !== undefined;

  const ready = (): Machine => {
    if (machine && machine.exports.memory.buffer.byteLength > image.memoryBytes) machine = undefined;
    if (!machine) {
      machine = new Machine(module, stopwatch);
      isFresh = false;
    }
    if (!isFresh) machine.restore(image);
    isFresh = false;
    return machine;
  };

  const answer = (machine: Machine, request: string): string => {
    const { exports } = machine;
    const text = machine.writeText(request);
    const argument = exports.qjs_new_string(text.ptr, text.length);
    exports.wasm_free(text.ptr);
    if (exports.qjs_is_exception(argument) !== 0) throw machine.takeError();
    machine.setWord(layout.scratch, argument);
    const result = exports.qjs_call(layout.entry, layout.receiver, 1, layout.scratch);
    if (exports.qjs_is_exception(result) !== 0) throw machine.takeError();
    // An interrupted call that came back with a value all the same is over time like any other.
    if (stopwatch.fired) throw new GuestError('deadline', 'ran past its deadline');
    if (exports.qjs_is_string(result) === 0) {
      throw new GuestError('bad-answer', 'the answer is not text');
    }
    const answer = machine.readText(result, layout.scratch, limits.messageChars * 3);
    if (answer === undefined || answer.length > limits.messageChars) {
      throw new GuestError('bad-answer', `the answer is longer than ${limits.messageChars} characters`);
    }
    return answer;
  };

  return {
    call(request, deadlineMs) {
      if (request.length > limits.messageChars) {
        throw new GuestError('bad-answer', `the request is longer than ${limits.messageChars} characters`);
      }
      stopwatch.start(deadlineMs);
      try {
        return answer(ready(), request);
      } catch (error) {
        const failure = fromHost(error);
        // After a trap the instance's own state (its table, its globals) is not to be trusted.
        if (failure !== error) machine = undefined;
        throw failure;
      }
    },
    memoryBytes: () => ready().usage().used,
    image: () => encodeImage(image, layout),
  };
}
