import { Readable } from 'node:stream'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { type ContentEncoding, contentEncodingOf, decodeContent } from './content-encoding.ts'

const plain = Buffer.from('/usr/bin/app\n'.repeat(50_000))
const packed: [ContentEncoding, Buffer][] = [
  ['gzip', gzipSync(plain)],
  ['deflate', deflateSync(plain)],
  ['deflate', deflateRawSync(plain)],
  ['br', brotliCompressSync(plain)],
  ['zstd', zstdCompressSync(plain)],
]

async function decode(encoding: ContentEncoding, bytes: Buffer, piece = 1000): Promise<Buffer> {
  const pieces = []
  for (let at = 0; at < bytes.length; at += piece) pieces.push(bytes.subarray(at, at + piece))
  const parts = []
  for await (const part of decodeContent(Readable.from(pieces), encoding)) parts.push(part)
  return Buffer.concat(parts)
}

it.each(packed)('undoes %s', async (encoding, bytes) => {
  for (const piece of [1000, 1]) expect((await decode(encoding, bytes, piece)).equals(plain)).toBe(true)
})

it.each(packed)('refuses %s that is cut off or damaged', async (encoding, bytes) => {
  const wrong = { name: 'ContentEncodingError', message: expect.stringMatching(encoding) }
  await expect(decode(encoding, bytes.subarray(0, bytes.length / 2))).rejects.toMatchObject(wrong)
  await expect(decode(encoding, Buffer.from('/usr/bin/app\n/etc/passwd\n'))).rejects.toMatchObject(wrong)
})

it('passes errors of the source on, and ends when its reader stops', async () => {
  const failing = async function* () {
    yield gzipSync(plain).subarray(0, 100)
    throw new TypeError('gone')
  }
  const read = async () => {
    for await (const _ of decodeContent(failing(), 'gzip'));
  }
  await expect(read()).rejects.toThrow(TypeError)
  let isEnded = false
  const endless = async function* () {
    try {
      for (;;) yield gzipSync(plain)
    } finally {
      isEnded = true
    }
  }
  for await (const _ of decodeContent(endless(), 'gzip')) break
  await expect.poll(() => isEnded).toBe(true)
})

it('knows codings by name', () => {
  expect(['', 'identity', 'X-GZIP', 'br', 'compress', 'gzip, gzip'].map(contentEncodingOf)).toEqual([
    undefined,
    undefined,
    'gzip',
    'br',
    'unknown',
    'unknown',
  ])
})
