import { expect, it } from 'vitest'
import { Handover } from './handover.ts'

it('hands pieces over one at a time, and tells the writer when one was used', async () => {
  const handover = new Handover()
  const used: string[] = []
  const reading = (async () => {
    const seen: string[] = []
    for await (const piece of handover) {
      seen.push(piece.toString())
      expect(used).toEqual(seen.slice(0, -1))
    }
    return seen
  })()
  for (const text of ['a', 'b', 'c']) {
    await handover.write(Buffer.from(text))
    used.push(text)
  }
  handover.end()
  expect(await reading).toEqual(['a', 'b', 'c'])
})

it('tells a reader of a failure that came while a piece was on its way', async () => {
  const handover = new Handover()
  const writing = handover.write(Buffer.from('a'))
  handover.fail(new Error('the source broke'))
  await expect(writing).rejects.toThrow('the source broke')
  const read = async () => {
    for await (const _piece of handover);
  }
  await expect(read()).rejects.toThrow('the source broke')
})

it('tells a writer that comes after a failure', async () => {
  const handover = new Handover()
  handover.fail(new Error('the reader stopped'))
  await expect(handover.write(Buffer.from('a'))).rejects.toThrow('the reader stopped')
})
