import { gzipSync, inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { assertAgreesWithZlib, damage } from '../../../test/support/deflate/properties.ts'
import { sample } from '../../../test/support/deflate/random.ts'
import { unusualStream } from '../../../test/support/deflate/stream.ts'

/** Streams that violate the format in one way each, with the error of zlib. */
const INVALID = [
  ['an oversubscribed distance code', 'invalid distances set', '05ed110a0300000040f4f77adf8304ce6a7200'],
  [
    'a single distance with a code longer than one bit',
    'invalid distances set',
    '7dce0109000001002000b83f18007001320002',
  ],
  [
    'no distance used, and a single one with a long code',
    'invalid distances set',
    '05c0110e00500080d0c39c053be705b677a38b6c7d01d0',
  ],
  ['an incomplete literal code', 'invalid literal/lengths set', '0580110d000000c0cad53178c004116214f840'],
  [
    'an end of block as the only symbol, with a long code',
    'invalid literal/lengths set',
    '0440b0057af7c5336e38640a40800100',
  ],
  [
    'an invalid literal code after other blocks',
    'invalid literal/lengths set',
    '5a0268ef8d6900006010306d02c42b313117678ff4802f6920f4000000',
  ],
  [
    'more symbols than the format defines',
    'too many length or distance symbols',
    '05df21010000000090ab8f271c1870c08c1600',
  ],
  ['no end of block', 'invalid code -- missing end-of-block', 'ed80b041405efde8b7770e183c3104'],
  ['an invalid code of code lengths', 'invalid code lengths set', '15064000996b024000'],
  ['an undefined distance symbol', 'invalid distance code', '827d54022608e28224c01c40000000ffff'],
  ['a distance before the start', 'invalid distance too far back', '036b464300'],
  ['an invalid block type', 'invalid block type', '07'],
  ['a stored block whose lengths differ', 'invalid stored block lengths', '0100000000'],
] as const

describe('a stream that zlib rejects', () => {
  it.each(INVALID)('because of %s is rejected', async (_, message, hex) => {
    const deflated = Buffer.from(hex, 'hex')
    expect(() => inflateRawSync(deflated)).toThrow(message)
    await assertAgreesWithZlib(deflated, [], 1)
  })
})

describe('a short stream', () => {
  const content = sample(5, 150)
  const streams = {
    'of zlib': gzipSync(content).subarray(10, -8),
    'of the fixed code': gzipSync(content.subarray(0, 40)).subarray(10, -8),
    'of stored blocks': gzipSync(content, { level: 0 }).subarray(10, -8),
    'of unusual codes': unusualStream(347),
    'of unusual codes with long matches': unusualStream(382),
  }

  it.each(Object.entries(streams))(
    '%s is decoded as by zlib, with each bit flipped in turn',
    async (_, stream) => {
      for (let bit = 0; bit < stream.length * 8; bit++) {
        const flipped = damage(stream, bit >> 3, bit, 'bit')
        await assertAgreesWithZlib(flipped, [1, 20], bit)
      }
    },
  )

  it.each(Object.entries(streams))('%s is rejected if it is truncated', async (_, stream) => {
    for (let length = 0; length < stream.length; length++) {
      await assertAgreesWithZlib(stream.subarray(0, length), [1], length)
    }
  })
})
