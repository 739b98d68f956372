/** Files of a registry tree. A registry is a folder (or what serves one) with these at fixed paths. */

/** `addons/<name>.json` */
export interface AddonVersions {
  name: string;
  versions: AddonVersionEntry[];
}

export interface AddonVersionEntry {
  version: string;
  /** `sha256:<hex>` of the package; it lies at `packages/sha256/<hex>.tgz`. */
  digest: string;
  size: number;
  engines: { kernel: string; kubernetes?: string };
  dependencies?: Record<string, string>;
  deprecated?: string;
  revoked?: string;
}

/** `index.json`: enough to list, search and answer "who offers type X" without opening a package. */
export interface RegistryIndex {
  format: 'lateen.dev/registry/v1';
  addons: IndexEntry[];
}

export interface IndexEntry {
  name: string;
  description: string;
  latest: string;
  tags?: string[];
  /** Definition names by kind. */
  offers: Partial<Record<'component' | 'trait' | 'policy' | 'workflowStep', string[]>>;
  /** What its services contribute. */
  contributes?: string[];
}

/** `profiles/<name>.json`: what a fresh installation enables. */
export interface Profile {
  addons: { name: string; version: string }[];
  /** Addons from which `lateen dev` may take a cluster provider, in order of preference. They are not enabled. */
  clusterProviders: { name: string; version: string }[];
}
