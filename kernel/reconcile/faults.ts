/** API errors, told as faults: what failed, why, and what to do. */
import { type ErrorCode, type Fault, LateenError } from '@lateen/schemas';
import { ApiError } from '../cluster/api.ts';

/** Whether trying again soon can help: the server's trouble, not the object's. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 0 || error.status === 408 || error.status === 429 || error.status >= 500;
}

function codeOf(error: ApiError): ErrorCode {
  switch (error.status) {
    case 0:
      return error.reason === 'Timeout' ? 'LTN309' : 'LTN301';
    case 401:
      return 'LTN302';
    case 403:
      return 'LTN303';
    case 404:
      return 'LTN304';
    case 409:
      return 'LTN306';
    case 408:
    case 429:
      return 'LTN308';
    default:
      return error.status >= 500 ? 'LTN308' : 'LTN305';
  }
}

/** @param doing what was tried: `apply Deployment shop/web` */
export function faultOf(error: unknown, doing: string): Fault[] {
  if (error instanceof LateenError) return error.faults;
  if (error instanceof ApiError) {
    return [{ code: codeOf(error), severity: 'error', message: `cannot ${doing}: ${error.message}` }];
  }
  const message = error instanceof Error ? error.message : String(error);
  return [{ code: 'LTN704', severity: 'error', message: `cannot ${doing}: ${message}` }];
}
