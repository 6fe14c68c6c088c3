import { Readable } from 'node:stream'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { type ContentEncoding, decodeContent, parseContentEncoding } from './content-encoding.ts'

const content = Buffer.from('/usr/bin/app\n'.repeat(50_000))
const encoded: [ContentEncoding, Buffer][] = [
  ['gzip', gzipSync(content)],
  ['deflate', deflateSync(content)],
  ['deflate', deflateRawSync(content)],
  ['br', brotliCompressSync(content)],
  ['zstd', zstdCompressSync(content)],
]

async function decode(encoding: ContentEncoding, bytes: Buffer, pieceBytes = 1000): Promise<Buffer> {
  const pieces = []
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    pieces.push(bytes.subarray(offset, offset + pieceBytes))
  }
  return Buffer.concat(await Array.fromAsync(decodeContent(Readable.from(pieces), encoding)))
}

it.each(encoded)('decodes %s', async (encoding, bytes) => {
  for (const pieceBytes of [1000, 1]) {
    expect((await decode(encoding, bytes, pieceBytes)).equals(content)).toBe(true)
  }
})

it.each(encoded)('rejects %s that is truncated or damaged', async (encoding, bytes) => {
  const error = { name: 'ContentEncodingError', message: expect.stringMatching(encoding) }
  await expect(decode(encoding, bytes.subarray(0, bytes.length / 2))).rejects.toMatchObject(error)
  await expect(decode(encoding, Buffer.from('/usr/bin/app\n/etc/passwd\n'))).rejects.toMatchObject(error)
})

it('passes errors of the source on, and closes the source when its reader stops', async () => {
  const failing = async function* () {
    yield gzipSync(content).subarray(0, 100)
    throw new TypeError('gone')
  }
  await expect(Array.fromAsync(decodeContent(failing(), 'gzip'))).rejects.toThrow(TypeError)
  let isClosed = false
  const endless = async function* () {
    try {
      for (;;) yield gzipSync(content)
    } finally {
      isClosed = true
    }
  }
  for await (const _ of decodeContent(endless(), 'gzip')) break
  await expect.poll(() => isClosed).toBe(true)
})

it('parses Content-Encoding headers', () => {
  expect(['', 'identity', 'X-GZIP', 'br', 'compress', 'gzip, gzip'].map(parseContentEncoding)).toEqual([
    undefined,
    undefined,
    'gzip',
    'br',
    'unknown',
    'unknown',
  ])
})
