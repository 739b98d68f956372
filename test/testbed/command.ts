/** Runs commands to their end. */
import { spawn } from 'node:child_process';

export interface CommandResult {
  /** Exit code; -1 when the command could not be started or was ended by a signal. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: Record<string, string | undefined>;
  /** Milliseconds after which the command is ended. */
  timeoutMs?: number;
  stdin?: string;
  signal?: AbortSignal;
}

/** Runs `file` with `args` and collects its output. Never rejects: a command that cannot be started has code -1. */
export function runCommand(file: string, args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      signal: options.signal,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    let failure: Error | undefined;
    child.on('error', (error) => {
      failure = error;
      // An abort is followed by `close`; a command that never started is not.
      if (child.pid === undefined) resolve({ code: -1, stdout, stderr: error.message });
    });
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr: stderr || (failure?.message ?? '') }));
    child.stdin.on('error', () => undefined); // the command may end before it has read everything
    child.stdin.end(options.stdin ?? '');
  });
}
