import { expect, it } from 'vitest'
import { ByteBudget } from './byte-budget.ts'
import { ByteQueue } from './byte-queue.ts'

const bytes = (text: string) => Buffer.from(text)
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

async function readAll(queue: ByteQueue, pieces: string[] = []): Promise<string[]> {
  for await (const piece of queue) pieces.push(Buffer.from(piece).toString())
  return pieces
}

it('lets the writer run ahead of the reader up to its limit', async () => {
  const queue = new ByteQueue(4)
  await queue.write(bytes('ab'))
  await queue.write(bytes('cd'))
  let isWritten = false
  const third = queue.write(bytes('ef')).then(() => {
    isWritten = true
  })
  await nextTurn()
  expect(isWritten).toBe(false)
  const reading = readAll(queue)
  await third
  queue.end()
  expect(await reading).toEqual(['ab', 'cd', 'ef'])
})

it('wakes a reader that waits for a piece, and ends it when no more follow', async () => {
  const queue = new ByteQueue(4)
  const pieces: string[] = []
  const reading = readAll(queue, pieces)
  await nextTurn()
  await queue.write(bytes('ab'))
  await nextTurn()
  expect(pieces).toEqual(['ab'])
  queue.end()
  expect(await reading).toEqual(['ab'])
})

it('throws a failure in the reader after the pieces queued before it, and in later writes', async () => {
  const queue = new ByteQueue(10)
  await queue.write(bytes('a'))
  queue.fail(new Error('the source broke'))
  const pieces: string[] = []
  await expect(readAll(queue, pieces)).rejects.toThrow('the source broke')
  expect(pieces).toEqual(['a'])
  await expect(queue.write(bytes('b'))).rejects.toThrow('the source broke')
})

it('throws a failure in a reader that waits', async () => {
  const queue = new ByteQueue(10)
  const reading = readAll(queue)
  await nextTurn()
  queue.fail(new Error('cancelled'))
  await expect(reading).rejects.toThrow('cancelled')
})

it('throws in waiting writers when the reader stops', async () => {
  const queue = new ByteQueue(1)
  const first = queue.write(bytes('ab'))
  const second = queue.write(bytes('cd'))
  for await (const _chunk of queue) break
  await expect(first).rejects.toThrow('the reader stopped')
  await expect(second).rejects.toThrow('the reader stopped')
})

it('reserves a shared budget beyond its limit, and releases it when pieces are read or discarded', async () => {
  const shared = new ByteBudget(10)
  const queue = new ByteQueue(4, shared)
  await queue.write(Buffer.alloc(14))
  expect(shared.tryReserve(1)).toBe(false)
  let isWritten = false
  const waiting = queue.write(Buffer.alloc(1)).then(() => {
    isWritten = true
  })
  const reader = queue[Symbol.asyncIterator]()
  expect(isWritten).toBe(false)
  await reader.next()
  await waiting
  expect(shared.tryReserve(10)).toBe(true)
  shared.release(10)
  const other = new ByteQueue(4, shared)
  await other.write(Buffer.alloc(14))
  other.discard(new Error('cancelled'))
  expect(shared.tryReserve(10)).toBe(true)
})
