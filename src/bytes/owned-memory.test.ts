import { expect, it } from 'vitest'
import { doubled, OwnedMemory, ReleasedMemoryError } from './owned-memory.ts'

it('returns the memory of its arrays once, and throws when they are used afterwards', () => {
  const numbers = Int32Array.of(1, 2, 3)
  const memory = new OwnedMemory('index', { numbers, text: new Uint16Array(10) })
  expect(memory.arrays.numbers[1]).toBe(2)
  memory.release()
  memory.release()
  expect(numbers.buffer.detached).toBe(true)
  expect(() => memory.arrays).toThrow(ReleasedMemoryError)
  expect(() => memory.arrays).toThrow('the index was used after it was released')
})

it('releases the arrays that took the place of those it was created with', () => {
  const memory = new OwnedMemory('index', { numbers: Int32Array.of(1, 2) })
  const grown = doubled(memory.arrays.numbers)
  memory.arrays.numbers = grown
  expect([...grown]).toEqual([1, 2, 0, 0])
  memory.release()
  expect(grown.buffer.detached).toBe(true)
})
