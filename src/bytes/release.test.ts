import { expect, it } from 'vitest'
import { release } from './release.ts'

it('empties buffers with memory of their own, and leaves others alone', () => {
  const own = Buffer.alloc(1 << 20, 1)
  const part = Buffer.alloc(1 << 20).subarray(1)
  const pooled = Buffer.from('small')
  const shared = Buffer.from(new SharedArrayBuffer(1 << 20) as unknown as ArrayBuffer)
  release(own, part, pooled, shared)
  expect(own).toHaveLength(0)
  expect(part).toHaveLength((1 << 20) - 1)
  expect(String(pooled)).toBe('small')
  expect(shared).toHaveLength(1 << 20)
})
