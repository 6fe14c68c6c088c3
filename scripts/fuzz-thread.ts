// Checks the properties of the transcoder round by round, in a thread that can be terminated if a property
// hangs.
import { parentPort, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { PROPERTIES } from '../test/support/deflate/properties.ts'

/** The rounds to run. Each round increments the seed. */
export type FuzzTask = { readonly seed: number; readonly minutes: number; readonly rounds: number }

/** Sent before and after each property. */
export type FuzzProgress = {
  readonly seed: number
  readonly property: string
  readonly runs: number
  readonly failure?: string
}

const RUNS_PER_ROUND = 50

const { seed: firstSeed, minutes, rounds } = workerData as FuzzTask
const endAt = Date.now() + minutes * 60_000
const report = (progress: FuzzProgress) => parentPort?.postMessage(progress)

let hasFailed = false
for (let seed = firstSeed; !hasFailed && seed < firstSeed + rounds && Date.now() < endAt; seed++) {
  for (const [name, property] of Object.entries(PROPERTIES)) {
    report({ seed, property: name, runs: 0 })
    const result = await fc.check<unknown>(property, { seed, numRuns: RUNS_PER_ROUND })
    report({
      seed,
      property: name,
      runs: result.numRuns,
      ...(result.failed && { failure: fc.defaultReportMessage(result) ?? 'failed' }),
    })
    hasFailed ||= result.failed
  }
}
