import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { shiftCrc32 } from './crc-shift.ts'

it('combines the checksums of two extents', () => {
  const bytes = fc.uint8Array({ maxLength: 3000 })
  fc.assert(
    fc.property(bytes, bytes, (first, second) => {
      const both = crc32(second, crc32(first))
      expect((shiftCrc32(crc32(first), second.length) ^ crc32(second)) >>> 0).toBe(both)
    }),
  )
})

it('shifts by more bytes than 32 bits can count', () => {
  const crc = crc32('some bytes')
  const half = 3 * 2 ** 31 + 12345
  expect(shiftCrc32(crc, 2 * half)).toBe(shiftCrc32(shiftCrc32(crc, half), half))
  expect(shiftCrc32(crc, 0)).toBe(crc)
})
