import { expect, it } from 'vitest'
import { GrowingBuffer } from './growing-buffer.ts'

it('collects bytes of any size, and starts anew after it was cleared', () => {
  const buffered = new GrowingBuffer()
  const parts = [Buffer.from('a'), Buffer.alloc(100_000, 'b'), Buffer.alloc(0), Buffer.from('c')]
  for (const part of parts) buffered.add(part)
  expect(buffered.bytes.equals(Buffer.concat(parts))).toBe(true)
  buffered.clear()
  expect(buffered.bytes).toHaveLength(0)
  buffered.add(Buffer.from('d'))
  expect(String(buffered.bytes)).toBe('d')
})

it('throws when it is used after it was released', () => {
  const buffered = new GrowingBuffer()
  buffered.add(Buffer.from('a'))
  buffered.release()
  buffered.release()
  expect(() => buffered.bytes).toThrow('the growing buffer was used after it was released')
  expect(() => buffered.add(Buffer.from('a'))).toThrow('the growing buffer was used after it was released')
})
