import { expect, it } from 'vitest'
import { ByteBudget } from './byte-budget.ts'
import { ByteQueue } from './byte-queue.ts'

const bytes = (text: string) => Buffer.from(text)

it('lets the writer go ahead by so many bytes, and no further', async () => {
  const queue = new ByteQueue(4)
  await queue.write(bytes('ab'))
  await queue.write(bytes('cd'))
  let written = false
  const third = queue.write(bytes('ef')).then(() => {
    written = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(written).toBe(false)
  const read: string[] = []
  const reading = (async () => {
    for await (const piece of queue) read.push(Buffer.from(piece).toString())
  })()
  await third
  queue.end()
  await reading
  expect(read).toEqual(['ab', 'cd', 'ef'])
})

it('tells a reader of a failure, after what came before it', async () => {
  const queue = new ByteQueue(10)
  await queue.write(bytes('a'))
  queue.fail(new Error('the source broke'))
  const read: string[] = []
  const reading = (async () => {
    for await (const piece of queue) read.push(Buffer.from(piece).toString())
  })()
  await expect(reading).rejects.toThrow('the source broke')
  expect(read).toEqual(['a'])
  await expect(queue.write(bytes('b'))).rejects.toThrow('the source broke')
})

it('tells a writer that waits of a reader that stopped', async () => {
  const queue = new ByteQueue(1)
  const writing = queue.write(bytes('ab'))
  const second = queue.write(bytes('cd'))
  for await (const _piece of queue) break
  await expect(writing).rejects.toThrow('the reader stopped')
  await expect(second).rejects.toThrow('the reader stopped')
})

it('takes what several share beyond its limit, and gives it back when it is read or nobody reads it', async () => {
  const shared = new ByteBudget(10)
  const queue = new ByteQueue(4, shared)
  await queue.write(Buffer.alloc(14))
  expect(shared.take(1)).toBe(false)
  let isWritten = false
  const waiting = queue.write(Buffer.alloc(1)).then(() => {
    isWritten = true
  })
  const reader = queue[Symbol.asyncIterator]()
  expect(isWritten).toBe(false)
  await reader.next()
  await waiting
  expect(shared.take(10)).toBe(true)
  shared.give(10)
  const other = new ByteQueue(4, shared)
  await other.write(Buffer.alloc(14))
  other.abandon(new Error('left'))
  expect(shared.take(10)).toBe(true)
})
