import { crc32 } from 'node:zlib'
import { release } from '../../bytes/release.ts'
import type { MemberCompressor } from '../member-compressor.ts'
import { Transcoder } from './transcoder.ts'

/** Places looked at for every byte. */
const DEPTH = 32

/** Makes members of bytes that have no parse; the same ones on every machine. */
export function deflateCompressor(): MemberCompressor {
  const transcoder = new Transcoder()
  transcoder.depth = DEPTH
  function* pieces(parts: Iterable<Buffer>): Generator<Buffer, void, void> {
    let crc = 0
    let size = 0
    let room = transcoder.appendRoom
    let held = transcoder.plain()
    transcoder.open(held)
    for (const part of parts) {
      crc = crc32(part, crc)
      size += part.length
      // Where it is written does not depend on how the parts are cut.
      for (let at = 0; at < part.length; ) {
        held = transcoder.append(part.subarray(at, at + room))
        at += held.length
        room -= held.length
        if (room > 0) continue
        transcoder.write(held)
        yield transcoder.settled()
        transcoder.drop()
        transcoder.pass()
        room = transcoder.appendRoom
      }
    }
    if (room < transcoder.appendRoom) transcoder.write(held)
    yield transcoder.close(crc, size)
    transcoder.pass()
  }
  return {
    pieces,
    pack(parts) {
      const copies: Buffer[] = []
      for (const piece of pieces(parts)) copies.push(Buffer.from(piece))
      const [only] = copies
      if (only && copies.length === 1) return only
      const member = Buffer.concat(copies)
      release(...copies)
      return member
    },
  }
}
