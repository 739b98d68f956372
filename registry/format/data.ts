/** Reads JSON that comes from elsewhere, as data that can reach no prototype and end no stack. */

const MAX_DEPTH = 64;

/**
 * @returns the value, or why it is not accepted: `problem` completes the sentence "the file …".
 */
export function parseData(text: string): { value: unknown; problem?: undefined } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'is not JSON' };
  }
  const problem = problemOf(value, 0);
  return problem === undefined ? { value } : { problem };
}

function problemOf(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= MAX_DEPTH) return `is nested more than ${MAX_DEPTH} levels deep`;
  for (const key of Object.keys(value)) {
    if (key === '__proto__') return 'has a key "__proto__"';
    const problem = problemOf((value as Record<string, unknown>)[key], depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
