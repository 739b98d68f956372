/**
 * Makes the answers of two servers comparable: what each server chooses for itself (uids, times, versions, addresses,
 * generated names) becomes a token. Tokens are numbered by first appearance, so that "the same version as before" and
 * "another uid" still show.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const MICRO_TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)/g;
/** What Kubernetes draws random name suffixes from. */
const SUFFIX = '[bcdfghjklmnpqrstvwxz2456789]{5}';
/** The volume that gives a pod its account's token. */
const API_ACCESS = new RegExp(`kube-api-access-${SUFFIX}`, 'g');
/** Cluster addresses come from 10.96.0.0/12. */
const SERVICE_IP = /\b10\.(9[6-9]|10\d|11[01])\.\d+\.\d+\b/g;

export interface NormaliseOptions {
  /** Text → what stands for it, replaced in every string before anything else. */
  words: Record<string, string>;
}

/** Turns values into comparable ones; one instance for each transcript, since its numbering goes on. */
export interface Normaliser {
  value(value: unknown): Json;
  /** Text such as a command's output: ages and durations become tokens too. */
  text(text: string): string;
}

export function createNormaliser({ words }: NormaliseOptions): Normaliser {
  const tokens = new Map<string, string>();
  const counts = new Map<string, number>();
  const generated = new Map<string, string>();
  const bookmarks = new Set<object>();

  function token(kind: string, value: string): string {
    const key = `${kind} ${value}`;
    let known = tokens.get(key);
    if (!known) {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      known = `<${kind}-${count}>`;
      tokens.set(key, known);
    }
    return known;
  }

  function string(text: string): string {
    let result = text;
    for (const [word, replacement] of Object.entries(words)) result = result.replaceAll(word, replacement);
    for (const [name, replacement] of generated) result = result.replaceAll(name, replacement);
    return (
      result
        // Go prints whole objects here, in its own order of fields.
        .replace(/Invalid value: "\{.{200,}\}"/gs, 'Invalid value: <object>')
        .replace(API_ACCESS, 'kube-api-access-<generated>')
        .replace(SERVICE_IP, (ip) => token('ip', ip))
        .replace(/X509SHA256=[0-9a-f]{64}/g, 'X509SHA256=<hash>')
        .replace(/in record \(\d+\)/g, 'in record (<rv>)')
        .replace(UUID, (uid) => token('uid', uid))
        .replace(MICRO_TIME, '<microtime>')
        .replace(TIME, '<time>')
    );
  }

  /** Names made by `generateName` are learned from the object that carries both. */
  function learn(object: Record<string, unknown>): void {
    const metadata = object.metadata as { name?: unknown; generateName?: unknown } | undefined;
    const { name, generateName } = metadata ?? {};
    if (typeof name !== 'string' || typeof generateName !== 'string' || !generateName || generated.has(name)) return;
    if (new RegExp(`^${literal(generateName)}${SUFFIX}$`).test(name)) {
      generated.set(name, `${generateName}<generated-${generated.size + 1}>`);
    }
  }

  function byKey(key: string, value: string, parent: Record<string, unknown>): string {
    switch (key) {
      case 'resourceVersion':
        // A list's version, and a bookmark's, also count what others did in the meantime.
        return value === '' || 'items' in parent || 'rows' in parent || bookmarks.has(parent)
          ? '<list-rv>'
          : token('rv', value);
      case 'continue':
        return value === '' ? '' : '<continue>';
      case 'pod-template-hash':
      case 'controller-revision-hash':
        return '<hash>';
      case 'token':
        return value.split('.').length === 3 ? '<jwt>' : string(value);
      case 'certificate':
      case 'ca.crt':
        return '<certificate>';
      case 'request':
        return value.length > 200 ? '<request>' : string(value);
      default:
        return string(value);
    }
  }

  function walk(value: unknown, key: string, holder: Record<string, unknown>, parent: Record<string, unknown>): Json {
    if (value === null || typeof value === 'boolean') return value;
    if (value === undefined) return '<undefined>';
    if (typeof value === 'string') return byKey(key, value, parent);
    if (typeof value === 'number') {
      return (key === 'nodePort' || key === 'healthCheckNodePort') && value !== 0 ? '<port>' : value;
    }
    if (Array.isArray(value)) {
      if (key === 'managedFields') return sortManagers(value).map((one) => walk(one, '', {}, holder));
      return value.map((one) => walk(one, '', {}, holder));
    }
    const object = inOrder(value as Record<string, unknown>);
    learn(object);
    if (object.type === 'BOOKMARK' && typeof object.object === 'object') bookmarks.add(object.object as object);
    if (isTable(object)) return walkTable(object);
    const result: { [key: string]: Json } = {};
    // In a fixed order, so that tokens get the same numbers whatever order a server writes its fields in.
    for (const name of Object.keys(object).sort()) {
      result[string(name)] = walk(object[name], name, object, holder);
    }
    return result;
  }

  interface Table extends Record<string, unknown> {
    kind: 'Table';
    columnDefinitions: { name: string }[];
    rows?: { cells: unknown[] }[];
  }

  function isTable(object: Record<string, unknown>): object is Table {
    return object.kind === 'Table' && Array.isArray(object.columnDefinitions);
  }

  function walkTable(table: Table): Json {
    const ages = new Set(table.columnDefinitions.flatMap(({ name }, index) => (name === 'Age' ? [index] : [])));
    const rows = table.rows?.map((row) => ({
      ...row,
      cells: row.cells.map((cell, index) => (ages.has(index) ? '<age>' : cell)),
    }));
    const { kind, ...rest } = { ...table, rows };
    return { kind, ...(walk(rest, '', {}, {}) as { [key: string]: Json }) };
  }

  return {
    value: (value) => walk(value, '', {}, {}),
    text: (text) =>
      string(text)
        .replace(/\b(\d+(h|m|s|ms))+\b/g, '<age>')
        .replace(/"?resourceVersion"?: ?"\d+"/g, 'resourceVersion: <rv>')
        // Column widths follow the values.
        .replace(/ {2,}/g, '  ')
        .replace(/[ \t]+$/gm, ''),
  };
}

/** Puts what a server reports in no order at all (it goes through Go maps) into one. */
function inOrder(object: Record<string, unknown>): Record<string, unknown> {
  const { message, details } = object as { message?: unknown; details?: { causes?: Cause[] } };
  if (typeof message !== 'string' || !details?.causes || details.causes.length < 2) return object;
  const causes = [...details.causes].sort((a, b) => (causeText(a) < causeText(b) ? -1 : 1));
  const [, head = '', list = ''] = /^(.*?: )(.*)$/s.exec(message) ?? [];
  // Conflicts of an apply come manager by manager.
  if (message.startsWith('Apply failed with ')) {
    const sorted =
      head +
      list
        .split(/\n(?=conflicts? with )/)
        .sort()
        .join('\n');
    return { ...object, message: sorted, details: { ...details, causes } };
  }
  // Faults of an object come field by field, first in the message and then in the causes.
  if (list === `[${details.causes.map(causeText).join(', ')}]`) {
    return { ...object, message: `${head}[${causes.map(causeText).join(', ')}]`, details: { ...details, causes } };
  }
  return { ...object, details: { ...details, causes } };
}

interface Cause {
  field?: string;
  message?: string;
}

function causeText({ field, message }: Cause): string {
  return `${field}: ${message}`;
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Servers sort managers by time first; entries of one second and of two would otherwise come in different orders. */
function sortManagers(entries: unknown[]): unknown[] {
  const key = (entry: unknown): string => {
    const { operation, manager, apiVersion, subresource } = entry as Record<string, string | undefined>;
    return [operation, manager, apiVersion, subresource].join(' ');
  };
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
