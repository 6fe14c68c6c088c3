import { crc32 } from 'node:zlib'
import { release } from '../../bytes/release.ts'
import type { MemberCompressor } from '../members.ts'
import { Transcoder } from './transcoder.ts'

/** Places looked at for every byte. */
const DEPTH = 32

/** Makes members of bytes that have no parse; the same ones on every machine. */
export function packer(): MemberCompressor {
  const transcoder = new Transcoder()
  transcoder.depth = DEPTH
  return {
    pack(parts) {
      const settled: Buffer[] = []
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
          const written = Buffer.from(transcoder.settled())
          settled.push(written)
          transcoder.drop()
          transcoder.pass()
          room = transcoder.appendRoom
        }
      }
      if (room < transcoder.appendRoom) transcoder.write(held)
      const member = Buffer.concat([...settled, transcoder.close(crc, size)])
      transcoder.pass()
      release(...settled)
      return member
    },
  }
}
