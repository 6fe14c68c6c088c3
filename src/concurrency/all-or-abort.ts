import { Semaphore } from './semaphore.ts'
import { excusedWait, watchedBranch } from './stall-watch.ts'

/**
 * Acts on all items side by side, at most `limit` at a time. When one fails, the others are aborted, and the failure
 * comes out when all have ended: nothing goes on behind the caller's back.
 */
export async function allOrAbort<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal,
  act: (item: Item, position: number, signal: AbortSignal) => Promise<Result>,
  limit = Number.POSITIVE_INFINITY,
): Promise<Result[]> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const permits = new Semaphore(limit)
  const guarded = async (item: Item, position: number) => {
    try {
      return await watchedBranch(() => act(item, position, either))
    } catch (error) {
      // Before its permit goes to an act that has not begun.
      stop.abort(error)
      throw error
    }
  }
  const acts = items.map((item, position) => permits.run(() => guarded(item, position), either))
  // Each act has to move by itself; this only waits for them.
  const ended = await excusedWait(() => Promise.allSettled(acts))
  // The first to fail is the reason of the others.
  if (stop.signal.aborted) throw stop.signal.reason
  signal.throwIfAborted()
  return ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}
