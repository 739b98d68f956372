/** What both forms of the sandbox can be told, and its defaults. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SandboxError, type SandboxLimits } from './api.ts';
import { GuestError } from './guest-error.ts';
import type { ImageStore } from './image-store.ts';

export const DEFAULT_LIMITS: SandboxLimits = {
  memoryBytes: 32 * 1024 * 1024,
  stackBytes: 256 * 1024,
  deadlineMs: 200,
  hangMs: 700,
  messageChars: 8 * 1024 * 1024,
};

export interface InlineSandboxOptions {
  /** Where `quickjs.wasm` lies, or its bytes. Default: in the package `quickjs-wasi`. A bundled program passes its own. */
  wasm?: string | URL | Uint8Array;
  /** Limits of bundles that are loaded without their own. */
  limits?: Partial<SandboxLimits>;
  /** Keeps images of VMs between processes. Default: none. */
  images?: ImageStore;
}

export interface SandboxOptions extends InlineSandboxOptions {
  /** Entry file of the worker. Default: `worker.ts` beside this file. A bundled program passes its own. */
  workerUrl?: string | URL;
}

/** Bytes of the engine's WebAssembly module. Read at once: it is needed before anything else can go on. */
export function readWasm(wasm: InlineSandboxOptions['wasm']): Uint8Array {
  const place = wasm ?? new URL(import.meta.resolve('quickjs-wasi/quickjs.wasm'));
  if (place instanceof URL) return readFileSync(place);
  if (typeof place === 'string') return readFileSync(place.startsWith('file:') ? fileURLToPath(place) : place);
  return place;
}

/** Makes a guest's failure the error that callers of the sandbox see; other errors are bugs and go on as they are. */
export function toSandboxError(bundle: string, error: unknown): unknown {
  return error instanceof GuestError ? new SandboxError(error.failure, bundle, error.message, error.guestStack) : error;
}

/** JSON of a request. @throws SandboxError `bad-answer` when it cannot be written as JSON. */
export function requestText(bundle: string, request: unknown): string {
  const text = JSON.stringify(request);
  if (text === undefined) throw new SandboxError('bad-answer', bundle, 'the request is not plain data');
  return text;
}
