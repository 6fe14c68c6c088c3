import { defineConfig } from 'vitest/config'
import { shared } from './vitest.config.ts'

/**
 * `npm run test:system`: whole processes, comparisons with other programs, and tests that wait for leases or
 * try many combinations. They take some minutes.
 */
export default defineConfig({
  test: {
    ...shared,
    include: ['src/**/*.slow.test.ts', 'test/end-to-end/**/*.test.ts', 'test/interop/**/*.test.ts'],
  },
})
