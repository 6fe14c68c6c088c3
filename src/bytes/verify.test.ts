import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../oci/digest.ts'
import { verifyBytes, verifyStream } from './verify.ts'

const bytes = Buffer.from('some bytes')
const good = { digest: digestOf(bytes), size: bytes.length }
const through = (expected: typeof good, pieces: Buffer[]) =>
  buffer(Readable.from(pieces).compose(verifyStream(expected, 'the blob')))

describe('verifyStream', () => {
  it('passes the promised bytes, in pieces of any size', async () => {
    expect(
      await through(
        good,
        [...bytes].map((byte) => Buffer.from([byte])),
      ),
    ).toEqual(bytes)
  })

  it('fails before the end on a byte too many, a byte too few, and another digest', async () => {
    await expect(through(good, [bytes, Buffer.from('!')])).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
    await expect(through(good, [bytes.subarray(1)])).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
    await expect(through(good, [Buffer.from('some bytez')])).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    })
  })
})

describe('verifyBytes', () => {
  it('names what is wrong', () => {
    expect(() => verifyBytes(bytes, good, 'x')).not.toThrow()
    expect(() => verifyBytes(Buffer.from('other'), good, 'manifest x')).toThrow(
      'manifest x has 5 bytes where 10',
    )
  })
})
