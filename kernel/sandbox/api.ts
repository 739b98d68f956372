/** What the kernel asks of the place where addon code runs. */

export interface SandboxLimits {
  /** Bytes that one VM may allocate. Default 32 MiB. */
  memoryBytes: number;
  /** Bytes of stack. Default 256 KiB. */
  stackBytes: number;
  /** Milliseconds after which a call is interrupted. Default 200. */
  deadlineMs: number;
  /** Milliseconds without any answer after which the worker is ended and built again. Default 700. */
  hangMs: number;
  /** Characters of a request and of an answer. Default 8 Mi. */
  messageChars: number;
}

export type SandboxFailure = 'threw' | 'deadline' | 'memory' | 'hung' | 'bad-answer' | 'bad-bundle' | 'closed';

/** Addon code failed. `message` and `guestStack` come from the addon: data, never to be trusted or parsed. */
export class SandboxError extends Error {
  readonly failure: SandboxFailure;
  readonly bundle: string;
  readonly guestStack: string | undefined;
  constructor(failure: SandboxFailure, bundle: string, message: string, guestStack?: string) {
    super(message);
    this.name = 'SandboxError';
    this.failure = failure;
    this.bundle = bundle;
    this.guestStack = guestStack;
  }
}

export interface SandboxStats {
  vms: number;
  calls: number;
  restarts: number;
  /** Bytes that each VM's runtime reports, by bundle id. */
  memory: Record<string, number>;
}

/**
 * One VM per bundle, isolated from each other and from the host. Two forms serve the same interface: `createSandbox`
 * (all VMs in one worker thread with a watchdog: the kernel) and `createInlineSandbox` (in the calling thread,
 * deadline only: one-shot commands, where a hang ends with the process, and browsers).
 */
export interface Sandbox {
  /** Makes a bundle callable under `id` (`name@version` and digest). Code is compiled at the first call. Idempotent. */
  load(id: string, code: string, limits?: Partial<SandboxLimits>): void;
  unload(id: string): void;
  has(id: string): boolean;
  /**
   * Calls `globalThis.lateen.call(JSON.stringify(request))` and parses the answer as inert data (`__proto__` keys do
   * not reach prototypes). Rejects with {@link SandboxError}.
   */
  call(id: string, request: unknown, options?: { deadlineMs?: number }): Promise<unknown>;
  stats(): Promise<SandboxStats>;
  close(): Promise<void>;
}
