import { Semaphore } from './semaphore.ts'
import { pauseStallWatch, watchBranch } from './stall-watch.ts'

/**
 * Processes all items concurrently, at most `concurrency` at a time. When one fails, the others are aborted,
 * and the first failure is thrown once all of them have settled: nothing keeps running after this function
 * returned.
 * @returns the results in the order of the items
 * @throws the first failure; the signal's reason if it aborts
 */
export async function allOrAbort<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item, index: number, signal: AbortSignal) => Promise<Result>,
  concurrency = Number.POSITIVE_INFINITY,
): Promise<Result[]> {
  const failure = new AbortController()
  const stop = AbortSignal.any([signal, failure.signal])
  const permits = new Semaphore(concurrency)
  const workOrAbort = async (item: Item, index: number) => {
    try {
      return await watchBranch(() => work(item, index, stop))
    } catch (error) {
      // Aborts before the permit is released, so that no waiting item starts.
      failure.abort(error)
      throw error
    }
  }
  const branches = items.map((item, index) => permits.run(() => workOrAbort(item, index), stop))
  // Each branch has a stall watch of its own; the watch of the caller would count the wait for them as a
  // stall.
  const settled = await pauseStallWatch(() => Promise.allSettled(branches))
  if (failure.signal.aborted) throw failure.signal.reason
  signal.throwIfAborted()
  return settled.flatMap((branch) => (branch.status === 'fulfilled' ? [branch.value] : []))
}
