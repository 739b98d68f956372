/** A CycloneDX bill of materials: which npm packages are inside a bundle. Same source, same bytes: no time, no serial. */
import { readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { AddonManifest } from '@lateen/schemas';

interface Component {
  type: 'library' | 'application';
  name: string;
  version: string;
  purl: string;
  licenses?: { expression: string }[];
}

export interface Sbom {
  bomFormat: 'CycloneDX';
  specVersion: '1.6';
  version: 1;
  metadata: { component: { type: 'application'; name: string; version: string } };
  components: Component[];
}

/** The folder of the innermost npm package that a bundled file belongs to: `…/node_modules/@scope/name`. */
function packageFolder(path: string): string | undefined {
  const parts = path.split(/[\\/]/);
  const at = parts.lastIndexOf('node_modules');
  const name = parts[at + 1];
  if (at === -1 || name === undefined) return undefined;
  return parts.slice(0, at + (name.startsWith('@') ? 3 : 2)).join(sep);
}

function purlOf(name: string, version: string): string {
  const path = name.startsWith('@') ? `%40${name.slice(1)}` : name;
  return `pkg:npm/${path}@${version}`;
}

/**
 * @param inputs paths of the bundled files, relative to `sourceDir`.
 */
export async function sbomOf(manifest: AddonManifest, inputs: readonly string[], sourceDir: string): Promise<Sbom> {
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== undefined));
  const components = new Map<string, Component>();
  for (const folder of folders) {
    const text = await readFile(join(sourceDir, folder, 'package.json'), 'utf8').catch(() => '{}');
    const { name, version, license } = JSON.parse(text) as { name?: string; version?: string; license?: unknown };
    // A package may hold folders with a package.json of their own that name nothing.
    if (name === undefined || version === undefined) continue;
    const component: Component = { type: 'library', name, version, purl: purlOf(name, version) };
    if (typeof license === 'string') component.licenses = [{ expression: license }];
    components.set(component.purl, component);
  }
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: manifest.name, version: manifest.version } },
    components: [...components.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1)),
  };
}
