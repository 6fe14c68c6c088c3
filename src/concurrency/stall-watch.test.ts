import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { unlessAborted } from './abort.ts'
import { allOrAbort } from './all-or-abort.ts'
import { currentMovement, excusedWait, StalledError, StallWatch } from './stall-watch.ts'

const forever = () => new Promise<never>(() => undefined)

// Seconds pass as the test says, so that a busy machine changes nothing.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Work under a watch of ten seconds: `stalled` once it was aborted. */
function watched(act: (signal: AbortSignal) => Promise<unknown>): { stalled: () => boolean } {
  const watch = new StallWatch(10)
  watch.run(() => unlessAborted(act(watch.signal), watch.signal)).catch(() => undefined)
  return { stalled: () => watch.signal.aborted }
}

it('aborts work that moves no byte for so long, and says which setting it was', async () => {
  const watch = new StallWatch(10)
  const working = watch.run(() => unlessAborted(forever(), watch.signal))
  const failure = expect(working).rejects.toThrow(/RECORD_BROKER_STALL_SECONDS/)
  await vi.advanceTimersByTimeAsync(10_000)
  await failure
  expect(watch.signal.reason).toBeInstanceOf(StalledError)
})

it('lets work go on that moves a byte now and then, also from a callback without its context', async () => {
  let moved: () => void = () => undefined
  const work = watched(() => {
    moved = currentMovement()
    return forever()
  })
  for (let n = 0; n < 5; n++) {
    await vi.advanceTimersByTimeAsync(9_000)
    moved()
  }
  expect(work.stalled()).toBe(false)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(work.stalled()).toBe(true)
})

it('does not count waits that are excused', async () => {
  const wait = Promise.withResolvers<void>()
  const work = watched(async () => {
    await excusedWait(() => wait.promise)
    await forever()
  })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(work.stalled()).toBe(false)
  wait.resolve()
  await vi.advanceTimersByTimeAsync(9_000)
  expect(work.stalled()).toBe(false)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(work.stalled()).toBe(true)
})

it('finds the one of several acts side by side that stands still', async () => {
  const work = watched((signal) =>
    allOrAbort(['moving', 'waiting', 'stuck'], signal, async (item) => {
      if (item === 'moving') setInterval(currentMovement(), 1_000)
      if (item === 'waiting') await excusedWait(forever)
      await forever()
    }),
  )
  await vi.advanceTimersByTimeAsync(11_000)
  expect(work.stalled()).toBe(true)
})
