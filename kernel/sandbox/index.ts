export * from './api.ts';
export { folderImageStore, type ImageStore } from './image-store.ts';
export { createInlineSandbox } from './inline.ts';
export { DEFAULT_LIMITS, type InlineSandboxOptions, type SandboxOptions } from './options.ts';
export { createSandbox } from './supervised.ts';
