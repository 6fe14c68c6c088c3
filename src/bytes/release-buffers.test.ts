import { expect, it } from 'vitest'
import { releaseBuffers } from './release-buffers.ts'

it('empties buffers with memory of their own, and leaves alone those in a pool or in shared memory', () => {
  const own = Buffer.alloc(1 << 20, 1)
  const part = Buffer.alloc(1 << 20).subarray(1)
  const pooled = Buffer.from('small')
  const shared = Buffer.from(new SharedArrayBuffer(1 << 20) as unknown as ArrayBuffer)
  releaseBuffers(own, part, pooled, shared)
  expect(own).toHaveLength(0)
  expect(part).toHaveLength(0)
  expect(String(pooled)).toBe('small')
  expect(shared).toHaveLength(1 << 20)
})
