/** Free TCP ports on loopback. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const given = new Set<number>();

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A port that nobody listens on now. It lies below the range from which systems serve outgoing connections, so that
 * none of those takes it before the server starts.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = randomInt(15_000, 32_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error('no free port between 15000 and 32000 on 127.0.0.1');
}
