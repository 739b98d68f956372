/**
 * The service contract: what the kernel and a service of an addon say to each other. This file is the whole of it and
 * both ends use it.
 *
 * Transport: one duplex byte stream. For a child process it is file descriptor 3 (a socket pair), so that whatever a
 * service or its libraries print goes to standard output and error and never into the contract. When the stream
 * ends, the kernel is gone, and the service ends.
 *
 * Framing: four bytes of length, big-endian, then that many bytes of JSON in UTF-8; {@link MAX_FRAME_BYTES} at most.
 *
 * Course: the kernel says `hello` with the versions that it speaks; the service answers with the one it takes, and
 * what it contributes. Then the kernel sends requests, many at once. A service acknowledges a request as soon as it has read it,
 * so that one that works long is told from one that hangs, and answers it in any order. Deadlines travel as time that
 * is left: the two clocks need not agree. A cancelled request is still answered, mostly with an error.
 */
import type { Duplex } from 'node:stream';
import type { Fault, Json } from '@lateen/schemas';

export const PROTOCOL_VERSIONS: readonly number[] = [1];
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;
/** The descriptor of the stream in a child process. */
export const SERVICE_FD = 3;

export interface FrameError {
  message: string;
  /** Where the error is one that Lateen's catalogue knows. */
  faults?: Fault[];
}

export type Frame =
  | { type: 'hello'; versions: number[]; name: string }
  | { type: 'welcome'; version: number; contributes: string[] }
  | { type: 'request'; id: number; method: string; params: Json; deadlineMs: number }
  | { type: 'ack'; id: number }
  | { type: 'response'; id: number; result: Json }
  | { type: 'failure'; id: number; error: FrameError }
  | { type: 'cancel'; id: number }
  | { type: 'ping'; id: number }
  | { type: 'pong'; id: number }
  /** The service stops what it runs and ends. */
  | { type: 'stop' };

const TYPES: ReadonlySet<unknown> = new Set<Frame['type']>([
  'hello',
  'welcome',
  'request',
  'ack',
  'response',
  'failure',
  'cancel',
  'ping',
  'pong',
  'stop',
]);

/** The other end broke the contract: the stream cannot be read any further. */
export class ProtocolError extends Error {}

/** A frame as bytes. @throws ProtocolError when it is longer than may be sent. */
export function encodeFrame(frame: Frame): Uint8Array {
  const body = Buffer.from(JSON.stringify(frame), 'utf8');
  if (body.length > MAX_FRAME_BYTES) throw new ProtocolError(`a frame of ${body.length} bytes is too long`);
  const bytes = Buffer.allocUnsafe(4 + body.length);
  bytes.writeUInt32BE(body.length, 0);
  body.copy(bytes, 4);
  return bytes;
}

/** Puts frames together from the pieces in which they arrive. */
export function createFrameReader(onFrame: (frame: Frame) => void): (chunk: Uint8Array) => void {
  let parts: Buffer[] = [];
  let have = 0;
  const take = (bytes: number): Buffer => {
    const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    const rest = all.subarray(bytes);
    parts = rest.length > 0 ? [rest] : [];
    have -= bytes;
    return all.subarray(0, bytes);
  };
  let expected: number | undefined;
  return (chunk) => {
    parts.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    have += chunk.byteLength;
    for (;;) {
      if (expected === undefined) {
        if (have < 4) return;
        expected = take(4).readUInt32BE(0);
        if (expected > MAX_FRAME_BYTES) throw new ProtocolError(`a frame of ${expected} bytes is too long`);
      }
      if (have < expected) return;
      const body = take(expected);
      expected = undefined;
      onFrame(parseFrame(body));
    }
  };
}

function parseFrame(body: Buffer): Frame {
  let frame: unknown;
  try {
    frame = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ProtocolError('a frame is not JSON');
  }
  const { type, id } = (frame ?? {}) as { type?: unknown; id?: unknown };
  if (!TYPES.has(type)) throw new ProtocolError(`a frame has the unknown type ${JSON.stringify(type)}`);
  if (id !== undefined && !Number.isSafeInteger(id)) throw new ProtocolError('a frame has an id that is no number');
  return frame as Frame;
}

/** One end of the contract over a stream. */
export interface Channel {
  /** Resolves when the stream takes more: who sends much waits for it. Does nothing once the stream has ended. */
  send(frame: Frame): Promise<void>;
  end(): void;
}

export interface ChannelHandlers {
  onFrame(frame: Frame): void;
  /** Once; with an error when the other end broke the contract or the stream failed. */
  onEnd(error?: Error): void;
}

export function openChannel(stream: Duplex, handlers: ChannelHandlers): Channel {
  let isOpen = true;
  const finish = (error?: Error) => {
    if (!isOpen) return;
    isOpen = false;
    stream.destroy();
    handlers.onEnd(error);
  };
  const read = createFrameReader(handlers.onFrame);
  stream.on('data', (chunk: Buffer) => {
    if (!isOpen) return;
    try {
      read(chunk);
    } catch (error) {
      finish(error as Error);
    }
  });
  stream.on('end', () => finish());
  stream.on('close', () => finish());
  stream.on('error', (error: Error) => finish(error));
  return {
    send(frame) {
      if (!isOpen) return Promise.resolve();
      const bytes = encodeFrame(frame);
      return new Promise((resolve) => {
        stream.write(bytes, () => resolve());
      });
    },
    end: () => finish(),
  };
}
