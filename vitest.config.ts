import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    pool: 'forks',
    globalSetup: './test/support/vitest/compile-cache.ts',
    // A bound for what hangs: a busy machine takes long for all else.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
    reporters: ['default', './test/support/vitest/summary-reporter.ts'],
  },
})
