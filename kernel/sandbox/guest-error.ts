/** How addon code can fail, before anybody knows in which bundle. */
import type { SandboxFailure } from './api.ts';

/** Addon code failed. `message` and `stack` come from the addon. */
export class GuestError extends Error {
  readonly failure: SandboxFailure;
  readonly guestStack: string | undefined;
  constructor(failure: SandboxFailure, message: string, guestStack?: string) {
    super(message);
    this.name = 'GuestError';
    this.failure = failure;
    this.guestStack = guestStack;
  }
}
