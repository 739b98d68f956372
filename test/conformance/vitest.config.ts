/** Tests that need real servers: `npx vitest run --config test/conformance/vitest.config.ts [--project conformance]`. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const here = import.meta.dirname;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'testbed',
          root: join(here, '../testbed'),
          include: ['*.real.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'conformance',
          root: here,
          include: ['*.real.test.ts'],
          globalSetup: [join(here, 'setup.ts')],
          // A case waits for garbage collectors and rollouts; it gives up by itself long before this.
          testTimeout: 240_000,
          hookTimeout: 120_000,
          maxConcurrency: 4,
        },
      },
    ],
  },
});
