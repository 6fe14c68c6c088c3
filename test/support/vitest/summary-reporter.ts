import type { Reporter, TestModule } from 'vitest/node'
import { listMissingPeers } from '../peers/peers.ts'

/** Prints the missing peers and the number of passed, failed and skipped tests at the end of a run. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed' || state === 'failed' || state === 'skipped') counts[state]++
      }
    }
    const missing = listMissingPeers()
    if (missing.length > 0)
      console.log(`\nNot available, so tests that need them were skipped: ${missing.join(', ')}`)
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  }
}
