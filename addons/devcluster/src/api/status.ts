/** Answers that say no: Status objects with the reasons, texts and details of the Kubernetes API. */
import type { KindInfo, Loose, StatusCause } from './types.ts';

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: { reason?: string; message?: string; field?: string }[];
  retryAfterSeconds?: number;
}

/** A request that failed, with the Status that tells it. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** `metadata.continue` of an expired page. */
  readonly continueToken: string | undefined;
  constructor(code: number, reason: string, message: string, details?: StatusDetails, continueToken?: string) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.continueToken = continueToken;
  }

  /** The Status object. */
  toStatus(): Loose {
    const metadata: Loose = {};
    if (this.continueToken !== undefined) metadata.continue = this.continueToken;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

/** `deployments.apps`, `pods`. */
export const qualifiedResource = (group: string, resource: string): string => (group ? `${resource}.${group}` : resource);

const details = (group: string, kind: string, name: string, causes?: StatusDetails['causes']): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(group === '' ? {} : { group }),
  kind,
  ...(causes && causes.length > 0 ? { causes } : {}),
});

export const notFound = ({ group, plural }: { group: string; plural: string }, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${qualifiedResource(group, plural)} ${JSON.stringify(name)} not found`, details(group, plural, name));

export const alreadyExists = ({ group, plural }: KindInfo, name: string): StatusError =>
  new StatusError(
    409,
    'AlreadyExists',
    `${qualifiedResource(group, plural)} ${JSON.stringify(name)} already exists`,
    details(group, plural, name),
  );

export const conflict = ({ group, plural }: { group: string; plural: string }, name: string, why: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualifiedResource(group, plural)} ${JSON.stringify(name)}: ${why}`,
    details(group, plural, name),
  );

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message);

export const internalError = (message: string): StatusError =>
  new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });

/** A fault in the server's own words, without a reason: what the real server answers for errors that have no Status. */
export const plainError = (message: string): StatusError => new StatusError(500, '', message);

/** The answer for a path that nothing is served at. */
export const unknownPath = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});

export const methodNotSupported = ({ group, plural }: { group: string; plural: string }, action: string): StatusError =>
  new StatusError(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind ${JSON.stringify(qualifiedResource(group, plural))}`,
    details(group, plural, ''),
  );

export const forbidden = ({ group, plural }: { group: string; plural: string }, name: string, why: string): StatusError =>
  new StatusError(
    403,
    'Forbidden',
    name === ''
      ? `${qualifiedResource(group, plural)} is forbidden: ${why}`
      : `${qualifiedResource(group, plural)} ${JSON.stringify(name)} is forbidden: ${why}`,
    details(group, plural, name),
  );

export const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized');

/** 410: what was asked for has been compacted away. */
export const expired = (message: string, continueToken?: string): StatusError =>
  new StatusError(410, 'Expired', message, undefined, continueToken);

/** Causes in the form of one sentence, as aggregated errors are printed. */
function causeText(causes: StatusCause[]): string {
  const texts = causes.map((cause) => (cause.field === '' ? cause.message : `${cause.field}: ${cause.message}`));
  const unique = [...new Set(texts)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`;
}

/** 422 with one cause for each fault. */
export function invalid(group: string, kind: string, name: string, causes: StatusCause[]): StatusError {
  const qualified = group ? `${kind}.${group}` : kind;
  return new StatusError(
    422,
    'Invalid',
    `${qualified} ${JSON.stringify(name)} is invalid: ${causeText(causes)}`,
    details(
      group,
      kind,
      name,
      causes.map(({ reason, message, field }) => ({ reason, message, field })),
    ),
  );
}
