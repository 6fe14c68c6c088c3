import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../oci/digest.ts'
import { verifyBytes, verifyStream } from './verify.ts'

const bytes = Buffer.from('some bytes')
const descriptor = { digest: digestOf(bytes), size: bytes.length }
const throughVerify = (pieces: Buffer[]) =>
  buffer(Readable.from(pieces).compose(verifyStream(descriptor, 'the blob')))

describe('verifyStream', () => {
  it('passes matching bytes on, in pieces of any size', async () => {
    expect(await throughVerify([...bytes].map((byte) => Buffer.from([byte])))).toEqual(bytes)
  })

  it('fails before the end on one byte too many, one byte too few, and a different digest', async () => {
    await expect(throughVerify([bytes, Buffer.from('!')])).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
    await expect(throughVerify([bytes.subarray(1)])).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
    await expect(throughVerify([Buffer.from('some bytez')])).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    })
  })
})

describe('verifyBytes', () => {
  it('reports what does not match', () => {
    expect(() => verifyBytes(bytes, descriptor, 'x')).not.toThrow()
    expect(() => verifyBytes(Buffer.from('other'), descriptor, 'manifest x')).toThrow(
      'manifest x has 5 bytes, but its descriptor says 10',
    )
    expect(() => verifyBytes(Buffer.from('some bytez'), descriptor, 'manifest x')).toThrow(
      `but its descriptor says ${descriptor.digest}`,
    )
  })
})
