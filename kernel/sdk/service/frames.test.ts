import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFrameReader, encodeFrame, type Frame, MAX_FRAME_BYTES, openChannel } from './frames.ts';

const frames: Frame[] = [
  { type: 'hello', versions: [1], name: 'é漢😀' },
  { type: 'request', id: 1, method: 'a.b', params: { text: 'x'.repeat(100_000) }, deadlineMs: 5 },
  { type: 'ack', id: 1 },
  { type: 'response', id: 1, result: null },
  { type: 'stop' },
];

test('frames arrive whole and in order, however they are cut on the way', () => {
  const bytes = Buffer.concat(frames.map(encodeFrame));
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
      const received: Frame[] = [];
      const read = createFrameReader((frame) => received.push(frame));
      let from = 0;
      for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
        read(bytes.subarray(from, cut));
        from = cut;
      }
      expect(received).toEqual(frames);
    }),
    { numRuns: 50 },
  );
});

describe('what breaks the contract is refused', () => {
  const framed = (text: string) => {
    const body = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, body]);
  };
  test.each([
    ['no JSON', framed('{'), 'not JSON'],
    ['an unknown type', framed('{"type":"shout"}'), 'unknown type "shout"'],
    ['no type', framed('null'), 'unknown type undefined'],
    ['an inherited type', framed('{"__proto__":{"type":"ack"}}'), 'unknown type undefined'],
    ['an id that is no number', framed('{"type":"ack","id":"1"}'), 'an id that is no number'],
    ['a length beyond the limit', Buffer.from([0xff, 0xff, 0xff, 0xff]), 'too long'],
  ])('%s', (_, bytes, message) => {
    expect(() => createFrameReader(() => undefined)(bytes)).toThrow(message);
  });

  test('a frame too long to send', () => {
    const frame: Frame = { type: 'response', id: 1, result: 'x'.repeat(MAX_FRAME_BYTES) };
    expect(() => encodeFrame(frame)).toThrow('too long');
  });
});

test('a channel ends once, with the reason, and sends no more', async () => {
  const written: unknown[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk, _, done) {
      written.push(chunk);
      done();
    },
  });
  const ends: (Error | undefined)[] = [];
  const channel = openChannel(stream, { onFrame: () => undefined, onEnd: (error) => ends.push(error) });
  await channel.send({ type: 'stop' });
  stream.push(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  await new Promise((resolve) => stream.once('close', resolve));
  await channel.send({ type: 'stop' });
  channel.end();
  expect(ends).toEqual([expect.objectContaining({ message: expect.stringContaining('too long') })]);
  expect(written).toHaveLength(1);
});
