import { expect, it } from 'vitest'
import { Channel } from './channel.ts'

it('hands pieces over one at a time, and tells the writer when one was used', async () => {
  const channel = new Channel<Buffer>()
  const used: string[] = []
  const reading = (async () => {
    const seen: string[] = []
    for await (const piece of channel) {
      seen.push(piece.toString())
      expect(used).toEqual(seen.slice(0, -1))
    }
    return seen
  })()
  for (const text of ['a', 'b', 'c']) {
    await channel.write(Buffer.from(text))
    used.push(text)
  }
  channel.end()
  expect(await reading).toEqual(['a', 'b', 'c'])
})

it('tells a reader of a failure that came while a piece was on its way', async () => {
  const channel = new Channel<Buffer>()
  const writing = channel.write(Buffer.from('a'))
  channel.fail(new Error('the source broke'))
  await expect(writing).rejects.toThrow('the source broke')
  const read = async () => {
    for await (const _piece of channel);
  }
  await expect(read()).rejects.toThrow('the source broke')
})

it('tells a writer that comes after a failure', async () => {
  const channel = new Channel<Buffer>()
  channel.fail(new Error('the reader stopped'))
  await expect(channel.write(Buffer.from('a'))).rejects.toThrow('the reader stopped')
})

it('tells a writer of a reader that stopped early', async () => {
  const channel = new Channel<string>()
  const writing = channel.write('a')
  for await (const _item of channel) break
  await expect(writing).rejects.toThrow('the reader stopped')
  await expect(channel.write('b')).rejects.toThrow('the reader stopped')
})
