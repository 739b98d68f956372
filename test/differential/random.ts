/** Random choices that a seed repeats exactly. */

export interface Random {
  /** A whole number from 0 to `below` - 1. */
  int(below: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** One of several, the more often the greater its weight. */
  weighted<T>(from: readonly (readonly [weight: number, value: T])[]): T;
  /** Each element with this probability, in order. */
  some<T>(from: readonly T[], probability?: number): T[];
}

/** A 32-bit seed for sequence `index` of run `seed`. */
export function sequenceSeed(seed: number, index: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const part of [seed, index]) {
    for (let shift = 0; shift < 32; shift += 8) {
      hash ^= (part >>> shift) & 0xff;
      hash = Math.imul(hash, 0x01000193) >>> 0;
    }
  }
  return hash >>> 0;
}

/** A generator (mulberry32) whose choices depend on the seed alone. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    chance: (probability) => next() < probability,
    pick: (from) => from[int(from.length)]!,
    weighted(from) {
      let left = next() * from.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of from) {
        left -= weight;
        if (left < 0) return value;
      }
      return from[from.length - 1]![1];
    },
    some: (from, probability = 0.5) => from.filter(() => next() < probability),
  };
}
