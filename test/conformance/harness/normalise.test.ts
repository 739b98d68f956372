import { expect, test } from 'vitest';
import { differences } from './compare.ts';
import { createNormaliser } from './normalise.ts';

const fresh = (words: Record<string, string> = {}): ReturnType<typeof createNormaliser> => createNormaliser({ words });
const uid = (digit: string): string =>
  `${digit.repeat(8)}-${digit.repeat(4)}-4${digit.repeat(3)}-8${digit.repeat(3)}-${digit.repeat(12)}`;

test('versions and uids get numbers by first appearance, so that sameness still shows', () => {
  const one = fresh();
  const object = (version: string): object => ({ metadata: { uid: uid('a'), resourceVersion: version } });
  expect(one.value(object('17'))).toEqual({ metadata: { uid: '<uid-1>', resourceVersion: '<rv-1>' } });
  expect(one.value(object('21'))).toEqual({ metadata: { uid: '<uid-1>', resourceVersion: '<rv-2>' } });
  expect(one.value(object('17'))).toEqual({ metadata: { uid: '<uid-1>', resourceVersion: '<rv-1>' } });
  expect(one.value(`about ${uid('b')} and ${uid('a')}`)).toBe('about <uid-2> and <uid-1>');
});

test('the order of fields does not change the numbering', () => {
  const first = fresh().value({ b: { uid: uid('b') }, a: { uid: uid('a') } });
  const second = fresh().value({ a: { uid: uid('c') }, b: { uid: uid('d') } });
  expect(first).toEqual(second);
});

test('generated names are learned from their objects and replaced wherever they appear later', () => {
  const one = fresh();
  expect(one.value({ metadata: { generateName: 'job-', name: 'job-x4k2z' } })).toEqual({
    metadata: { generateName: 'job-', name: 'job-<generated-1>' },
  });
  expect(one.value('deleted job-x4k2z')).toBe('deleted job-<generated-1>');
});

test('times, ages and addresses become tokens, and their kind stays visible', () => {
  expect(fresh().value({ a: '2024-01-02T03:04:05Z', b: '2024-01-02T03:04:05.000006Z' })).toEqual({
    a: '<time>',
    b: '<microtime>',
  });
  expect(fresh().text('web   1/1   5m3s\n')).toBe('web  1/1  <age>\n');
  expect(fresh().value({ spec: { clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'] } })).toEqual({
    spec: { clusterIP: '<ip-1>', clusterIPs: ['<ip-1>'] },
  });
});

test('managers are compared in one order, whatever their times', () => {
  const entry = (manager: string): object => ({ manager, operation: 'Update', time: '2024-01-01T00:00:00Z' });
  const value = (...managers: string[]): unknown => fresh().value({ managedFields: managers.map(entry) });
  expect(value('b', 'a')).toEqual(value('a', 'b'));
});

test('causes that a server reports in any order are compared in one, their message too', () => {
  const status = (...names: string[]): object => ({
    message: `X "x" is invalid: [${names.map((name) => `${name}: Required value`).join(', ')}]`,
    details: { causes: names.map((field) => ({ field, message: 'Required value' })) },
  });
  expect(fresh().value(status('a', 'b'))).toEqual(fresh().value(status('b', 'a')));
  expect(fresh().value(status('a', 'b'))).not.toEqual(fresh().value(status('a', 'c')));
});

test('differences name the deepest places', () => {
  expect(differences({ a: [1, { b: 2 }], c: 3 }, { a: [1, { b: 9 }], d: 4 })).toEqual([
    { path: 'a[1].b', real: 2, ours: 9 },
    { path: 'c', real: 3, ours: undefined },
    { path: 'd', real: undefined, ours: 4 },
  ]);
  expect(differences({ a: [1] }, { a: [1] })).toEqual([]);
});
