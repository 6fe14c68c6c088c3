import { expect, it } from 'vitest'
import { raceAbort } from './abort.ts'
import { Memo } from './memo.ts'

it('computes the result for a key once, also while it is being computed', async () => {
  const memo = new Memo<number>()
  const result = Promise.withResolvers<number>()
  let calls = 0
  const compute = () => {
    calls += 1
    return result.promise
  }
  const [first, second] = [memo.get('key', compute), memo.get('key', compute)]
  result.resolve(7)
  expect([await first, await second, await memo.get('key', compute)]).toEqual([7, 7, 7])
  expect(calls).toBe(1)
  expect(await memo.get('other', async () => 8)).toBe(8)
})

it('shares a failure as well', async () => {
  const memo = new Memo<number>()
  await expect(memo.get('key', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await expect(memo.get('key', async () => 7)).rejects.toThrow('broken')
})

it('computes a result again after it was cleared', async () => {
  const memo = new Memo<number>()
  await memo.get('key', async () => 7)
  memo.clear()
  expect(await memo.get('key', async () => 8)).toBe(8)
})

it('keeps the result of work that a caller stopped waiting for', async () => {
  const memo = new Memo<number>()
  const stop = new AbortController()
  const result = Promise.withResolvers<number>()
  const waiting = raceAbort(
    memo.get('key', () => result.promise),
    stop.signal,
  )
  stop.abort(new Error('cancelled'))
  await expect(waiting).rejects.toThrow('cancelled')
  result.resolve(7)
  expect(await memo.get('key', async () => 8)).toBe(7)
})
