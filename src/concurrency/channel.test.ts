import { expect, it } from 'vitest'
import { Channel } from './channel.ts'

async function readAll(channel: Channel<string>): Promise<string[]> {
  const items: string[] = []
  for await (const item of channel) items.push(item)
  return items
}

it('passes items one at a time, and resolves a write when the reader is done with its item', async () => {
  const channel = new Channel<string>()
  const written: string[] = []
  const reading = (async () => {
    const read: string[] = []
    for await (const item of channel) {
      read.push(item)
      expect(written).toEqual(read.slice(0, -1))
    }
    return read
  })()
  for (const item of ['a', 'b', 'c']) {
    await channel.write(item)
    written.push(item)
  }
  channel.end()
  expect(await reading).toEqual(['a', 'b', 'c'])
})

it('throws a failure in the writer and the reader while an item is on its way', async () => {
  const channel = new Channel<string>()
  const writing = channel.write('a')
  channel.fail(new Error('the source broke'))
  await expect(writing).rejects.toThrow('the source broke')
  await expect(readAll(channel)).rejects.toThrow('the source broke')
})

it('throws a failure in a reader that waits for an item', async () => {
  const channel = new Channel<string>()
  const reading = readAll(channel)
  channel.fail(new Error('cancelled'))
  await expect(reading).rejects.toThrow('cancelled')
})

it('throws a failure in writes that follow it', async () => {
  const channel = new Channel<string>()
  channel.fail(new Error('the reader broke'))
  await expect(channel.write('a')).rejects.toThrow('the reader broke')
})

it('throws in the writer when the reader stops early', async () => {
  const channel = new Channel<string>()
  const writing = channel.write('a')
  for await (const _item of channel) break
  await expect(writing).rejects.toThrow('the reader stopped')
  await expect(channel.write('b')).rejects.toThrow('the reader stopped')
})
