/** What the rest of the kernel asks of the addon system. */
import type { Addon, DefinitionKind, PackageManifest } from '@lateen/schemas';
import type { DefinitionCatalog, Evaluator } from '../model/api.ts';

/** One version of an addon, by what makes it unmistakable. */
export interface AddonPin {
  name: string;
  version: string;
  digest: string;
}

/** The definitions of enabled addons, and of older versions that revisions still render with. */
export interface Definitions {
  /** What new revisions use now. A new object after every change, so that it can be compared. */
  current(): DefinitionCatalog;
  /** Addon versions behind `current()`. */
  pins(): AddonPin[];
  /**
   * The catalog of exactly these versions, loaded beside the current ones.
   * @throws LateenError LTN501, LTN502, LTN503 when a version is to be had no more.
   */
  pinned(pins: readonly AddonPin[]): Promise<DefinitionCatalog>;
  /** Runs the listener after the current definitions changed. @returns a function that ends it. */
  onChange(listener: () => void): () => void;
  readonly evaluator: Evaluator;
}

/** Who uses what, told by the part of the kernel that knows applications. */
export interface Usage {
  /**
   * Applications that use one of these definitions, or whose current revision is pinned to the addon.
   * @throws when it is not known (not synced): then nothing is disabled.
   */
  usersOf(
    addon: AddonPin,
    definitions: { kind: DefinitionKind; name: string }[],
  ): { namespace: string; name: string }[];
  /** Runs the listener after uses changed. */
  onChange(listener: () => void): () => void;
}

export interface AddonSystem {
  readonly definitions: Definitions;
  /** Follows `Addon` objects until stopped. Resolves when the addons that were enabled at the start are usable or failed. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Manifest of a version that is loaded. */
  manifest(name: string, version: string): PackageManifest | undefined;
  /** Objects as last seen. */
  addons(): Addon[];
}
