import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { compressBuffer, decompressBuffer } from './compressed-buffer.ts'

it('restores the bytes that were compressed, and rejects a different length', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('a'), randomBytes(3_000_000), Buffer.alloc(5_000_000)]) {
    const compressed = compressBuffer(bytes)
    expect(decompressBuffer(compressed, bytes.length).equals(bytes)).toBe(true)
    expect(() => decompressBuffer(compressed, bytes.length + 1)).toThrow(RangeError)
  }
})

it('uses no more memory than the compressed bytes need', () => {
  const compressed = compressBuffer(Buffer.from('{"name":"usr/lib/x"}\n'.repeat(12_000)))
  expect(compressed.buffer.byteLength).toBeLessThan(20_000)
})
