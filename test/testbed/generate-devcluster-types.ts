/**
 * Writes the structural description of the built-in kinds that `addons/devcluster` serves, and the roles that it starts with.
 *
 *     node test/testbed/generate-devcluster-types.ts --kubeconfig FILE [--modules FOLDER] [--out FILE]
 *
 * What fields there are comes from the discovery and OpenAPI documents of a running kube-apiserver. What OpenAPI does not say,
 * whether a field is written when it has its zero value, comes from the struct tags of the API's Go modules of the same version
 * (`--modules`: a Go module cache; by default that of `go env GOMODCACHE`). Descriptions are not taken over.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectTo, endpointOf } from '../conformance/harness/connection.ts';

/** Groups and versions to describe, in the order in which discovery lists them. */
const GROUP_VERSIONS = [
  'v1',
  'apps/v1',
  'events.k8s.io/v1',
  'authentication.k8s.io/v1',
  'authorization.k8s.io/v1',
  'autoscaling/v2',
  'autoscaling/v1',
  'batch/v1',
  'certificates.k8s.io/v1',
  'networking.k8s.io/v1',
  'policy/v1',
  'rbac.authorization.k8s.io/v1',
  'storage.k8s.io/v1',
  'admissionregistration.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'scheduling.k8s.io/v1',
  'coordination.k8s.io/v1',
  'node.k8s.io/v1',
  'discovery.k8s.io/v1',
];
const LEFT_OUT = new Set(['componentstatuses']);

/** Named types that are leaves: their letter in the compact notation (see addons/devcluster/src/types/compact.ts). */
const LEAVES: Record<string, string> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'q',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'x',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 't',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'T',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'o',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'o',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'a',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': 'a',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'a',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'a',
};

interface OpenApiSchema {
  $ref?: string;
  allOf?: { $ref: string }[];
  type?: string;
  format?: string;
  default?: unknown;
  enum?: string[];
  items?: OpenApiSchema;
  additionalProperties?: OpenApiSchema;
  properties?: Record<string, OpenApiSchema>;
  required?: string[];
  oneOf?: unknown[];
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
  'x-kubernetes-unions'?: { discriminator?: string; 'fields-to-discriminateBy': Record<string, string> }[];
}

interface CompactField {
  t: string;
  l?: string;
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

interface CompactType {
  f: Record<string, string | CompactField>;
  r?: string[];
  mt?: string;
  u?: unknown;
}

/** How a Go field is written: always, also when zero if given (pointer), or not when zero. */
type GoField = { name: string; json: string; type: string; omitempty: boolean; omitzero: boolean; inline: boolean };
type GoPackage = Map<string, GoField[]>;

const { values } = parseArgs({
  options: { kubeconfig: { type: 'string' }, modules: { type: 'string' }, out: { type: 'string' } },
});
if (!values.kubeconfig) throw new Error('--kubeconfig is missing');
const out = values.out ?? join(import.meta.dirname, '../../addons/devcluster/src/types/builtin.generated.json');
const modules = values.modules ?? execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim();

const connection = connectTo(endpointOf(readFileSync(values.kubeconfig, 'utf8')));
const get = async <T>(path: string): Promise<T> => {
  const answer = await connection.call('GET', path);
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
  return answer.body as T;
};

const { gitVersion } = await get<{ gitVersion: string }>('/version');
const moduleVersion = gitVersion.replace(/^v1\./, 'v0.');
const schemas = new Map<string, OpenApiSchema>();
const kinds: unknown[] = [];
const roots: string[] = [];

interface DiscoveryResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  kind: string;
  group?: string;
  version?: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
}

for (const groupVersion of GROUP_VERSIONS) {
  const path = groupVersion.includes('/') ? `apis/${groupVersion}` : `api/${groupVersion}`;
  const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion];
  const document = await get<{ components: { schemas: Record<string, OpenApiSchema> } }>(`/openapi/v3/${path}`);
  for (const [name, schema] of Object.entries(document.components.schemas)) schemas.set(name, schema);
  const { resources } = await get<{ resources: DiscoveryResource[] }>(`/${path}`);
  for (const resource of resources) {
    if (resource.name.includes('/') || LEFT_OUT.has(resource.name)) continue;
    const subresources = resources
      .filter((other) => other.name.startsWith(`${resource.name}/`))
      .map((other) => ({
        name: other.name.slice(resource.name.length + 1),
        kind: other.kind,
        ...(other.group ? { group: other.group } : {}),
        ...(other.version ? { version: other.version } : {}),
        verbs: other.verbs,
      }));
    kinds.push({
      group,
      version,
      kind: resource.kind,
      plural: resource.name,
      singular: resource.singularName,
      ...(resource.namespaced ? { namespaced: true } : {}),
      verbs: resource.verbs,
      ...(resource.shortNames ? { shortNames: resource.shortNames } : {}),
      ...(resource.categories ? { categories: resource.categories } : {}),
      ...(subresources.length > 0 ? { subresources } : {}),
    });
    for (const kind of [resource.kind, ...subresources.map((one) => one.kind)]) {
      for (const [name, schema] of schemas) {
        const gvks = schema['x-kubernetes-group-version-kind'] ?? [];
        if (gvks.some((gvk) => gvk.kind === kind) && !roots.includes(name)) roots.push(name);
      }
    }
  }
}
await writeBootstrapRoles();
connection.close();
for (const name of schemas.keys()) if (/\.(DeleteOptions|Status)$/.test(name) && /meta\.v1/.test(name)) roots.push(name);

/** The roles that every cluster starts with and that a client may count on, with their bindings. */
async function writeBootstrapRoles(): Promise<void> {
  const wanted = (name: string): boolean =>
    /^(admin|edit|view|cluster-admin|system:(aggregate-to-.*|auth-delegator|basic-user|discovery|monitoring|public-info-viewer|service-account-issuer-discovery|certificates.*-approver))$/.test(
      name,
    );
  interface RoleObject {
    metadata: { name: string; labels?: Record<string, string> };
    rules?: unknown[];
    aggregationRule?: unknown;
    roleRef?: { name: string };
    subjects?: { kind: string; name: string }[];
  }
  const base = '/apis/rbac.authorization.k8s.io/v1';
  const roles = await get<{ items: RoleObject[] }>(`${base}/clusterroles`);
  const bindings = await get<{ items: RoleObject[] }>(`${base}/clusterrolebindings`);
  const rows = {
    roles: roles.items
      .filter((role) => wanted(role.metadata.name))
      .map(({ metadata, rules, aggregationRule }) => ({
        name: metadata.name,
        labels: metadata.labels,
        // The rules of an aggregated role are worked out from the others.
        ...(aggregationRule ? { aggregationRule } : { rules }),
      })),
    bindings: bindings.items
      .filter((binding) => wanted(binding.metadata.name))
      .map(({ metadata, roleRef, subjects }) => ({
        name: metadata.name,
        labels: metadata.labels,
        role: roleRef?.name,
        subjects: subjects?.map(({ kind, name }) => ({ kind, name })),
      })),
  };
  const path = join(out, '../../auth/roles.generated.json');
  const list = (items: unknown[]): string => items.map((item) => JSON.stringify(item)).join(',\n');
  writeFileSync(path, `{\n"roles":[\n${list(rows.roles)}\n],\n"bindings":[\n${list(rows.bindings)}\n]\n}\n`);
}

/** Folder of the Go package that an OpenAPI name such as `io.k8s.api.core.v1.Pod` comes from. */
function goPackageFolder(name: string): string | undefined {
  const parts = name.split('.');
  const path = parts.slice(0, -1);
  if (name.startsWith('io.k8s.api.')) {
    return join(modules, `k8s.io/api@${moduleVersion}`, ...path.slice(3));
  }
  if (name.startsWith('io.k8s.apimachinery.')) return join(modules, `k8s.io/apimachinery@${moduleVersion}`, ...path.slice(3));
  if (name.startsWith('io.k8s.apiextensions-apiserver.')) {
    return join(modules, `k8s.io/apiextensions-apiserver@${moduleVersion}`, ...path.slice(3));
  }
  return undefined;
}

const packages = new Map<string, GoPackage>();
function goPackage(folder: string): GoPackage {
  const known = packages.get(folder);
  if (known) return known;
  const structs: GoPackage = new Map();
  for (const file of readdirSync(folder)) {
    if (!/^types.*\.go$/.test(file)) continue;
    const text = readFileSync(join(folder, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const match of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
      const fields: GoField[] = [];
      for (const line of match[2]!.split('\n')) {
        const field = /^\s*(?:(\w+)\s+)?(\S+)\s+`([^`]*)`/.exec(line.replace(/\/\/.*$/, (tail) => (tail.includes('`') ? tail : '')));
        if (!field || line.trim().startsWith('//')) continue;
        const json = /json:"([^"]*)"/.exec(field[3]!)?.[1];
        if (json === undefined) continue;
        const [jsonName, ...options] = json.split(',');
        fields.push({
          name: field[1] ?? field[2]!,
          json: jsonName!,
          type: field[2]!,
          omitempty: options.includes('omitempty'),
          omitzero: options.includes('omitzero'),
          inline: options.includes('inline') || (jsonName === '' && field[1] === undefined),
        });
      }
      structs.set(match[1]!, fields);
    }
  }
  packages.set(folder, structs);
  return structs;
}

/** Go fields of a type by their JSON names, embedded structs flattened. */
function goFields(folder: string, type: string): Map<string, GoField> {
  const result = new Map<string, GoField>();
  for (const field of goPackage(folder).get(type) ?? []) {
    if (field.inline) {
      const [prefix, local] = field.type.replace('*', '').split('.') as [string, string | undefined];
      if (local === undefined) for (const [json, inner] of goFields(folder, prefix)) result.set(json, inner);
    } else result.set(field.json, field);
  }
  return result;
}

const shortName = (name: string): string =>
  name
    .replace(/^io\.k8s\.apimachinery\.pkg\.apis\./, '~')
    .replace(/^io\.k8s\.apiextensions-apiserver\.pkg\.apis\./, '^')
    .replace(/^io\.k8s\.api\./, '');
const types: Record<string, CompactType> = {};
const unknownToGo: string[] = [];

/** The compact notation of a schema's shape. */
function shape(schema: OpenApiSchema): string {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference) {
    const name = reference.slice(reference.lastIndexOf('/') + 1);
    if (LEAVES[name]) return LEAVES[name];
    const target = schemas.get(name);
    if (!target) throw new Error(`no schema ${name}`);
    describe(name, target);
    return `@${shortName(name)}`;
  }
  switch (schema.type) {
    case 'string':
      return schema.format === 'byte' ? 'B' : schema.format === 'date-time' ? 't' : 's';
    case 'integer':
      return schema.format === 'int64' ? 'l' : 'i';
    case 'number':
      return 'n';
    case 'boolean':
      return 'b';
    case 'array':
      return `[${shape(schema.items ?? {})}`;
    case 'object':
      return schema.additionalProperties ? `{${shape(schema.additionalProperties)}` : 'o';
    default:
      return 'a';
  }
}

function describe(name: string, schema: OpenApiSchema): void {
  const key = shortName(name);
  if (types[key]) return;
  const type: CompactType = { f: {} };
  types[key] = type;
  if (schema.required) type.r = schema.required;
  if (schema['x-kubernetes-map-type']) type.mt = schema['x-kubernetes-map-type'];
  if (schema['x-kubernetes-unions']) type.u = schema['x-kubernetes-unions'];
  const folder = goPackageFolder(name);
  const go = folder ? goFields(folder, name.slice(name.lastIndexOf('.') + 1)) : new Map<string, GoField>();
  for (const [property, inner] of Object.entries(schema.properties ?? {})) {
    const field: CompactField = { t: shape(inner) };
    if (inner['x-kubernetes-list-type']) field.l = inner['x-kubernetes-list-type'];
    if (inner['x-kubernetes-list-map-keys']) field.k = inner['x-kubernetes-list-map-keys'];
    if (inner['x-kubernetes-map-type']) field.mt = inner['x-kubernetes-map-type'];
    if (inner['x-kubernetes-patch-merge-key']) field.mk = inner['x-kubernetes-patch-merge-key'];
    if (inner['x-kubernetes-patch-strategy']) field.ps = inner['x-kubernetes-patch-strategy'];
    if (inner.enum) field.e = inner.enum;
    const { default: initial } = inner;
    if (initial !== undefined && JSON.stringify(initial) !== '{}' && initial !== '' && initial !== 0 && initial !== false) {
      field.d = initial;
    }
    const goField = go.get(property);
    if (property !== 'apiVersion' && property !== 'kind') {
      if (!goField) unknownToGo.push(`${key}.${property}`);
      else {
        const pointer = goField.type.startsWith('*');
        const isStruct = field.t.startsWith('@') || (field.t === 't' || field.t === 'T' || field.t === 'q' || field.t === 'x');
        if (!goField.omitempty && !goField.omitzero) field.z = 1;
        else if (pointer) {
          if (!field.t.startsWith('@')) field.p = 1;
        } else if (goField.omitzero) field.o = 1;
        else if (isStruct) field.z = 1;
      }
    }
    type.f[property] = Object.keys(field).length === 1 ? field.t : field;
  }
}

for (const root of roots.sort()) describe(root, schemas.get(root)!);

const gvks: Record<string, string> = {};
for (const root of roots) {
  const gvk = schemas.get(root)?.['x-kubernetes-group-version-kind'];
  for (const { group, version, kind } of gvk ?? []) {
    if (GROUP_VERSIONS.includes(group ? `${group}/${version}` : version)) {
      gvks[`${group}/${version}/${kind}`] ??= shortName(root);
    }
  }
}

const lines = [
  '{',
  `"version":${JSON.stringify(gitVersion)},`,
  `"kinds":[\n${kinds.map((kind) => JSON.stringify(kind)).join(',\n')}\n],`,
  `"gvks":${JSON.stringify(gvks)},`,
  `"types":{\n${Object.keys(types)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(types[name])}`)
    .join(',\n')}\n}`,
  '}',
];
writeFileSync(out, `${lines.join('\n')}\n`);
console.error(`${out}: ${kinds.length} kinds, ${Object.keys(types).length} types, ${lines.join('\n').length} bytes`);
if (unknownToGo.length > 0) console.error(`without a Go field: ${unknownToGo.join(' ')}`);
