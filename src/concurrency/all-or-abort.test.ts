import { expect, it } from 'vitest'
import { pause } from './abort.ts'
import { allOrAbort } from './all-or-abort.ts'

const never = new AbortController().signal

it('answers in the order of the items, with no more at a time than allowed', async () => {
  let running = 0
  let most = 0
  const squares = await allOrAbort(
    [1, 2, 3, 4, 5, 6],
    never,
    async (item) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return item * item
    },
    2,
  )
  expect(squares).toEqual([1, 4, 9, 16, 25, 36])
  expect(most).toBe(2)
})

it('fails with the first failure when all others have stopped, those too that wait for their turn', async () => {
  const ended: string[] = []
  const failing = allOrAbort(
    ['slow', 'broken', 'waiting'],
    never,
    async (item, _, signal) => {
      if (item === 'broken') throw new Error('broken')
      await pause(60_000, signal).finally(() => ended.push(item))
    },
    2,
  )
  await expect(failing).rejects.toThrow('broken')
  expect(ended).toEqual(['slow'])
})

it('stops all when the caller aborts', async () => {
  const stop = new AbortController()
  const all = allOrAbort([1, 2], stop.signal, (_item, _n, signal) => pause(60_000, signal))
  stop.abort(new Error('cancelled'))
  await expect(all).rejects.toThrow('cancelled')
})
