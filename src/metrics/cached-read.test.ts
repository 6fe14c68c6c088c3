import { expect, it } from 'vitest'
import { CachedRead } from './cached-read.ts'

it('reads once for callers at the same time, and again when the value is too old', async () => {
  let reads = 0
  const cached = new CachedRead(async () => ++reads, { maxAgeMs: 60_000, timeoutMs: 60_000 })
  expect(await Promise.all([cached.get(), cached.get()])).toEqual([1, 1])
  expect(await cached.get()).toBe(1)
  const short = new CachedRead(async () => ++reads, { maxAgeMs: 0, timeoutMs: 60_000 })
  await short.get()
  const readsAgain = async () => {
    await short.get()
    return reads
  }
  await expect.poll(readsAgain).toBeGreaterThan(2)
})

it('has no value while a read fails or takes too long, and does not read twice at the same time', async () => {
  const failing = new CachedRead(() => Promise.reject(new Error('down')), { maxAgeMs: 1, timeoutMs: 60_000 })
  expect(await failing.get()).toBeUndefined()
  let reads = 0
  const slow = Promise.withResolvers<string>()
  const read = () => {
    reads += 1
    return slow.promise
  }
  const cached = new CachedRead(read, { maxAgeMs: 60_000, timeoutMs: 5 })
  expect(await Promise.all([cached.get(), cached.get()])).toEqual([undefined, undefined])
  expect(await cached.get()).toBeUndefined()
  expect(reads).toBe(1)
  slow.resolve('late')
  await expect.poll(() => cached.get()).toBe('late')
  expect(reads).toBe(1)
})
