import { crc32 } from 'node:zlib'
import { releaseBuffers } from '../../bytes/release-buffers.ts'
import type { MemberCompressor } from '../member-compressor.ts'
import { Transcoder } from './transcoder.ts'

/** The number of positions that are compared at every byte. */
const SEARCH_DEPTH = 32

/** Creates a compressor for bytes without a parse to reuse. Its output is the same on every machine. */
export function createDeflateCompressor(): MemberCompressor {
  const transcoder = new Transcoder()
  transcoder.searchDepth = SEARCH_DEPTH
  function* compressPieces(parts: Iterable<Buffer>): Generator<Buffer, void, void> {
    let crc = 0
    let size = 0
    let capacity = transcoder.appendCapacity
    let appended = transcoder.uncompressed()
    transcoder.openMember(appended)
    for (const part of parts) {
      crc = crc32(part, crc)
      size += part.length
      // Writes whenever the capacity is used up, so that the output does not depend on how the content is cut
      // into parts.
      for (let offset = 0; offset < part.length; ) {
        appended = transcoder.append(part.subarray(offset, offset + capacity))
        offset += appended.length
        capacity -= appended.length
        if (capacity > 0) continue
        transcoder.write(appended)
        yield transcoder.settledOutput()
        transcoder.dropSettled()
        transcoder.discard()
        capacity = transcoder.appendCapacity
      }
    }
    if (capacity < transcoder.appendCapacity) transcoder.write(appended)
    yield transcoder.closeMember(crc, size)
    transcoder.discard()
  }
  return {
    compressPieces,
    compress(parts) {
      const pieces: Buffer[] = []
      for (const piece of compressPieces(parts)) pieces.push(Buffer.from(piece))
      const [only] = pieces
      if (only && pieces.length === 1) return only
      const member = Buffer.concat(pieces)
      releaseBuffers(...pieces)
      return member
    },
  }
}
