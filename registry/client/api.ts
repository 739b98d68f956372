/** What the kernel asks of a registry. A folder is the first form; others verify a transparency log and a signature besides. */
import type { AddonVersions, Profile, RegistryIndex } from '../format/index.ts';

export interface RegistryClient {
  /** How people call it. */
  readonly name: string;
  readonly url: string;
  /** @throws LateenError LTN601, LTN602 */
  index(): Promise<RegistryIndex>;
  /** `undefined` when the registry has no such addon. @throws LateenError LTN601, LTN602 */
  versions(addon: string): Promise<AddonVersions | undefined>;
  /** Bytes that match the digest. @throws LateenError LTN503, LTN601 */
  package(digest: string): Promise<Uint8Array>;
  profile(name: string): Promise<Profile | undefined>;
  /** Runs the listener after the index changed. @returns a function that ends it. */
  onChange(listener: () => void): () => void;
  close(): void;
}
