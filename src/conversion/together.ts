/**
 * Does something for all items side by side. When one fails the others are told to stop, and the failure comes out
 * when all of them have: nothing goes on behind the caller's back.
 */
export async function together<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal,
  act: (item: Item, position: number, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const acts = items.map(async (item, position) => {
    try {
      return await act(item, position, either)
    } catch (error) {
      stop.abort(error)
      throw error
    }
  })
  const ended = await Promise.allSettled(acts)
  // The first to fail is the reason of the others.
  if (stop.signal.aborted) throw stop.signal.reason
  return ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}
