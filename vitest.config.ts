import { defineConfig } from 'vitest/config'

/** The settings that all suites share. */
export const shared = {
  pool: 'forks' as const,
  globalSetup: './test/support/vitest/compile-cache.ts',
  // Ends tests that hang. A busy machine may need long for any other.
  testTimeout: 240_000,
  hookTimeout: 240_000,
  maxWorkers: 2,
  reporters: ['default', './test/support/vitest/summary-reporter.ts'],
}

/** `npm test`: the tests of single files and rooms, which answer within about a minute. */
export default defineConfig({
  test: {
    ...shared,
    include: ['src/**/*.test.ts', 'bench/**/*.test.ts', 'test/*.test.ts'],
    exclude: ['**/*.slow.test.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['**/*.test.ts', 'src/compression/deflate/wasm/**'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
})
