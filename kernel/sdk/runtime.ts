/**
 * What the build puts around an addon: answers the kernel's requests (`BundleEntry` of the contract). It runs inside
 * the sandbox, and so does everything that it guards against: the kernel never relies on it.
 */
import type { BundleEntry, BundleRequest, DefinitionManifest, Health, HealthInput, Report } from '@lateen/schemas';
import type {
  AddonDefinition,
  ComponentDefinition,
  ComponentOptions,
  ComponentOutput,
  TraitDefinition,
  TraitOptions,
  TraitOutput,
} from './define.ts';
import { jsonOf } from './plain.ts';
import { Failure, withWarnings } from './report.ts';
import type { Schema } from './schema.ts';

type Options = ComponentOptions<Schema<unknown>, never> | TraitOptions<Schema<unknown>, never>;
type Render = (parameters: unknown, context: unknown) => ComponentOutput | TraitOutput;

function componentManifest({ options }: ComponentDefinition): DefinitionManifest {
  const { name, description, parameters, workload, examples, deprecated } = options;
  return {
    kind: 'component',
    name,
    description,
    parameters,
    workload,
    health: options.health !== undefined,
    examples: examples as DefinitionManifest['examples'],
    deprecated,
  };
}

function traitManifest({ options }: TraitDefinition): DefinitionManifest {
  const { name, description, parameters, appliesTo, podDisruptive, stage, examples, deprecated } = options;
  return {
    kind: 'trait',
    name,
    description,
    parameters,
    appliesTo: [...appliesTo],
    podDisruptive,
    stage,
    health: options.health !== undefined,
    examples: examples as DefinitionManifest['examples'],
    deprecated,
  };
}

function render(options: Options, parameters: unknown, context: unknown): ComponentOutput | TraitOutput | object {
  let errors: Report[] = [];
  const { value, warnings } = withWarnings(() => {
    try {
      return (options.render as unknown as Render)(parameters, context);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      errors = [error.report];
      return undefined;
    }
  });
  if (errors.length === 0 && warnings.length === 0) return value as ComponentOutput;
  const result: { errors?: Report[]; warnings?: Report[] } = { ...value };
  if (errors.length > 0) result.errors = [...(value?.errors ?? []), ...errors];
  if (warnings.length > 0) result.warnings = [...(value?.warnings ?? []), ...warnings];
  return result;
}

function health(options: Options, input: HealthInput): Health {
  if (!options.health) throw new TypeError(`"${options.name}" has no health function`);
  return options.health(input.object, { key: input.key });
}

/** Makes the function that answers requests for an addon's definitions. */
export function answerer(addon: AddonDefinition): BundleEntry['call'] {
  const byKind = {
    component: new Map<string, Options>(addon.components.map(({ options }) => [options.name, options])),
    trait: new Map<string, Options>(addon.traits.map(({ options }) => [options.name, options])),
  };
  const find = (kind: string, name: string): Options => {
    const options = Object.hasOwn(byKind, kind) ? byKind[kind as keyof typeof byKind].get(name) : undefined;
    if (!options) throw new TypeError(`the addon has no ${kind} "${name}"`);
    return options;
  };
  const answer = (request: BundleRequest): unknown => {
    switch (request.method) {
      case 'describe':
        return [...addon.components.map(componentManifest), ...addon.traits.map(traitManifest)];
      case 'render':
        return render(find(request.kind, request.name), request.parameters, request.context);
      case 'health':
        return health(find(request.kind, request.name), request.input);
      default:
        throw new TypeError(`unknown method "${(request as { method: unknown }).method}"`);
    }
  };
  return (request) => jsonOf(answer(JSON.parse(request) as BundleRequest));
}

/** Puts `globalThis.lateen` in place, for good. The build calls this with the addon's default export. */
export function serve(addon: AddonDefinition): void {
  const entry: BundleEntry = Object.freeze({ call: answerer(addon) });
  Object.defineProperty(globalThis, 'lateen', { value: entry, writable: false, configurable: false, enumerable: true });
}
