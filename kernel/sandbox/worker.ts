/** Entry file of the sandbox worker: runs calls in the order in which they come and sends the answers back. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { createBundles, failureOf } from './bundles.ts';
import { createEngine } from './engine.ts';
import {
  type CallMessage,
  type FromWorker,
  type ResultMessage,
  Shared,
  type ToWorker,
  type WorkerData,
} from './protocol.ts';

/** Answers are held back for at most this long, so that many fast calls share a message. Milliseconds. */
const BATCH_MS = 1;

const port = parentPort;
if (!port) throw new Error('this file runs in a worker thread');
const { module, shared, givesImages } = workerData as WorkerData;
const words = new Int32Array(shared);
const bundles = createBundles(createEngine(module), {
  onStart: () => Atomics.add(words, Shared.starts, 1),
  ...(givesImages && {
    onImage: (bundle: string, image: Uint8Array<ArrayBuffer>) =>
      port.postMessage({ type: 'image', bundle, image } satisfies FromWorker, [image.buffer]),
  }),
});

function run({ sequence, bundle, request, deadlineMs }: CallMessage): ResultMessage {
  Atomics.store(words, Shared.sequence, sequence);
  try {
    return { sequence, answer: bundles.call(bundle, request, deadlineMs) };
  } catch (error) {
    return { sequence, failed: failureOf(error) };
  } finally {
    Atomics.store(words, Shared.sequence, 0);
  }
}

function send(message: FromWorker): void {
  port?.postMessage(message);
}

function runAll(calls: readonly CallMessage[]): void {
  let results: ResultMessage[] = [];
  let since = performance.now();
  for (const call of calls) {
    results.push(run(call));
    if (performance.now() - since < BATCH_MS) continue;
    send({ type: 'results', results });
    results = [];
    since = performance.now();
  }
  if (results.length > 0) send({ type: 'results', results });
}

/** Milliseconds that the thread waits for more before it goes to sleep: waking it from there is faster. */
const LINGER_MS = 20;

function handle(message: ToWorker): void {
  switch (message.type) {
    case 'load':
      bundles.load(message.bundle, message.code, message.limits, message.image);
      break;
    case 'unload':
      bundles.unload(message.bundle);
      break;
    case 'calls':
      runAll(message.calls);
      break;
    case 'stats':
      send({ type: 'stats', sequence: message.sequence, memory: bundles.memory() });
      break;
  }
}

port.on('message', (first: ToWorker) => {
  handle(first);
  for (;;) {
    const mail = Atomics.load(words, Shared.mail);
    const next = receiveMessageOnPort(port) as { message: ToWorker } | undefined;
    if (next) handle(next.message);
    else if (Atomics.wait(words, Shared.mail, mail, LINGER_MS) === 'timed-out') return;
  }
});
