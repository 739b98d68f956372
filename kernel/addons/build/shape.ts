/** Checks a YAML document against a shape and tells every fault with its place. For `addon.yaml` and its like. */
import type { ErrorCode, Fault, Place } from '@lateen/schemas';
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';

/** Says what is wrong with a value, or nothing: `expected` completes "expected …". */
export interface Shape {
  expected: string;
  check(value: unknown, at: Cursor): void;
}

/** Where a check stands, and where it puts what it finds. */
export interface Cursor {
  readonly path: readonly (string | number)[];
  child(key: string | number): Cursor;
  fault(message: string, more?: { expected?: string; hint?: string }): void;
}

function pathText(path: readonly (string | number)[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

/** A text, for which `holds` is true where it is given. */
export function text(expected: string, holds: (text: string) => boolean = () => true): Shape {
  return {
    expected,
    check(value, at) {
      if (typeof value !== 'string' || !holds(value)) {
        at.fault(`${pathText(at.path)} is ${JSON.stringify(value)}`, { expected });
      }
    },
  };
}

export function list(items: Shape): Shape {
  return {
    expected: `a list of: ${items.expected}`,
    check(value, at) {
      if (!Array.isArray(value)) return at.fault(`${pathText(at.path)} is not a list`, { expected: this.expected });
      for (const [index, item] of value.entries()) items.check(item, at.child(index));
    },
  };
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A map from names that fit `keys` to values that fit `values`. */
export function map(keys: Shape, values: Shape): Shape {
  return {
    expected: `a map from ${keys.expected} to ${values.expected}`,
    check(value, at) {
      if (!isPlainMap(value)) return at.fault(`${pathText(at.path)} is not a map`, { expected: this.expected });
      for (const [key, item] of Object.entries(value)) {
        keys.check(key, at.child(key));
        values.check(item, at.child(key));
      }
    },
  };
}

/** A map with these fields and no others. */
export function fields(required: Record<string, Shape>, optional: Record<string, Shape> = {}): Shape {
  const all = new Map(Object.entries({ ...required, ...optional }));
  return {
    expected: `a map with ${[...all.keys()].join(', ')}`,
    check(value, at) {
      const where = at.path.length === 0 ? 'the document' : pathText(at.path);
      if (!isPlainMap(value)) return at.fault(`${where} is not a map`, { expected: this.expected });
      for (const [key, shape] of Object.entries(required)) {
        if (!Object.hasOwn(value, key)) at.fault(`${where} has no "${key}"`, { expected: shape.expected });
      }
      for (const [key, item] of Object.entries(value)) {
        const shape = all.get(key);
        if (shape) shape.check(item, at.child(key));
        else at.child(key).fault(`${where} has an unknown field "${key}"`, { expected: [...all.keys()].join(', ') });
      }
    },
  };
}

/** Any map: its content is checked elsewhere. */
export const anyMap: Shape = {
  expected: 'a map',
  check(value, at) {
    if (!isPlainMap(value)) at.fault(`${pathText(at.path)} is not a map`);
  },
};

/** The innermost node that the path leads to; the key's node for a field, so that an unknown field is pointed at. */
function nodeAt(document: Document, path: readonly (string | number)[]): Node | undefined {
  let node: unknown = document.contents;
  let nearest = isNode(node) ? node : undefined;
  for (const [index, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (!pair) break;
      node = pair.value;
      const isLast = index === path.length - 1;
      const shown = isLast && isScalar(node) ? node : pair.key;
      if (isNode(shown)) nearest = shown;
      continue;
    }
    node = isNode(node) ? document.getIn(path.slice(0, index + 1), true) : undefined;
    if (!isNode(node)) break;
    nearest = node;
  }
  return nearest;
}

const MAX_TEXT = 1024 * 1024;

/** A YAML document, its value and a way to say where a path stands in it. */
export interface ReadDocument {
  value: unknown;
  faults: Fault[];
  placeOf(path: readonly (string | number)[]): Place;
}

/**
 * Reads one YAML document and checks it.
 * @param file how the file is called in faults.
 * @param code the code of faults that are about the shape; faults of the syntax are LTN101 and LTN103.
 */
export function readShaped(yaml: string, file: string, shape: Shape, code: ErrorCode): ReadDocument {
  const placeOfFile = (): Place => ({ file });
  if (yaml.length > MAX_TEXT) {
    const message = `the file is longer than ${MAX_TEXT} characters`;
    return {
      value: undefined,
      faults: [{ code: 'LTN102', severity: 'error', message, place: { file } }],
      placeOf: placeOfFile,
    };
  }
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const placeAt = (offset: number | undefined): Place => {
    if (offset === undefined) return { file };
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const placeOf = (path: readonly (string | number)[]) => placeAt(nodeAt(document, path)?.range?.[0]);
  if (document.errors.length > 0) {
    const faults = document.errors.map(
      (error): Fault => ({
        code: error.code === 'DUPLICATE_KEY' ? 'LTN103' : 'LTN101',
        severity: 'error',
        message: error.message,
        place: placeAt(error.pos[0]),
      }),
    );
    return { value: undefined, faults, placeOf };
  }
  const faults: Fault[] = [];
  const cursor = (path: readonly (string | number)[]): Cursor => ({
    path,
    child: (key) => cursor([...path, key]),
    fault(message, { expected, hint } = {}) {
      const fault: Fault = { code, severity: 'error', message, place: placeOf(path), path: pathText(path) };
      if (expected !== undefined) fault.expected = expected;
      if (hint !== undefined) fault.hint = hint;
      faults.push(fault);
    },
  });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    const message = `the file refers to itself too often: ${(error as Error).message}`;
    return { value, faults: [{ code: 'LTN102', severity: 'error', message, place: { file } }], placeOf };
  }
  shape.check(value, cursor([]));
  return { value, faults, placeOf };
}
