/** Runs a sequence on a server and keeps what it answers. */
import type { Answer, CallOptions, Connection } from '../conformance/harness/connection.ts';
import { apiPath, PATCH_TYPES } from '../conformance/harness/context.ts';
import { createNormaliser, type Json } from '../conformance/harness/normalise.ts';
import type { Operation } from './generate.ts';
import { KINDS, THING_CRD, THING_GROUP } from './kinds.ts';

export interface Outcome {
  /** One entry for each operation, then the end state of each object. */
  answers: { [key: string]: Json }[];
}

export const NAMESPACE = 'differential';

/** Creates the namespace and the custom resource that sequences use. */
export async function prepareServer(connection: Connection): Promise<void> {
  await connection.call('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
  });
  await connection.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: THING_CRD });
  const things = `/apis/${THING_GROUP}/v1/namespaces/${NAMESPACE}/things`;
  await poll('the custom resource is served', async () => (await connection.call('GET', things)).status === 200);
  // A real garbage collector looks for new kinds every 30 s; sequences begin when it knows this one.
  const probe = { apiVersion: `${THING_GROUP}/v1`, kind: 'Thing', metadata: { name: 'probe' } };
  await connection.call('POST', things, { body: probe });
  await connection.call('DELETE', `${things}/probe?propagationPolicy=Foreground`);
  await collected(connection, `${things}/probe`);
}

async function poll(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 90_000; Date.now() < deadline; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited 90 s in vain until ${what}`);
}

/** Waits until the garbage collector has done its part of a deletion, which it does in its own time. */
async function collected(connection: Connection, path: string): Promise<void> {
  await poll(`${path} is collected`, async () => {
    const { status, body } = await connection.call('GET', path);
    const finalizers: string[] = body?.metadata?.finalizers ?? [];
    return status !== 200 || !finalizers.some((one) => one === 'orphan' || one === 'foregroundDeletion');
  });
}

/** Of several unknown fields in an applied body a real server names any one. */
function oneOfSeveral(body: Answer['body']): unknown {
  if (typeof body?.message !== 'string') return body;
  return {
    ...body,
    message: body.message.replace(/: \S+: field not declared in schema$/, ': FIELD: field not declared in schema'),
  };
}

/** Puts the run's own name in place of each `metadata.name`. */
function rename(body: unknown, to: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const object = body as { metadata?: { name?: string } };
  if (!object.metadata?.name) return body;
  return { ...object, metadata: { ...object.metadata, name: to } };
}

/**
 * Runs the operations in turn. `prefix` makes names unique on the server and does not show in the outcome. Deletes what
 * it made.
 */
export async function runSequence(connection: Connection, operations: Operation[], prefix: string): Promise<Outcome> {
  const normaliser = createNormaliser({ words: { [`${prefix}-`]: '', [new URL(connection.url).host]: 'SERVER' } });
  const versions = new Map<string, string[]>();
  const answers: Outcome['answers'] = [];

  const collection = (operation: Operation): string => {
    const kind = KINDS[operation.kind];
    return `${apiPath(kind.apiVersion)}/namespaces/${NAMESPACE}/${kind.resource}`;
  };
  const nameOf = (operation: Operation): string => `${prefix}-${operation.name}`;

  function record(answer: Answer): void {
    const { warning } = answer.headers;
    answers.push({
      status: answer.status,
      ...(warning ? { warning: normaliser.value(warning) } : {}),
      body: normaliser.value(oneOfSeveral(answer.body)),
    });
  }

  async function perform(operation: Operation): Promise<Answer> {
    const parameters = [`fieldManager=${operation.manager}`];
    if (operation.dryRun) parameters.push('dryRun=All');
    if (operation.force) parameters.push('force=true');
    const one = `${collection(operation)}/${nameOf(operation)}${operation.subresource ? `/${operation.subresource}` : ''}`;
    const query = parameters.join('&');
    const body = rename(operation.body, nameOf(operation));
    const patch = (contentType: string): CallOptions => ({ body, contentType });
    switch (operation.op) {
      case 'create':
        return connection.call('POST', `${collection(operation)}?${query}`, { body });
      case 'update': {
        const seen = versions.get(operation.name) ?? [];
        const version =
          operation.version === 'current' ? seen.at(-1) : operation.version === 'stale' ? seen[0] : undefined;
        const object = body as { metadata?: object };
        const sent = version ? { ...object, metadata: { ...object.metadata, resourceVersion: version } } : object;
        return connection.call('PUT', `${one}?${query}`, { body: sent });
      }
      case 'apply':
        return connection.call('PATCH', `${one}?${query}`, patch(PATCH_TYPES.apply));
      case 'json':
      case 'merge':
      case 'strategic':
        return connection.call('PATCH', `${one}?${query}`, patch(PATCH_TYPES[operation.op]));
      case 'scale':
        return connection.call('PATCH', `${one}?${query}`, patch(PATCH_TYPES.merge));
      case 'delete':
        return connection.call(
          'DELETE',
          `${one}?${[operation.query, operation.dryRun ? 'dryRun=All' : ''].filter(Boolean).join('&')}`,
        );
      case 'get':
        return connection.call('GET', one);
      case 'list': {
        const more = (operation.query ?? '').replace('NAME', nameOf(operation));
        // Other sequences run beside this one; a label of the own is not on every object.
        const fields = more.includes('fieldSelector')
          ? more
          : `${more}&fieldSelector=metadata.name%3D${nameOf(operation)}`;
        return connection.call('GET', `${collection(operation)}?${fields.replace(/^&/, '')}`);
      }
    }
  }

  for (const operation of operations) {
    const answer = await perform(operation);
    const version = answer.body?.metadata?.resourceVersion;
    const written =
      answer.status < 300 && operation.op !== 'list' && !operation.dryRun && answer.body.kind !== 'Status';
    if (written && version) versions.set(operation.name, [...(versions.get(operation.name) ?? []), version]);
    record(answer);
    if (operation.op === 'delete' && answer.status === 200 && !operation.dryRun) {
      await collected(connection, `${collection(operation)}/${nameOf(operation)}`);
    }
  }
  const [first] = operations;
  if (first) {
    for (const name of new Set(operations.map((operation) => operation.name))) {
      const path = `${collection(first)}/${prefix}-${name}`;
      const end = await connection.call('GET', path);
      record(end);
      if (end.status !== 200) continue;
      const finalizers = end.body.metadata.finalizers?.length > 0;
      await connection.call('DELETE', `${path}?propagationPolicy=Background`);
      if (finalizers) {
        // Nothing waits for these but this.
        await connection.call('PATCH', path, {
          contentType: PATCH_TYPES.merge,
          body: { metadata: { finalizers: null } },
        });
      }
    }
  }
  return { answers };
}
