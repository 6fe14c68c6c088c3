import { expect, it } from 'vitest'
import { Crc64 } from './crc64.ts'

/** The sums were computed by Go's `hash/crc64`. */
it.each([
  ['', '0000000000000000'],
  ['123456789', 'b90956c775a41001'],
])('computes the CRC of %j', (text, sum) => {
  const crc = new Crc64()
  for (const byte of Buffer.from(text)) crc.add(Uint8Array.of(byte))
  expect(crc.digest().toString('hex')).toBe(sum)
})
