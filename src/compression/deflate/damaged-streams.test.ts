import { gzipSync, inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { agreesWithZlib, damaged } from '../../../test/support/deflate/properties.ts'
import { sample } from '../../../test/support/deflate/random.ts'
import { oddStream } from '../../../test/support/deflate/stream.ts'

/** Streams that break the format in one way each, by what zlib says of them. */
const BROKEN = [
  [
    'a code of distances with too many of a length',
    'invalid distances set',
    '05ed110a0300000040f4f77adf8304ce6a7200',
  ],
  [
    'one distance with a code longer than a bit',
    'invalid distances set',
    '7dce0109000001002000b83f18007001320002',
  ],
  [
    'no distance used, and one with a long code',
    'invalid distances set',
    '05c0110e00500080d0c39c053be705b677a38b6c7d01d0',
  ],
  [
    'codes of literals that are too few',
    'invalid literal/lengths set',
    '0580110d000000c0cad53178c004116214f840',
  ],
  [
    'an end of block alone, with a long code',
    'invalid literal/lengths set',
    '0440b0057af7c5336e38640a40800100',
  ],
  [
    'a code of literals behind other blocks',
    'invalid literal/lengths set',
    '5a0268ef8d6900006010306d02c42b313117678ff4802f6920f4000000',
  ],
  [
    'more symbols than there are',
    'too many length or distance symbols',
    '05df21010000000090ab8f271c1870c08c1600',
  ],
  ['no end of block', 'invalid code -- missing end-of-block', 'ed80b041405efde8b7770e183c3104'],
  ['a code of code lengths that is none', 'invalid code lengths set', '15064000996b024000'],
  ['a symbol of distances that there is not', 'invalid distance code', '827d54022608e28224c01c40000000ffff'],
  ['a distance before the start', 'invalid distance too far back', '036b464300'],
  ['a block of an unknown kind', 'invalid block type', '07'],
  ['a stored block whose lengths differ', 'invalid stored block lengths', '0100000000'],
] as const

describe('a stream that zlib refuses', () => {
  it.each(BROKEN)('for %s is refused', async (_, told, hex) => {
    const deflated = Buffer.from(hex, 'hex')
    expect(() => inflateRawSync(deflated)).toThrow(told)
    await agreesWithZlib(deflated, [], 1)
  })
})

describe('a short stream', () => {
  const plain = sample(5, 150)
  const streams = {
    'of zlib': gzipSync(plain).subarray(10, -8),
    'of the fixed code': gzipSync(plain.subarray(0, 40)).subarray(10, -8),
    'of stored blocks': gzipSync(plain, { level: 0 }).subarray(10, -8),
    'of odd codes': oddStream(347),
    'of odd codes with long matches': oddStream(382),
  }

  it.each(Object.entries(streams))(
    '%s is taken for what zlib takes it for, each bit flipped in turn',
    async (_, stream) => {
      for (let bit = 0; bit < stream.length * 8; bit++) {
        const odd = damaged(stream, bit >> 3, bit, 'bit')
        await agreesWithZlib(odd, [1, 20], bit)
      }
    },
  )

  it.each(Object.entries(streams))('%s is not sound before its end', async (_, stream) => {
    for (let length = 0; length < stream.length; length++) {
      await agreesWithZlib(stream.subarray(0, length), [1], length)
    }
  })
})
