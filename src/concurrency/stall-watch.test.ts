import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { raceAbort } from './abort.ts'
import { allOrAbort } from './all-or-abort.ts'
import { pauseStallWatch, progressRecorder, StalledError, StallWatch, watchBranch } from './stall-watch.ts'

const forever = () => new Promise<never>(() => undefined)

// The tests control the time, so that a busy machine changes nothing.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Runs work under a watch of ten seconds. */
function watched(work: (signal: AbortSignal) => Promise<unknown>): { isStalled: () => boolean } {
  const watch = new StallWatch(10)
  watch.run(() => raceAbort(work(watch.signal), watch.signal)).catch(() => undefined)
  return { isStalled: () => watch.signal.aborted }
}

it('aborts work that moves no byte for too long, and names the setting', async () => {
  const watch = new StallWatch(10)
  const working = watch.run(() => raceAbort(forever(), watch.signal))
  const failure = expect(working).rejects.toThrow(/RECORD_BROKER_STALL_SECONDS/)
  await vi.advanceTimersByTimeAsync(10_000)
  await failure
  expect(watch.signal.reason).toBeInstanceOf(StalledError)
})

it('does not abort work that makes progress, also from a callback without its async context', async () => {
  let recordProgress: () => void = () => undefined
  const work = watched(() => {
    recordProgress = progressRecorder()
    return forever()
  })
  for (let n = 0; n < 5; n++) {
    await vi.advanceTimersByTimeAsync(9_000)
    recordProgress()
  }
  expect(work.isStalled()).toBe(false)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(work.isStalled()).toBe(true)
})

it('does not count waits during which it is paused', async () => {
  const wait = Promise.withResolvers<void>()
  const work = watched(async () => {
    await pauseStallWatch(() => wait.promise)
    await forever()
  })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(work.isStalled()).toBe(false)
  wait.resolve()
  await vi.advanceTimersByTimeAsync(9_000)
  expect(work.isStalled()).toBe(false)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(work.isStalled()).toBe(true)
})

it('counts again once a wait failed during which it was paused', async () => {
  const work = watched(async () => {
    await pauseStallWatch(() => Promise.reject(new Error('cancelled'))).catch(() => undefined)
    await forever()
  })
  await vi.advanceTimersByTimeAsync(11_000)
  expect(work.isStalled()).toBe(true)
})

it('finds the one of several concurrent branches that stalls', async () => {
  const work = watched((signal) =>
    allOrAbort(['moving', 'waiting', 'stuck'], signal, async (item) => {
      if (item === 'moving') setInterval(progressRecorder(), 1_000)
      if (item === 'waiting') await pauseStallWatch(forever)
      await forever()
    }),
  )
  await vi.advanceTimersByTimeAsync(11_000)
  expect(work.isStalled()).toBe(true)
})

it('stops counting when the work is done or failed', async () => {
  const done = new StallWatch(10)
  expect(await done.run(async () => 'done')).toBe('done')
  const failed = new StallWatch(10)
  await expect(failed.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await vi.advanceTimersByTimeAsync(60_000)
  expect([done.signal.aborted, failed.signal.aborted]).toEqual([false, false])
  expect(vi.getTimerCount()).toBe(0)
})

it('changes nothing about work that nobody watches', async () => {
  expect(await pauseStallWatch(async () => 'waited')).toBe('waited')
  expect(await watchBranch(async () => 'done')).toBe('done')
  expect(progressRecorder()()).toBeUndefined()
  expect(vi.getTimerCount()).toBe(0)
})
