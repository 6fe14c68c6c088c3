import { crc32 } from 'node:zlib'
import type { MemberCompressor } from '../members.ts'
import { GZIP_HEADER, gzipTrailer } from './gzip-member.ts'
import { Transcoder } from './transcoder.ts'

/** Places looked at for every byte. */
const DEPTH = 32

/** Makes members of bytes that have no parse; the same ones on every machine. */
export function packer(): MemberCompressor {
  const transcoder = new Transcoder()
  transcoder.depth = DEPTH
  return {
    gzip(parts) {
      const deflated: Buffer[] = [GZIP_HEADER]
      let crc = 0
      let size = 0
      for (const bytes of slices(parts, transcoder.appendRoom)) {
        const held = transcoder.append(bytes)
        if (size === 0) transcoder.open(held)
        transcoder.write(held)
        const settled = Buffer.from(transcoder.settled())
        deflated.push(settled)
        transcoder.drop(settled.length)
        transcoder.pass()
        crc = crc32(bytes, crc)
        size += bytes.length
      }
      if (size === 0) transcoder.open(transcoder.plain())
      return Buffer.concat([...deflated, transcoder.close(), gzipTrailer(crc, size)])
    },
  }
}

/** The bytes of the parts in slices whose borders do not depend on how they are cut. */
function* slices(parts: readonly Buffer[], length: number): Generator<Buffer> {
  const [only, ...more] = parts
  const whole = only && more.length === 0 ? only : Buffer.concat(parts)
  for (let at = 0; at < whole.length; at += length) yield whole.subarray(at, at + length)
}
