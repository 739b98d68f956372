/** The sandbox in the calling thread, for one-shot commands: no worker to start, and no watchdog beside the deadline. */

import { parseAnswer } from './answer.ts';
import { type Sandbox, SandboxError } from './api.ts';
import { type Bundles, createBundles } from './bundles.ts';
import { compileEngine, createEngine } from './engine.ts';
import { digestOfWasm, imageKey } from './image-store.ts';
import { DEFAULT_LIMITS, type InlineSandboxOptions, readWasm, requestText, toSandboxError } from './options.ts';

/**
 * A sandbox whose VMs run in the calling thread. A call that loops is ended at its deadline; one that hangs where
 * the engine cannot be interrupted hangs its caller, so this is for processes that may be ended.
 */
export function createInlineSandbox(options: InlineSandboxOptions = {}): Sandbox {
  const wasm = readWasm(options.wasm);
  const { images } = options;
  const digest = images && digestOfWasm(wasm);
  const keys = new Map<string, string>();
  let bundles: Bundles | undefined = createBundles(createEngine(compileEngine(wasm)), {
    ...(images && {
      onImage(id: string, image: Uint8Array) {
        const key = keys.get(id);
        if (key !== undefined) images.put(key, image);
      },
    }),
  });
  const deadlines = new Map<string, number>();
  let calls = 0;

  return {
    load(id, code, limits) {
      const all = { ...DEFAULT_LIMITS, ...options.limits, ...limits };
      if (!bundles || bundles.has(id)) return;
      deadlines.set(id, all.deadlineMs);
      const key = digest === undefined ? undefined : imageKey(digest, code, all);
      if (key !== undefined) keys.set(id, key);
      bundles.load(id, code, all, key === undefined ? undefined : images?.get(key));
    },
    unload(id) {
      deadlines.delete(id);
      bundles?.unload(id);
    },
    has: (id) => bundles?.has(id) === true,
    async call(id, request, { deadlineMs } = {}) {
      if (!bundles) throw new SandboxError('closed', id, 'the sandbox is closed');
      calls++;
      try {
        const text = requestText(id, request);
        return parseAnswer(bundles.call(id, text, deadlineMs ?? deadlines.get(id) ?? DEFAULT_LIMITS.deadlineMs));
      } catch (error) {
        throw toSandboxError(id, error);
      }
    },
    async stats() {
      const memory = bundles?.memory() ?? {};
      return { vms: Object.keys(memory).length, calls, restarts: 0, memory };
    },
    async close() {
      bundles = undefined;
      deadlines.clear();
    },
  };
}
