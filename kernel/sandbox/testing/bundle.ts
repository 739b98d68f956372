/** A bundle for tests: runs the code that a request carries, inside the VM. The worst that an addon can be. */
export const EVALUATING_BUNDLE = `
globalThis.lateen = {
  call(request) {
    const { code, input } = JSON.parse(request);
    globalThis.input = input;
    const result = (0, eval)(code);
    return typeof result === 'function' && result.isRaw ? result() : JSON.stringify(result ?? null);
  },
};
globalThis.raw = (value) => Object.assign(() => value, { isRaw: true });
`;

/** Never reaches a place where the engine can be interrupted; takes about a minute. */
export const UNINTERRUPTIBLE = `'a'.repeat(4e5).indexOf('a'.repeat(2e5) + 'b')`;
