/** Writes what an author's code returns as JSON text, or says where it cannot be written. */

/** Thrown when an answer is not plain data. The sandbox knows it by its name. */
export class NotPlainData extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotPlainData';
  }
}

const MAX_DEPTH = 200;

/** Whether the text that is being written may differ from what the author meant. */
let isDoubtful = false;

/** Looks at each value while it is written: on the engine of the sandbox that takes half the time of a walk before. */
function look(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === 'string') return value;
  if (typeof value === 'object') {
    if (value === null || Array.isArray(value)) return value;
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) isDoubtful = true;
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) isDoubtful = true;
  } else if (typeof value === 'undefined') {
    if (Array.isArray(this)) isDoubtful = true;
  } else if (typeof value !== 'boolean') {
    isDoubtful = true;
  }
  return value;
}

/**
 * `value` as JSON text: `undefined` fields and elements are dropped; what JSON cannot hold (functions, symbols,
 * BigInt, NaN, class instances, cycles) is an error that names its path.
 * @throws {NotPlainData}
 */
export function jsonOf(value: unknown): string {
  isDoubtful = false;
  let text: string | undefined;
  try {
    text = JSON.stringify(value, look);
  } catch {
    isDoubtful = true;
  }
  if (!isDoubtful && text !== undefined) return text;
  const copied = JSON.stringify(plain(value)) as string | undefined;
  if (copied === undefined) throw new NotPlainData('the answer is undefined');
  return copied;
}

/**
 * A copy of `value` as plain JSON data: `undefined` fields and elements are dropped; what JSON cannot hold
 * (functions, symbols, BigInt, NaN, class instances, cycles) is an error that names its path.
 * @throws {NotPlainData}
 */
function plain(value: unknown): unknown {
  return copy(value, [], 0);
}

function describe(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  return `an instance of ${typeof name === 'string' ? name : 'a class'}`;
}

function refuse(value: unknown, path: readonly (string | number)[]): never {
  const text = path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`));
  throw new NotPlainData(`${text.join('') || 'the answer'} is ${describe(value)}, which JSON cannot hold`);
}

function copy(value: unknown, path: (string | number)[], depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : refuse(value, path);
    case 'object':
      break;
    default:
      return refuse(value, path);
  }
  if (value === null) return null;
  if (depth > MAX_DEPTH) throw new NotPlainData('the answer contains itself or is nested too deeply');
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (let index = 0; index < value.length; index++) {
      path.push(index);
      const element = copy(value[index], path, depth + 1);
      path.pop();
      if (element !== undefined) list.push(element);
    }
    return list;
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return copy(toJSON.call(value, String(path.at(-1) ?? '')), path, depth + 1);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return refuse(value, path);
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    path.push(key);
    const field = copy((value as Record<string, unknown>)[key], path, depth + 1);
    path.pop();
    if (field === undefined) continue;
    // Assignment to `__proto__` would set the prototype; a definition makes it a field like any other.
    if (key === '__proto__') Object.defineProperty(result, key, { value: field, enumerable: true, writable: true });
    else result[key] = field;
  }
  return result;
}
