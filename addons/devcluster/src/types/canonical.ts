/**
 * The form in which the API server keeps and returns objects of built-in kinds: fields that hold their zero value are left out
 * or written out as the API's own types have it, quantities and times in their one form.
 */
import { type CompactField, compactType, fieldOf, typeNameOf } from './compact.ts';
import { isRecord, type Loose } from './loose.ts';
import { canonicalQuantity } from './quantity.ts';

const ZERO: Record<string, unknown> = {
  s: '',
  i: 0,
  l: 0,
  n: 0,
  b: false,
  q: '0',
  x: 0,
  t: null,
  T: null,
  B: null,
  o: null,
  a: null,
};

/** Written in an object's stead when a field has to be left out. */
const ABSENT = Symbol('absent');

function canonicalTime(value: unknown, micro: boolean): unknown {
  if (typeof value !== 'string' || value === '') return value === '' ? null : value;
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(value);
  if (!match) return value;
  const [, seconds, fraction = '.', zone] = match;
  const utc = zone === 'Z' ? seconds : new Date(`${seconds}${zone}`).toISOString().replace(/\.\d+Z$/, '');
  return micro ? `${utc}${fraction.padEnd(7, '0').slice(0, 7)}Z` : `${utc}Z`;
}

function scalar(value: unknown, letter: string): unknown {
  if (value === null || value === undefined) return ZERO[letter];
  if (letter === 'q') {
    return typeof value === 'string' || typeof value === 'number' ? (canonicalQuantity(value) ?? value) : value;
  }
  if (letter === 't' || letter === 'T') return canonicalTime(value, letter === 'T');
  return value;
}

/** A value of a type; nothing is left out here but by the fields of structs. */
function convert(value: unknown, type: string): unknown {
  switch (type[0]) {
    case '@':
      return isRecord(value) || value === null || value === undefined ? struct(value ?? {}, type.slice(1)) : value;
    case '[': {
      if (!Array.isArray(value)) return value ?? null;
      const item = type.slice(1);
      return value.map((one) => convert(one, item));
    }
    case '{': {
      if (!isRecord(value)) return value ?? null;
      const item = type.slice(1);
      const result: Loose = {};
      for (const key in value) result[key] = convert(value[key], item);
      return result;
    }
    default:
      return scalar(value, type);
  }
}

function field(value: unknown, { t, z, p, o }: CompactField): unknown {
  const first = t[0]!;
  const given = value !== undefined && value !== null;
  if (first === '@') {
    // A struct that is no pointer is always there, in the form of its zero value if need be.
    if (!given && !z) return ABSENT;
    const result = convert(value, t);
    return o && isRecord(result) && Object.keys(result).length === 0 ? ABSENT : result;
  }
  if (first === '[' || first === '{') {
    const empty =
      !given || (Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0);
    // An empty list is kept nowhere: what is written out of it is that there is none.
    if (empty) return z ? null : ABSENT;
    return convert(value, t);
  }
  if (!given) return z ? ZERO[t] : ABSENT;
  const result = scalar(value, t);
  if (z || p || t === 'o' || t === 'a' || t === 'q' || t === 'x') return result;
  return result === ZERO[t] || result === null || (t === 'B' && result === '') ? ABSENT : result;
}

function struct(object: Loose, name: string): Loose {
  const { f } = compactType(name);
  const result: Loose = {};
  for (const key in f) {
    const value = field(object[key], fieldOf(f[key]!));
    if (value !== ABSENT) result[key] = value;
  }
  return result;
}

/**
 * The canonical form of an object of a built-in kind; a new object, fields that the kind does not have are left out.
 * @returns undefined for a kind that is not built in.
 */
export function canonicalObject(group: string, version: string, kind: string, object: Loose): Loose | undefined {
  const name = typeNameOf(group, version, kind);
  return name === undefined ? undefined : struct(object, name);
}
