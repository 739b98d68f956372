/** Checks `manifest.json` of a package, which may come from anywhere. */
import { type DefinitionManifest, LateenError, type PackageManifest } from '@lateen/schemas';
import { validRange, valid as validVersion } from 'semver';
import { parseData } from './data.ts';
import { isAddonName } from './paths.ts';

type Fields = Record<string, unknown>;

const KINDS: ReadonlySet<unknown> = new Set(['component', 'trait', 'policy', 'workflowStep']);
const STAGES: ReadonlySet<unknown> = new Set([undefined, 'preDispatch', 'dispatch', 'postDispatch']);
/** Type names of definitions, as Kubernetes names objects. */
const TYPE = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

/** Control characters but for line feeds and tabs. */
const CONTROL = /[^\P{Cc}\n\t]/u;

/** Collects what is wrong, by path. */
class Checker {
  readonly problems: string[] = [];

  /** @returns `value` when the condition holds; else notes the problem. */
  expect(holds: boolean, path: string, expected: string): boolean {
    if (!holds) this.problems.push(`${path} is not ${expected}`);
    return holds;
  }

  map(value: unknown, path: string): Fields | undefined {
    const holds = typeof value === 'object' && value !== null && !Array.isArray(value);
    return this.expect(holds, path, 'an object') ? (value as Fields) : undefined;
  }

  list(value: unknown, path: string): unknown[] {
    return this.expect(Array.isArray(value), path, 'a list') ? (value as unknown[]) : [];
  }

  /** Texts are shown on terminals: none may steer one. */
  text(value: unknown, path: string): void {
    const holds = typeof value === 'string' && !CONTROL.test(value);
    this.expect(holds, path, 'a text without control characters');
  }

  optionalText(value: unknown, path: string): void {
    if (value !== undefined) this.text(value, path);
  }

  texts(value: unknown, path: string): void {
    for (const [index, item] of this.list(value, path).entries()) this.text(item, `${path}[${index}]`);
  }

  range(value: unknown, path: string): void {
    this.expect(typeof value === 'string' && validRange(value) !== null, path, 'a range of versions');
  }
}

function checkDefinition(value: unknown, path: string, check: Checker): void {
  const definition = check.map(value, path);
  if (!definition) return;
  check.expect(KINDS.has(definition.kind), `${path}.kind`, 'a kind of definition');
  check.expect(typeof definition.name === 'string' && TYPE.test(definition.name), `${path}.name`, 'a type name');
  check.text(definition.description, `${path}.description`);
  check.map(definition.parameters, `${path}.parameters`);
  check.expect(typeof definition.health === 'boolean', `${path}.health`, 'true or false');
  check.optionalText(definition.deprecated, `${path}.deprecated`);
  check.expect(STAGES.has(definition.stage), `${path}.stage`, 'a stage');
  if (definition.appliesTo !== undefined) check.texts(definition.appliesTo, `${path}.appliesTo`);
  if (definition.kind === 'trait') check.list(definition.appliesTo, `${path}.appliesTo`);
  if (definition.workload !== undefined) {
    const workload = check.map(definition.workload, `${path}.workload`);
    check.text(workload?.apiVersion, `${path}.workload.apiVersion`);
    check.text(workload?.kind, `${path}.workload.kind`);
  }
}

function checkDefinitionList(value: unknown, path: string, check: Checker): void {
  const seen = new Set<string>();
  for (const [index, item] of check.list(value, path).entries()) {
    checkDefinition(item, `${path}[${index}]`, check);
    const { kind, name } = (item ?? {}) as Partial<DefinitionManifest>;
    const key = `${kind} "${name}"`;
    if (seen.has(key)) check.problems.push(`${path}[${index}] defines ${key} again`);
    seen.add(key);
  }
}

/**
 * Checks what a bundle says of its definitions.
 * @returns what is wrong, one sentence each; nothing when all is well.
 */
export function definitionProblems(definitions: unknown): string[] {
  const check = new Checker();
  checkDefinitionList(definitions, 'definitions', check);
  return check.problems;
}

function manifestProblems(value: unknown): string[] {
  const check = new Checker();
  const manifest = check.map(value, 'the manifest');
  if (!manifest) return check.problems;
  check.expect(manifest.format === 'lateen.dev/addon/v1', 'format', '"lateen.dev/addon/v1"');
  check.expect(isAddonName(manifest.name), 'name', 'a name of an addon');
  const { version } = manifest;
  check.expect(typeof version === 'string' && validVersion(version) === version, 'version', 'a semantic version');
  check.text(manifest.description, 'description');
  check.optionalText(manifest.icon, 'icon');
  check.optionalText(manifest.license, 'license');
  if (manifest.tags !== undefined) check.texts(manifest.tags, 'tags');
  const engines = check.map(manifest.engines, 'engines');
  check.range(engines?.kernel, 'engines.kernel');
  if (engines?.kubernetes !== undefined) check.range(engines.kubernetes, 'engines.kubernetes');
  const dependencies = manifest.dependencies === undefined ? {} : check.map(manifest.dependencies, 'dependencies');
  for (const [name, range] of Object.entries(dependencies ?? {})) {
    check.expect(isAddonName(name), `dependencies: "${name}"`, 'a name of an addon');
    check.range(range, `dependencies.${name}`);
  }
  if (manifest.permissions !== undefined) check.map(manifest.permissions, 'permissions');
  if (manifest.parameters !== undefined) check.map(manifest.parameters, 'parameters');
  const services = manifest.services === undefined ? {} : check.map(manifest.services, 'services');
  for (const [name, value] of Object.entries(services ?? {})) {
    const service = check.map(value, `services.${name}`);
    check.expect(isAddonName(name), `services: "${name}"`, 'a name of a service');
    check.text(service?.entry, `services.${name}.entry`);
    check.texts(service?.contributes, `services.${name}.contributes`);
  }
  checkDefinitionList(manifest.definitions, 'definitions', check);
  check.optionalText(manifest.bundle, 'bundle');
  if (Array.isArray(manifest.definitions) && manifest.definitions.length > 0) check.text(manifest.bundle, 'bundle');
  check.texts(manifest.resources, 'resources');
  return check.problems;
}

/**
 * Reads `manifest.json`.
 * @param what names the package in the error: `package of addon "x" 1.0.0`.
 * @throws LateenError LTN503 that lists everything that is wrong.
 */
export function parseManifest(text: string, what = 'the package'): PackageManifest {
  const data = parseData(text);
  const problems = data.problem === undefined ? manifestProblems(data.value) : [`it ${data.problem}`];
  if (data.problem === undefined && problems.length === 0) return data.value as PackageManifest;
  throw new LateenError(
    problems.map((problem) => ({
      code: 'LTN503' as const,
      severity: 'error' as const,
      message: `the manifest of ${what} is not valid: ${problem}`,
    })),
  );
}
