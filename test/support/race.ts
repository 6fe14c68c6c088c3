import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** `counts`: holders now, claims won, rules broken, the attempt that was seen last. */
export type RaceData = {
  readonly url: string
  readonly rounds: number
  readonly owner: string
  readonly counts: Int32Array<SharedArrayBuffer>
}

/** What a race came to: claims won by each racer, and how often two held the job or an attempt came twice. */
export type Race = { readonly won: number[]; readonly violations: number; readonly lastAttempt: number }

/** Lets workers race for the one job of a database, until it was claimed so many times. Each opens the database itself. */
export async function race(
  url: string,
  { racers = 2, rounds, whenReady }: { racers?: number; rounds: number; whenReady?: () => Promise<unknown> },
): Promise<Race> {
  const counts = new Int32Array(new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT))
  const threads = Array.from({ length: racers }, (_, n) => {
    const workerData: RaceData = { url, rounds, owner: `racer-${n}`, counts }
    return new Worker(new URL('./racer-thread.ts', import.meta.url), { workerData })
  })
  await Promise.all(threads.map((thread) => once(thread, 'message')))
  await whenReady?.()
  const results = threads.map((thread) => once(thread, 'message'))
  for (const thread of threads) thread.postMessage('go')
  const won = (await Promise.all(results)).map(([mine]) => mine as number)
  return { won, violations: Atomics.load(counts, 2), lastAttempt: Atomics.load(counts, 3) }
}
