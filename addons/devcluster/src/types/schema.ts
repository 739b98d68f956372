/** Schemas of the built-in kinds for the API machinery, made from the compact description as they are looked into. */
import type { KindInfo, SchemaNode } from '../api/types.ts';
import { BUILTIN, type CompactField, type CompactKind, compactType, fieldOf, openApiName, typeNameOf } from './compact.ts';

const types = new Map<string, SchemaNode>();

/** The schema of a named type; one node for each name, so that types may refer to themselves. */
function typeNode(name: string): SchemaNode {
  const known = types.get(name);
  if (known) return known;
  const { f, r, mt } = compactType(name);
  let properties: Record<string, SchemaNode> | undefined;
  const node: SchemaNode = {
    type: 'object',
    typeName: openApiName(name),
    get properties() {
      if (!properties) {
        properties = {};
        for (const field in f) properties[field] = fieldNode(fieldOf(f[field]!));
      }
      return properties;
    },
    ...(r ? { required: r } : {}),
    ...(mt === 'atomic' ? { mapType: 'atomic' } : {}),
  };
  types.set(name, node);
  return node;
}

/** The schema of a value of a type in compact notation. */
function valueNode(type: string): SchemaNode {
  switch (type[0]) {
    case '@':
      return typeNode(type.slice(1));
    case '[':
      return { type: 'array', items: valueNode(type.slice(1)) };
    case '{':
      return { type: 'object', additionalProperties: valueNode(type.slice(1)) };
    case 's':
      return { type: 'string' };
    case 'i':
      return { type: 'integer', format: 'int32' };
    case 'l':
      return { type: 'integer', format: 'int64' };
    case 'n':
      return { type: 'number', format: 'double' };
    case 'b':
      return { type: 'boolean' };
    case 'q':
      return { type: 'string', quantity: true, typeName: 'io.k8s.apimachinery.pkg.api.resource.Quantity' };
    case 'x':
      return { intOrString: true, typeName: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString' };
    case 't':
      return { type: 'string', format: 'date-time', typeName: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time' };
    case 'T':
      return { type: 'string', format: 'date-time', typeName: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime' };
    case 'B':
      return { type: 'string', format: 'byte' };
    case 'o':
      return { type: 'object', preserveUnknown: true };
    default:
      return { preserveUnknown: true };
  }
}

function fieldNode({ t, l, k, mt, mk, ps, e, d }: CompactField): SchemaNode {
  const value = valueNode(t);
  const more: SchemaNode = {};
  if (l) more.listType = l;
  if (k) more.listMapKeys = k;
  if (mt === 'atomic') more.mapType = 'atomic';
  if (mk) more.patchMergeKey = mk;
  if (ps) more.patchStrategy = ps;
  if (e) more.enum = e;
  if (d !== undefined) more.default = d;
  if (Object.keys(more).length === 0) return value;
  if (t[0] !== '@') return { ...value, ...more };
  // The type itself is looked into only when it is needed.
  return Object.defineProperty({ ...more, type: 'object', typeName: value.typeName, required: value.required, mapType: more.mapType ?? value.mapType } as SchemaNode, 'properties', {
    enumerable: true,
    get: () => value.properties,
  });
}

/** Kinds that are one store in two versions or groups: where their objects are kept. */
const STORED_AS: Record<string, string> = {
  'v1/events': 'events.k8s.io/v1/events',
  'autoscaling/v1/horizontalpodautoscalers': 'autoscaling/v2/horizontalpodautoscalers',
};

function kindInfo(kind: CompactKind): KindInfo {
  const typeName = typeNameOf(kind.group, kind.version, kind.kind);
  if (typeName === undefined) throw new Error(`no type for ${kind.group}/${kind.version} ${kind.kind}`);
  const resource = `${kind.group ? `${kind.group}/` : ''}${kind.version}/${kind.plural}`;
  let schema: SchemaNode | undefined;
  const info: KindInfo = {
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    plural: kind.plural,
    singular: kind.singular,
    shortNames: kind.shortNames ?? [],
    categories: kind.categories ?? [],
    namespaced: kind.namespaced ?? false,
    verbs: kind.verbs,
    subresources: kind.subresources ?? [],
    get schema() {
      schema ??= typeNode(typeName);
      return schema;
    },
  };
  const storedAs = STORED_AS[resource];
  return storedAs ? Object.assign(info, { storedAs }) : info;
}

/** All built-in kinds. */
export const builtinKinds = (): KindInfo[] => BUILTIN.kinds.map(kindInfo);
