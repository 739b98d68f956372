/** Reads what a bundle answered. The text comes from addon code: every property of the value is still to be checked. */
import { GuestError } from './guest-error.ts';

/** Deeper than any Kubernetes object, and far from the end of any stack that walks the answer later. */
const MAX_DEPTH = 100;

/**
 * Parses an answer as plain data: no prototypes, getters or functions can come out of JSON text, and a key
 * `__proto__`, which would reach a prototype as soon as somebody copies the object by assignment, is refused.
 * @throws GuestError `bad-answer`
 */
export function parseAnswer(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GuestError('bad-answer', 'the answer is not JSON');
  }
  check(value, 0);
  return value;
}

function check(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) throw new GuestError('bad-answer', `the answer is nested more than ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) {
    for (const element of value) check(element, depth + 1);
    return;
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new GuestError('bad-answer', 'the answer has a key "__proto__"');
    check((value as Record<string, unknown>)[key], depth + 1);
  }
}
