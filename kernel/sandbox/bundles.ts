/** The bundles of one thread: code is kept, a VM is made at the first call. */
import type { SandboxLimits } from './api.ts';
import type { Engine, Vm } from './engine.ts';
import { GuestError } from './guest-error.ts';
import type { Failure } from './protocol.ts';

interface Bundle {
  code: string;
  limits: SandboxLimits;
  /** Of an earlier VM of the same bundle. */
  image: Uint8Array | undefined;
  vm?: Vm;
  /** A bundle that does not load is not tried again: it would fail in the same way. */
  broken?: GuestError;
}

export interface Bundles {
  load(id: string, code: string, limits: SandboxLimits, image?: Uint8Array): void;
  unload(id: string): void;
  has(id: string): boolean;
  /** @returns the answer's text. @throws GuestError */
  call(id: string, request: string, deadlineMs: number): string;
  /** Bytes by bundle; only of bundles that have a VM. */
  memory(): Record<string, number>;
}

export interface BundlesOptions {
  /** Called before guest code runs: before a bundle's top level, and before a call. */
  onStart?(): void;
  /** Called when a bundle was compiled, with what spares doing it again. */
  onImage?(id: string, image: Uint8Array<ArrayBuffer>): void;
}

export function createBundles(engine: Engine, options: BundlesOptions = {}): Bundles {
  const bundles = new Map<string, Bundle>();

  const vmOf = (id: string, bundle: Bundle): Vm => {
    if (bundle.vm) return bundle.vm;
    if (bundle.broken) throw bundle.broken;
    const restored = bundle.image && engine.restoreVm(bundle.image, bundle.limits);
    bundle.image = undefined;
    if (restored) {
      bundle.vm = restored;
      return restored;
    }
    options.onStart?.();
    try {
      bundle.vm = engine.createVm(bundle.code, bundle.limits);
      if (options.onImage) options.onImage(id, bundle.vm.image());
      return bundle.vm;
    } catch (error) {
      if (error instanceof GuestError && error.failure === 'bad-bundle') bundle.broken = error;
      throw error;
    }
  };

  return {
    load(id, code, limits, image) {
      if (!bundles.has(id)) bundles.set(id, { code, limits, image });
    },
    unload(id) {
      bundles.delete(id);
    },
    has: (id) => bundles.has(id),
    call(id, request, deadlineMs) {
      const bundle = bundles.get(id);
      if (!bundle) throw new GuestError('closed', 'the bundle is not loaded');
      const vm = vmOf(id, bundle);
      options.onStart?.();
      return vm.call(request, deadlineMs);
    },
    memory() {
      const memory: Record<string, number> = {};
      for (const [id, { vm }] of bundles) if (vm) memory[id] = vm.memoryBytes();
      return memory;
    },
  };
}

/** What a caller in another thread is told of an error. Errors that are not the guest's are bugs, and told as such. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof GuestError)) {
    return { failure: 'threw', message: `the sandbox failed: ${String(error)}`, stack: undefined };
  }
  return { failure: error.failure, message: error.message, stack: error.guestStack };
}
