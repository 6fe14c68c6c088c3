// Runs the properties of the transcoder round by round, in a thread of its own, so that one that hangs can be told.
import { parentPort, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { PROPERTIES } from '../test/support/deflate/properties.ts'

/** What to run. Rounds after the first have the seeds that follow. */
export type FuzzTask = { readonly seed: number; readonly minutes: number; readonly rounds: number }

/** Sent before a property is run, and after it. */
export type FuzzProgress = {
  readonly seed: number
  readonly property: string
  readonly runs: number
  readonly failure?: string
}

const RUNS_A_ROUND = 50

const { seed: first, minutes, rounds } = workerData as FuzzTask
const until = Date.now() + minutes * 60_000
const tell = (news: FuzzProgress) => parentPort?.postMessage(news)

let failed = false
for (let seed = first; !failed && seed < first + rounds && Date.now() < until; seed++) {
  for (const [property, holds] of Object.entries(PROPERTIES)) {
    tell({ seed, property, runs: 0 })
    const result = await fc.check<unknown>(holds, { seed, numRuns: RUNS_A_ROUND })
    tell({
      seed,
      property,
      runs: result.numRuns,
      ...(result.failed && { failure: fc.defaultReportMessage(result) ?? 'failed' }),
    })
    failed ||= result.failed
  }
}
