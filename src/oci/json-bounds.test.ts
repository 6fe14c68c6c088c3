import { expect, it } from 'vitest'
import { findExceededBound } from './json-bounds.ts'

const bounds = { maxDepth: 3, maxValues: 8 }
const exceeded = (text: string) => findExceededBound(Buffer.from(text), bounds)

it.each([
  ['{"a":[{"b":1}]}', undefined],
  ['{"a":[{"b":[1]}]}', 'maxDepth'],
  ['[1,2,3,4,5,6,7,8]', 'maxValues'],
  ['{"a":"[[[[{{{{,,,,,,,,,"}', undefined],
  ['{"a":"\\"[[[[","b":"\\\\"}', undefined],
  ['[[],[],[]]', undefined],
  ['[[],[],[],[],[]]', 'maxValues'],
  ['not JSON [', undefined],
  ['"never ends [[[[[', undefined],
] as const)('%s: %s', (text, bound) => {
  expect(exceeded(text)).toBe(bound)
})

it('checks documents of 8 MiB of brackets or commas', () => {
  expect(findExceededBound(Buffer.alloc(8 << 20, '['), { maxDepth: 100, maxValues: 1e6 })).toBe('maxDepth')
  expect(findExceededBound(Buffer.alloc(8 << 20, ','), { maxDepth: 100, maxValues: 1e6 })).toBe('maxValues')
})
