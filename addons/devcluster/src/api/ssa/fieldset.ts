/**
 * Sets of field paths: who owns what. A path's elements are written as in managedFields: `f:name` for a field, `k:{"name":"x"}`
 * for an item of a list with keys, `v:"x"` for an item of a set.
 */
import type { Loose } from '../types.ts';

const NO_MEMBERS: ReadonlySet<string> = new Set();
const NO_CHILDREN: ReadonlyMap<string, FieldSet> = new Map();

/** Paths as a tree. `members` are paths that end here; `children` go on below. Never changed once shared. */
export class FieldSet {
  #members: Set<string> | undefined;
  #children: Map<string, FieldSet> | undefined;
  #json: Loose | undefined;

  get members(): ReadonlySet<string> {
    return this.#members ?? NO_MEMBERS;
  }
  get children(): ReadonlyMap<string, FieldSet> {
    return this.#children ?? NO_CHILDREN;
  }
  get empty(): boolean {
    return this.#members === undefined && this.#children === undefined;
  }

  /** Only while the set is being built. */
  add(element: string): void {
    this.#members ??= new Set();
    this.#members.add(element);
  }

  /** Only while the set is being built; an empty child is not kept. */
  put(element: string, child: FieldSet): void {
    if (child.empty) return;
    this.#children ??= new Map();
    this.#children.set(element, child);
  }

  has(element: string): boolean {
    return this.#members?.has(element) ?? false;
  }

  child(element: string): FieldSet | undefined {
    return this.#children?.get(element);
  }

  /** `fieldsV1`, its fields in the server's order. The object is kept and shared: never change it. */
  toJson(): Loose {
    if (this.#json) return this.#json;
    const elements = [...this.members];
    for (const element of this.children.keys()) if (!this.has(element)) elements.push(element);
    elements.sort(compareElements);
    const json: Loose = {};
    for (const element of elements) {
      const child = this.child(element);
      if (!child) json[element] = {};
      else json[element] = this.has(element) ? { '.': {}, ...child.toJson() } : child.toJson();
    }
    this.#json = json;
    return json;
  }
}

export const EMPTY = new FieldSet();

/** Reads `fieldsV1`. @throws Error when it is not an object of objects */
export function parseFields(json: unknown): FieldSet {
  const set = new FieldSet();
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('fieldsV1 must be an object');
  for (const [key, value] of Object.entries(json)) {
    if (key === '.') continue;
    if (!/^[fkvi]:/.test(key)) continue;
    const element = key[0] === 'k' ? canonicalKey(key) : key;
    const nested = parseFields(value);
    if (nested.empty || Object.hasOwn(value as object, '.')) set.add(element);
    set.put(element, nested);
  }
  return set;
}

/** Keys of list items with their fields in order, so that equal keys are equal text. */
function canonicalKey(key: string): string {
  const value = JSON.parse(key.slice(2)) as Loose;
  return `k:{${Object.keys(value)
    .sort()
    .map((name) => `${goJson(name)}:${goJson(value[name])}`)
    .join(',')}}`;
}

/** JSON text as Go writes it: `<`, `>`, `&` escaped. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value);
  return /[<>&\u2028\u2029]/.test(text)
    ? text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : text;
}

const RANK: Record<string, number> = { boolean: 2, number: 0, string: 1 };

function compareValues(a: unknown, b: unknown): number {
  if (typeof a !== typeof b) return (RANK[typeof a] ?? 3) - (RANK[typeof b] ?? 3);
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

/** The order of path elements: fields, keys, values, indices; each by content. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  const kind = a[0]!;
  if (kind !== b[0]) return kind < b[0]! ? -1 : 1;
  if (kind === 'f') return a < b ? -1 : 1;
  if (kind === 'i') return Number(a.slice(2)) - Number(b.slice(2));
  const left = JSON.parse(a.slice(2)) as Loose;
  const right = JSON.parse(b.slice(2)) as Loose;
  if (kind === 'v') return compareValues(left, right);
  const leftNames = Object.keys(left);
  const rightNames = Object.keys(right);
  for (let i = 0; i < leftNames.length && i < rightNames.length; i++) {
    const name = leftNames[i]!;
    if (name !== rightNames[i]) return name < rightNames[i]! ? -1 : 1;
    const order = compareValues(left[name], right[name]);
    if (order !== 0) return order;
  }
  return leftNames.length - rightNames.length;
}

/** Whether two sets hold the same paths. */
export function equal(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.members.size !== b.members.size || a.children.size !== b.children.size) return false;
  for (const element of a.members) if (!b.has(element)) return false;
  for (const [element, child] of a.children) {
    const other = b.child(element);
    if (!other || !equal(child, other)) return false;
  }
  return true;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || b.empty) return a;
  if (a.empty) return b;
  const result = new FieldSet();
  for (const element of a.members) result.add(element);
  for (const element of b.members) result.add(element);
  for (const [element, child] of a.children) {
    const other = b.child(element);
    result.put(element, other ? union(child, other) : child);
  }
  for (const [element, child] of b.children) if (!a.child(element)) result.put(element, child);
  return result;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || a.empty) return a;
  if (b.empty) return b;
  const result = new FieldSet();
  for (const element of a.members) if (b.has(element)) result.add(element);
  for (const [element, child] of a.children) {
    const other = b.child(element);
    if (other) result.put(element, intersection(child, other));
  }
  return result;
}

/** Paths of `a` that are not in `b`; a path's end in `b` does not take away what is below it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (a.empty || b.empty) return a;
  const result = new FieldSet();
  for (const element of a.members) if (!b.has(element)) result.add(element);
  for (const [element, child] of a.children) {
    const other = b.child(element);
    result.put(element, other ? difference(child, other) : child);
  }
  return result;
}

/** Paths of `a` without those of `b` and everything below them. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (a.empty || b.empty) return a;
  const result = new FieldSet();
  for (const element of a.members) if (!b.has(element)) result.add(element);
  for (const [element, child] of a.children) {
    if (b.has(element)) continue;
    const other = b.child(element);
    result.put(element, other ? recursiveDifference(child, other) : child);
  }
  return result;
}

/** A set of field paths given by names. */
export function fieldPaths(paths: readonly string[][]): FieldSet {
  const tree = (list: readonly string[][]): FieldSet => {
    const set = new FieldSet();
    for (const name of new Set(list.map((path) => path[0]!))) {
      const rest = list.filter((path) => path[0] === name).map((path) => path.slice(1));
      if (rest.some((path) => path.length === 0)) set.add(`f:${name}`);
      set.put(`f:${name}`, tree(rest.filter((path) => path.length > 0)));
    }
    return set;
  };
  return tree(paths);
}

const shown = (value: unknown): string => JSON.stringify(value);

/** One element as messages show it: `.spec`, `[name="x"]`, `[="x"]`. */
function elementText(element: string): string {
  const rest = element.slice(2);
  if (element[0] === 'f') return `.${rest}`;
  if (element[0] === 'i') return `[${rest}]`;
  const value = JSON.parse(rest) as Loose;
  if (element[0] === 'v') return `[=${shown(value)}]`;
  return `[${Object.keys(value)
    .map((name) => `${name}=${shown(value[name])}`)
    .join(',')}]`;
}

/** All paths as messages show them: `.spec.containers[name="x"].image`; ends of paths first, then what goes on below. */
export function pathTexts(set: FieldSet, prefix = ''): string[] {
  const result: string[] = [];
  for (const element of [...set.members].sort(compareElements)) result.push(prefix + elementText(element));
  for (const element of [...set.children.keys()].sort(compareElements)) {
    result.push(...pathTexts(set.child(element)!, prefix + elementText(element)));
  }
  return result;
}
