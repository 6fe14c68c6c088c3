import { expect, it } from 'vitest'
import { raceAbort } from './abort.ts'
import { allOrAbort } from './all-or-abort.ts'

const never = new AbortController().signal
const untilAborted = (signal: AbortSignal) => raceAbort(new Promise<never>(() => undefined), signal)

it('returns the results in the order of the items, and runs no more of them at a time than allowed', async () => {
  let running = 0
  let maxRunning = 0
  const squares = await allOrAbort(
    [1, 2, 3, 4, 5, 6],
    never,
    async (item) => {
      maxRunning = Math.max(maxRunning, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return item * item
    },
    2,
  )
  expect(squares).toEqual([1, 4, 9, 16, 25, 36])
  expect(maxRunning).toBe(2)
})

it('passes the index of each item, and accepts an empty list', async () => {
  expect(await allOrAbort(['a', 'b'], never, async (item, index) => `${item}${index}`)).toEqual(['a0', 'b1'])
  expect(await allOrAbort([], never, () => Promise.reject(new Error('it ran')))).toEqual([])
})

it('throws the first failure once the others have stopped, and starts none of those that wait', async () => {
  const stopped: string[] = []
  const failing = allOrAbort(
    ['slow', 'broken', 'waiting'],
    never,
    async (item, _, signal) => {
      if (item === 'broken') throw new Error('broken')
      await untilAborted(signal).finally(() => stopped.push(item))
    },
    2,
  )
  await expect(failing).rejects.toThrow('broken')
  expect(stopped).toEqual(['slow'])
})

it('does not return before the others have settled', async () => {
  const cleanup = Promise.withResolvers<void>()
  let isSettled = false
  const failing = allOrAbort(['slow', 'broken'], never, async (item) => {
    if (item === 'broken') throw new Error('broken')
    await cleanup.promise
  }).finally(() => {
    isSettled = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isSettled).toBe(false)
  cleanup.resolve()
  await expect(failing).rejects.toThrow('broken')
})

it('stops all items when the caller aborts', async () => {
  const stop = new AbortController()
  const all = allOrAbort([1, 2], stop.signal, (_item, _index, signal) => untilAborted(signal))
  stop.abort(new Error('cancelled'))
  await expect(all).rejects.toThrow('cancelled')
})

it('starts nothing for a caller that aborted before', async () => {
  const aborted = AbortSignal.abort(new Error('cancelled'))
  const started: number[] = []
  const all = allOrAbort([1, 2], aborted, async (item) => void started.push(item))
  await expect(all).rejects.toThrow('cancelled')
  expect(started).toEqual([])
})
