import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/**
 * Shared counters of a race, by index: current holders, claims, violations, and the number of the last
 * attempt.
 */
export const COUNTS = { holders: 0, claims: 1, violations: 2, lastAttempt: 3 } as const

export type RaceData = {
  readonly url: string
  readonly rounds: number
  readonly owner: string
  readonly counts: Int32Array<SharedArrayBuffer>
}

/**
 * The result of a race. `claims` are those of each racer, `violations` how often two held the job or an
 * attempt number did not increase.
 */
export type RaceResult = {
  readonly claims: number[]
  readonly violations: number
  readonly lastAttempt: number
}

/**
 * Lets workers, each with its own connection, race for the only job of a database until it was claimed
 * `rounds` times.
 * @param options.onReady runs once all workers have opened the database
 */
export async function race(
  url: string,
  { racers = 2, rounds, onReady }: { racers?: number; rounds: number; onReady?: () => Promise<unknown> },
): Promise<RaceResult> {
  const counts = new Int32Array(
    new SharedArrayBuffer(Object.keys(COUNTS).length * Int32Array.BYTES_PER_ELEMENT),
  )
  const threads = Array.from({ length: racers }, (_, n) => {
    const workerData: RaceData = { url, rounds, owner: `racer-${n}`, counts }
    return new Worker(new URL('./racer-thread.ts', import.meta.url), { workerData })
  })
  await Promise.all(threads.map((thread) => once(thread, 'message')))
  await onReady?.()
  const results = threads.map((thread) => once(thread, 'message'))
  for (const thread of threads) thread.postMessage('go')
  return {
    claims: (await Promise.all(results)).map(([claims]) => claims as number),
    violations: Atomics.load(counts, COUNTS.violations),
    lastAttempt: Atomics.load(counts, COUNTS.lastAttempt),
  }
}
