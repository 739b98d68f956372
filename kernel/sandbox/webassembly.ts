/** The part of the global `WebAssembly` that is used, typed here: the project's libraries have no types for it. */

/** A compiled module. It may be sent to other threads, which then share its machine code. */
export interface WasmModule {
  readonly wasmModule?: never;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export interface WasmGlobal {
  value: number;
}

export type WasmImports = Record<string, Record<string, (...values: never[]) => unknown>>;

interface WasmNamespace {
  Module: new (bytes: Uint8Array) => WasmModule;
  Instance: new (module: WasmModule, imports: WasmImports) => { readonly exports: Record<string, unknown> };
  RuntimeError: new (message?: string) => Error;
}

export const Wasm = (globalThis as unknown as { WebAssembly: WasmNamespace }).WebAssembly;
