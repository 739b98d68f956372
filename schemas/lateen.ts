/** The kinds of `lateen.dev/v1alpha1`. Their CRDs stand in `schemas/crds/`; a test holds both equal. */
import type { JsonObject, KubeObject, ObjectMeta, Permissions } from './contract.ts';
import type { Condition } from './oam.ts';

export const LATEEN_API_VERSION = 'lateen.dev/v1alpha1';

/** Cluster-scoped. Applying one enables an addon; deleting it disables the addon. */
export interface Addon extends KubeObject {
  apiVersion: 'lateen.dev/v1alpha1';
  kind: 'Addon';
  /** The name is the addon's. */
  metadata: ObjectMeta;
  spec: {
    /** Range of versions; default any released one. */
    version?: string;
    /** Name of the AddonRegistry; default: the first, by priority, that has the addon. */
    registry?: string;
    /** Only this package will do. */
    digest?: string;
    parameters?: JsonObject;
    /** What the person who enabled it agreed to. Without it an addon that asks for rights waits for consent. */
    consent?: { permissions: Permissions; by?: string; at?: string };
  };
  status?: AddonStatus;
}

export type AddonPhase = 'Pending' | 'Enabled' | 'Upgrading' | 'Failed' | 'Disabling';

export interface AddonStatus {
  phase?: AddonPhase;
  observedGeneration?: number;
  /** Version that new renders use. */
  version?: string;
  digest?: string;
  registry?: string;
  /** Versions that are loaded beside it because revisions still use them. */
  inUse?: { version: string; digest: string; applications: number }[];
  /** Names of what it offers, by kind. */
  definitions?: { components?: string[]; traits?: string[]; policies?: string[]; workflowSteps?: string[] };
  conditions?: Condition[];
}

/** Cluster-scoped: where addons come from. */
export interface AddonRegistry extends KubeObject {
  apiVersion: 'lateen.dev/v1alpha1';
  kind: 'AddonRegistry';
  metadata: ObjectMeta;
  spec: {
    /** `file:///path` of a registry tree, or later a URL of one. */
    url: string;
    /** Lower comes first. Default 100. */
    priority?: number;
  };
  status?: {
    observedGeneration?: number;
    /** When the index was last read. RFC 3339. */
    readAt?: string;
    /** Number of addons it lists. */
    addons?: number;
    conditions?: Condition[];
  };
}

/**
 * What one application owns. Same name and namespace as the application. An entry is written before its object is
 * applied, so nothing that was applied is ever unknown. Large inventories go on in `<name>.2`, `<name>.3`, ….
 */
export interface Inventory extends KubeObject {
  apiVersion: 'lateen.dev/v1alpha1';
  kind: 'Inventory';
  metadata: ObjectMeta;
  spec: {
    application: { namespace: string; name: string; uid: string };
    entries: InventoryEntry[];
  };
}

export interface InventoryEntry {
  cluster: string;
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  component: string;
  /** Position in the order of applying; pruning and deletion go backwards. */
  order: number;
  /** Revision that wanted it last. */
  revision: string;
}
