/**
 * A schema as server-side apply sees it: what a value can be, which lists and maps are merged item by item and which are one
 * thing, and by which keys items are told apart.
 */
import type { SchemaNode } from '../types.ts';

export type ScalarType = 'string' | 'numeric' | 'boolean' | 'untyped';

export interface MapType {
  atomic: boolean;
  /** Declared fields. */
  field(name: string): TypedNode | undefined;
  /** All others; undefined: there may be none. */
  element: TypedNode | undefined;
}

export interface ListType {
  /** Merged as a whole. */
  atomic: boolean;
  /** Keys of the items of a list of type map; undefined for a set. */
  keys: readonly string[] | undefined;
  element: TypedNode;
}

/** More than one of the three may be there: then the value decides. */
export interface TypedNode {
  scalar?: ScalarType;
  list?: ListType;
  map?: MapType;
}

const lazily = <T>(make: () => T): (() => T) => {
  let value: T | undefined;
  return () => (value ??= make());
};

const listOf = (relation: Omit<ListType, 'element'>, element: () => TypedNode): ListType => {
  const get = lazily(element);
  return {
    ...relation,
    get element() {
      return get();
    },
  };
};
const NO_FIELD = (): undefined => undefined;

/** Any value, as one thing. */
export const ATOMIC: TypedNode = {
  scalar: 'untyped',
  list: listOf({ atomic: true, keys: undefined }, () => ATOMIC),
  map: {
    atomic: true,
    field: NO_FIELD,
    get element() {
      return ATOMIC;
    },
  },
};

/** Any value: maps field by field, lists as one thing. */
export const DEDUCED: TypedNode = {
  scalar: 'untyped',
  list: listOf({ atomic: true, keys: undefined }, () => ATOMIC),
  map: {
    atomic: false,
    field: NO_FIELD,
    get element() {
      return DEDUCED;
    },
  },
};

function listRelation(node: SchemaNode): Omit<ListType, 'element'> {
  if (node.listType === 'set') return { atomic: false, keys: undefined };
  if (node.listType === 'map') return { atomic: false, keys: node.listMapKeys ?? [] };
  if (node.listType === 'atomic') return { atomic: true, keys: undefined };
  if (node.patchStrategy === 'merge' || node.patchStrategy === 'merge,retainKeys') {
    return { atomic: false, keys: node.patchMergeKey === undefined ? undefined : [node.patchMergeKey] };
  }
  return { atomic: true, keys: undefined };
}

function scalarOf(node: SchemaNode): ScalarType {
  if (node.intOrString || node.quantity) return 'untyped';
  if (node.type === 'integer' || node.type === 'number') return 'numeric';
  if (node.type === 'boolean') return 'boolean';
  return node.format === undefined || node.format === '' || node.format === 'byte' ? 'string' : 'untyped';
}

function mapOf(node: SchemaNode, preserve: boolean): MapType {
  const cache = new Map<string, TypedNode | undefined>();
  const element = lazily((): { node: TypedNode | undefined } => {
    const { additionalProperties } = node;
    if (additionalProperties === undefined) {
      const free = preserve || !node.properties || Object.keys(node.properties).length === 0;
      return { node: free ? DEDUCED : undefined };
    }
    return { node: additionalProperties === true ? DEDUCED : compile(additionalProperties, preserve) };
  });
  return {
    atomic: node.mapType === 'atomic',
    field(name) {
      const known = cache.get(name);
      if (known) return known;
      if (!node.properties || !Object.hasOwn(node.properties, name)) return undefined;
      const typed = compile(node.properties[name]!, preserve);
      cache.set(name, typed);
      return typed;
    },
    get element() {
      return element().node;
    },
  };
}

const compiled = new WeakMap<SchemaNode, TypedNode>();
const compiledPreserving = new WeakMap<SchemaNode, TypedNode>();

/**
 * What server-side apply needs of a schema.
 * @param preserve whether an outer schema keeps unknown fields; what is below one that does keeps them too
 */
export function compile(node: SchemaNode, preserve = false): TypedNode {
  const keeps = preserve || node.preserveUnknown === true;
  const cache = keeps ? compiledPreserving : compiled;
  const known = cache.get(node);
  if (known) return known;
  const result: TypedNode = {};
  cache.set(node, result);
  const list = (): ListType =>
    listOf(listRelation(node), () => (node.items ? compile(node.items, keeps) : ATOMIC));
  if (node.intOrString || node.quantity) result.scalar = 'untyped';
  else if (node.type === undefined) {
    result.scalar = 'untyped';
    result.list = list();
    result.map = mapOf(node, keeps);
  } else if (node.type === 'object') result.map = mapOf(node, keeps);
  else if (node.type === 'array') result.list = list();
  else result.scalar = scalarOf(node);
  return result;
}
