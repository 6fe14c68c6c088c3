import { defineConfig } from 'vitest/config'
import { shared } from './vitest.config.ts'

/**
 * `npm run faults`: kills, full disks, damaged layers and misbehaving registries. `--mode long` tries each
 * more often.
 */
export default defineConfig(({ mode }) => ({
  test: {
    ...shared,
    include: ['test/faults/**/*.faults.ts'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    env: {
      RACE_ROUNDS: '10000',
      FAULT_KILLS: mode === 'long' ? '1000' : '45',
      FAULT_MUTATIONS: mode === 'long' ? '50000' : '2000',
    },
  },
}))
