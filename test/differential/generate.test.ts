import { expect, test } from 'vitest';
import { generateSequence, type Operation } from './generate.ts';
import { sequenceSeed } from './random.ts';
import { shrink } from './shrink.ts';

const many = Array.from({ length: 500 }, (_, index) => generateSequence(sequenceSeed(1, index)));

test('a seed gives the same sequence every time, and seeds differ', () => {
  expect(generateSequence(12345)).toEqual(generateSequence(12345));
  expect(new Set(many.map((sequence) => JSON.stringify(sequence))).size).toBe(many.length);
});

test('sequences go over every kind, every operation, both ways of failing and both subresources', () => {
  const all = many.flat();
  const seen = (pick: (operation: Operation) => unknown): Set<unknown> => new Set(all.map(pick));
  expect(seen((one) => one.kind).size).toBe(4);
  expect([...seen((one) => one.op)].sort()).toEqual(
    ['apply', 'create', 'delete', 'get', 'json', 'list', 'merge', 'scale', 'strategic', 'update'].sort(),
  );
  expect([...seen((one) => one.subresource)].sort()).toEqual(['scale', 'status', undefined].sort());
  expect(seen((one) => one.version)).toContain('stale');
  expect(seen((one) => one.force)).toContain(true);
  expect(seen((one) => one.dryRun)).toContain(true);
});

test('the first operation makes an object, and what is printed is what is sent', () => {
  for (const sequence of many) {
    expect(['create', 'apply']).toContain(sequence[0]?.op);
    expect(JSON.parse(JSON.stringify(sequence))).toEqual(sequence);
  }
});

test('shrinking leaves only what the failure needs', async () => {
  const [sequence] = many;
  const culprit: Operation = {
    op: 'merge',
    kind: 'ConfigMap',
    name: 'a',
    manager: 'one',
    body: { data: { a: '1', guilty: 'x' }, metadata: { labels: { x: '1' } } },
  };
  const operations = [...(sequence ?? []), culprit, ...(many[1] ?? [])];
  const isGuilty = (one: Operation): boolean => JSON.stringify(one.body ?? '').includes('guilty');
  const small = await shrink(operations, async (candidate) => candidate.some(isGuilty));
  expect(small).toEqual([{ ...culprit, body: { data: { guilty: 'x' }, metadata: {} } }]);
});
