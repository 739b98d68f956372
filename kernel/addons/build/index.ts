export { type BuildOptions, type BuiltAddon, buildAddon } from './build.ts';
export { type BuildRegistryOptions, type BuiltRegistry, buildRegistry } from './registry.ts';
export { type StackMapper, stackMapper } from './sourcemap.ts';
