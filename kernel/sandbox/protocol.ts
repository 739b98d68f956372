/** What the kernel's thread and the sandbox worker say to each other, and the memory that they share. */
import type { SandboxFailure, SandboxLimits } from './api.ts';
import type { WasmModule } from './webassembly.ts';

export interface WorkerData {
  module: WasmModule;
  /** See {@link Shared}. */
  shared: SharedArrayBuffer;
  /** Whether the worker sends the images of bundles that it compiles. */
  givesImages: boolean;
}

/**
 * Words of the shared memory. The worker writes them before it runs guest code; the kernel's thread reads them to know
 * what runs, also when the worker hangs and can send nothing.
 */
export const Shared = {
  /** Counts every start of guest code. The same count at two looks: the same piece of code still runs. */
  starts: 0,
  /** `sequence` of the call that runs; 0 when none does. */
  sequence: 1,
  /** Counts the messages to the worker. It waits on this word for a moment before it goes to sleep. */
  mail: 2,
  words: 3,
} as const;

export interface CallMessage {
  sequence: number;
  bundle: string;
  request: string;
  deadlineMs: number;
}

/** To the worker. In order: a bundle is loaded before it is called. */
export type ToWorker =
  | { type: 'load'; bundle: string; code: string; limits: SandboxLimits; image: Uint8Array | undefined }
  | { type: 'unload'; bundle: string }
  | { type: 'calls'; calls: CallMessage[] }
  | { type: 'stats'; sequence: number };

export interface Failure {
  failure: SandboxFailure;
  message: string;
  stack: string | undefined;
}

export interface ResultMessage {
  sequence: number;
  /** Text of the answer; absent when the call failed. */
  answer?: string;
  failed?: Failure;
}

export type FromWorker =
  /** A bundle was compiled; its image spares the next worker or process that. */
  | { type: 'image'; bundle: string; image: Uint8Array }
  | { type: 'results'; results: ResultMessage[] }
  | { type: 'stats'; sequence: number; memory: Record<string, number> };
