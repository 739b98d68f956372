/** Builds an addon's source folder into a package. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  definitionProblems,
  digestOf,
  MANIFEST_PATH,
  openPackage,
  type PackageFile,
  packPackage,
} from '@lateen/registry/format/index.ts';
import {
  type AddonManifest,
  type DefinitionManifest,
  type Fault,
  LateenError,
  type PackageManifest,
} from '@lateen/schemas';
import { createInlineSandbox, type Sandbox, SandboxError } from '../../sandbox/index.ts';
import { type Bundled, bundleDefinitions, bundleService, inputsOf, SDK_DIR } from './bundle.ts';
import { sbomOf } from './sbom.ts';
import { ENTRY_FILE, MANIFEST_FILE, readAddonManifest, readAssets } from './source.ts';
import { stackMapper } from './sourcemap.ts';

export interface BuildOptions {
  /** Runs the definitions once, to write what they say of themselves into the manifest. Default: one in this thread. */
  sandbox?: Sandbox;
  /** Folder of the SDK's sources. Default: this kernel's own. */
  sdkDir?: string;
}

export interface BuiltAddon {
  manifest: PackageManifest;
  /** The `.tgz`. Two builds of the same source give the same bytes. */
  package: Uint8Array;
  /** `sha256:<hex>` of the package. */
  digest: string;
  files: PackageFile[];
  /** Source maps (JSON text) by path of the compiled file in the package. They are not packed. */
  maps: Map<string, string>;
}

const BUNDLE_PATH = 'bundle.js';
const SBOM_PATH = 'sbom.json';
/** Describing runs no render, but a large addon's schemas take their time on a busy machine. */
const DESCRIBE_DEADLINE_MS = 2_000;

const encoder = new TextEncoder();
const jsonFile = (path: string, value: unknown): PackageFile => ({
  path,
  data: encoder.encode(`${JSON.stringify(value, null, 2)}\n`),
});

/** Asks the compiled definitions what they are. Faults have code LTN507 and name the author's line. */
async function describe(
  bundled: Bundled,
  name: string,
  sourceDir: string,
  sandbox: Sandbox,
): Promise<{ definitions: DefinitionManifest[]; faults: Fault[] }> {
  const id = `${name} (build)`;
  const file = join(sourceDir, ENTRY_FILE);
  sandbox.load(id, bundled.code);
  try {
    const definitions = await sandbox.call(id, { method: 'describe' }, { deadlineMs: DESCRIBE_DEADLINE_MS });
    const faults = definitionProblems(definitions).map(
      (problem): Fault => ({ code: 'LTN507', severity: 'error', message: problem, place: { file } }),
    );
    return { definitions: definitions as DefinitionManifest[], faults };
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    const place =
      error.guestStack === undefined ? undefined : stackMapper(bundled.map, sourceDir).place(error.guestStack);
    const fault: Fault = {
      code: 'LTN507',
      severity: 'error',
      message: `the definitions cannot be loaded: ${error.message}`,
      place: place ?? { file },
    };
    return { definitions: [], faults: [fault] };
  } finally {
    sandbox.unload(id);
  }
}

async function readManifest(sourceDir: string): Promise<AddonManifest> {
  const file = join(sourceDir, MANIFEST_FILE);
  let yaml: string;
  try {
    yaml = await readFile(file, 'utf8');
  } catch {
    const message = `${JSON.stringify(sourceDir)} is no source folder of an addon: it has no ${MANIFEST_FILE}`;
    throw new LateenError({ code: 'LTN505', severity: 'error', message, place: { file } });
  }
  const { manifest, faults } = readAddonManifest(yaml, file);
  if (!manifest) throw new LateenError(faults);
  return manifest;
}

/**
 * Builds the addon in `sourceDir`: `addon.yaml`, `index.ts` (its definitions), the entry files of its services, and
 * what goes into the package as it is (`resources/`, `ui/`, `README.md`, `CHANGELOG.md`, `LICENSE`, the icon).
 * @throws LateenError with every fault: LTN505 for the manifest, LTN507 for the source, each with its place.
 */
export async function buildAddon(sourceDir: string, options: BuildOptions = {}): Promise<BuiltAddon> {
  const author = await readManifest(sourceDir);
  const sdkDir = resolve(options.sdkDir ?? SDK_DIR);
  const bundling = { sourceDir, sdkDir };
  const hasDefinitions = existsSync(join(sourceDir, ENTRY_FILE));
  const services = Object.entries(author.services ?? {});

  const [definitionsBuild, assets, ...serviceBuilds] = await Promise.all([
    hasDefinitions ? bundleDefinitions(bundling, ENTRY_FILE) : { faults: [] },
    readAssets(sourceDir, author.icon === undefined ? [] : [author.icon]),
    ...services.map(([, { entry }]) => bundleService(bundling, entry)),
  ]);
  const faults: Fault[] = [
    ...definitionsBuild.faults,
    ...assets.faults,
    ...serviceBuilds.flatMap(({ faults }) => faults),
  ];
  if (!hasDefinitions && services.length === 0) {
    const message = `the addon offers nothing: it has neither ${ENTRY_FILE} nor services`;
    faults.push({ code: 'LTN505', severity: 'error', message, place: { file: join(sourceDir, MANIFEST_FILE) } });
  }
  if (faults.length > 0) throw new LateenError(faults);

  const files: PackageFile[] = [...assets.files];
  const maps = new Map<string, string>();
  const inputs: string[] = [];
  const addCompiled = (path: string, bundled: Bundled) => {
    files.push({ path, data: encoder.encode(bundled.code) });
    maps.set(path, bundled.map);
    inputs.push(...inputsOf(bundled.metafile, sourceDir));
  };

  let definitions: DefinitionManifest[] = [];
  const { bundled } = definitionsBuild as { bundled?: Bundled };
  if (bundled) {
    const sandbox = options.sandbox ?? createInlineSandbox();
    const described = await describe(bundled, author.name, sourceDir, sandbox);
    if (described.faults.length > 0) throw new LateenError(described.faults);
    definitions = described.definitions;
    addCompiled(BUNDLE_PATH, bundled);
  }
  const packedServices: NonNullable<PackageManifest['services']> = {};
  for (const [index, [name, { contributes }]] of services.entries()) {
    const { bundled } = serviceBuilds[index] as { bundled: Bundled };
    const entry = `services/${name}.mjs`;
    addCompiled(entry, bundled);
    packedServices[name] = { entry, contributes };
  }

  const manifest: PackageManifest = {
    format: 'lateen.dev/addon/v1',
    ...author,
    ...(services.length > 0 && { services: packedServices }),
    definitions,
    ...(bundled && { bundle: BUNDLE_PATH }),
    resources: assets.files.map(({ path }) => path).filter((path) => path.startsWith('resources/')),
  };
  files.push(jsonFile(MANIFEST_PATH, manifest), jsonFile(SBOM_PATH, await sbomOf(author, inputs, sourceDir)));
  const bytes = packPackage(files);
  const digest = digestOf(bytes);
  // What we wrote is held to what readers demand.
  openPackage(bytes, { digest });
  return { manifest, package: bytes, digest, files, maps };
}
