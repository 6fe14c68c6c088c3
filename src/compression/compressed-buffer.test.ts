import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { compressBuffer, decompressBuffer } from './compressed-buffer.ts'

it('gives back the bytes that were packed, and says when they are not as many', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('a'), randomBytes(3_000_000), Buffer.alloc(5_000_000)]) {
    const packed = compressBuffer(bytes)
    expect(decompressBuffer(packed, bytes.length).equals(bytes)).toBe(true)
    expect(() => decompressBuffer(packed, bytes.length + 1)).toThrow(RangeError)
  }
})

it('holds no more memory than what is packed takes', () => {
  const packed = compressBuffer(Buffer.from('{"name":"usr/lib/x"}\n'.repeat(12_000)))
  expect(packed.buffer.byteLength).toBeLessThan(20_000)
})
