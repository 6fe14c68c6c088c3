import { defineConfig } from 'vitest/config'

// What takes longer than the tests of every day: `npm run faults`, and `npm run faults:long` with a thousand kills.
export default defineConfig(({ mode }) => ({
  test: {
    include: ['test/faults/**/*.faults.ts', 'test/faults/leases.test.ts'],
    pool: 'forks',
    globalSetup: './test/support/vitest/compile-cache.ts',
    testTimeout: 600_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    env: {
      RACE_ROUNDS: '10000',
      FAULT_KILLS: mode === 'long' ? '1000' : '45',
      FAULT_MUTATIONS: mode === 'long' ? '50000' : '2000',
    },
    reporters: ['default', './test/support/vitest/summary-reporter.ts'],
  },
}))
