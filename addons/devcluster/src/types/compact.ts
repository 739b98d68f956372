/**
 * The structural description of the built-in kinds, in the compact notation of builtin.generated.json.
 *
 * A field's type is a string. A letter is a scalar: `s` string, `i` 32-bit and `l` 64-bit integer, `n` number, `b` boolean,
 * `q` quantity, `x` integer or string, `t` time, `T` time with microseconds, `B` bytes (base64), `o` any object, `a` any value.
 * `@Name` is a named type, `[` a list of what follows, `{` a map with values of what follows. A field that is more than its type
 * is an object: `t` its type, `l` list type, `k` keys of a list of type map, `mt` map type, `mk` and `ps` merge key and strategy
 * of strategic merge patches, `e` allowed values, `d` default, `z` 1 when written even when zero, `p` 1 when a given zero value
 * is kept (a pointer in the API's own types), `o` 1 when left out when empty although it is a struct.
 */
import data from './builtin.generated.json' with { type: 'json' };

export type ListType = 'atomic' | 'set' | 'map';

export interface CompactField {
  t: string;
  l?: ListType;
  k?: string[];
  mt?: string;
  mk?: string;
  ps?: string;
  e?: string[];
  d?: unknown;
  z?: 1;
  p?: 1;
  o?: 1;
}

export interface CompactType {
  f: Record<string, string | CompactField>;
  /** Required fields. */
  r?: string[];
  mt?: string;
}

export interface CompactSubresource {
  name: string;
  kind: string;
  group?: string;
  version?: string;
  verbs: string[];
}

export interface CompactKind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  namespaced?: true;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  subresources?: CompactSubresource[];
}

interface CompactData {
  /** Version of the server that the description was read from. */
  version: string;
  kinds: CompactKind[];
  /** `group/version/Kind` → type name. */
  gvks: Record<string, string>;
  types: Record<string, CompactType>;
}

/** The description as generated. */
export const BUILTIN = data as unknown as CompactData;

const PREFIXES: Record<string, string> = {
  '~': 'io.k8s.apimachinery.pkg.apis.',
  '^': 'io.k8s.apiextensions-apiserver.pkg.apis.',
};

/** The name of a type in OpenAPI documents, e.g. `io.k8s.api.core.v1.Pod` for `core.v1.Pod`. */
export function openApiName(name: string): string {
  const prefix = PREFIXES[name[0]!];
  return prefix ? prefix + name.slice(1) : `io.k8s.api.${name}`;
}

/** The name of the type behind a built-in kind; undefined for a kind that is not built in. */
export const typeNameOf = (group: string, version: string, kind: string): string | undefined =>
  BUILTIN.gvks[`${group}/${version}/${kind}`];

/** A named type. @throws Error for a name that is not in the description (a fault of the generated file). */
export function compactType(name: string): CompactType {
  const type = BUILTIN.types[name];
  if (!type) throw new Error(`no type ${name} in the description of the built-in kinds`);
  return type;
}

/** A field in its long form. */
export const fieldOf = (field: string | CompactField): CompactField =>
  typeof field === 'string' ? { t: field } : field;
