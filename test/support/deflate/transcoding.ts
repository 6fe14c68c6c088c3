import { crc32, gunzipSync } from 'node:zlib'
import { ByteSource } from '../../../src/compression/byte-source.ts'
import { LayerTranscoder } from '../../../src/compression/deflate/layer-transcoder.ts'
import { createFixedTuner, type Tuner } from '../../../src/compression/deflate/tuner.ts'
import { gzipMembers } from '../../../src/compression/gzip-members.ts'
import { piecesOf } from '../convert-layer.ts'

export type Transcoding = {
  /** Bytes of the pieces that the source comes in, or the pieces themselves. */
  readonly pieces?: number | AsyncIterable<Buffer>
  readonly tuner?: Tuner
}

/** Cuts the plain bytes of a gzip source at borders into members, as a layer is. */
export async function transcoded(
  source: Buffer,
  borders: readonly number[],
  o: Transcoding = {},
): Promise<{ members: Buffer[]; plain: Buffer }> {
  const transcoder = new LayerTranscoder(o.tuner ?? createFixedTuner('transcode'))
  const members: Buffer[] = []
  const plain: Buffer[] = []
  let open: Buffer[] = []
  const take = (bytes: Buffer) => void open.push(Buffer.from(bytes))
  const close = () => {
    take(transcoder.close())
    members.push(Buffer.concat(open))
    open = []
  }
  let position = 0
  const left = [...borders]
  const pieces = typeof o.pieces === 'object' ? o.pieces : piecesOf(source, o.pieces)
  for await (const event of gzipMembers(new ByteSource(pieces), (from) => transcoder.inflate(from))) {
    if (event.kind !== 'bytes') continue
    plain.push(Buffer.from(event.bytes))
    for (let at = 0; at < event.bytes.length; ) {
      const border = left[0] ?? Number.POSITIVE_INFINITY
      const part = event.bytes.subarray(at, at + border - position)
      transcoder.add(part)
      at += part.length
      position += part.length
      if (position === border) {
        close()
        left.shift()
      }
    }
    take(transcoder.flush())
  }
  close()
  return { members, plain: Buffer.concat(plain) }
}

/**
 * Transcodes a source that holds these plain bytes. Answers all bytes of all members.
 * @throws where the plain bytes are others, or where node:zlib finds others in the members
 */
export async function checked(
  source: Buffer,
  plain: Buffer,
  borders: readonly number[],
  o: Transcoding = {},
): Promise<Buffer> {
  const cuts = [...new Set(borders)].filter((at) => at > 0 && at < plain.length).sort((a, b) => a - b)
  const made = await transcoded(source, cuts, o)
  if (!made.plain.equals(plain)) throw new Error('the plain bytes are others')
  if (made.members.length !== cuts.length + 1) throw new Error(`${made.members.length} members`)
  for (const [i, member] of made.members.entries()) {
    const want = plain.subarray(cuts[i - 1] ?? 0, cuts[i] ?? plain.length)
    if (!gunzipSync(member).equals(want)) throw new Error(`member ${i} holds other bytes`)
  }
  return Buffer.concat(made.members)
}

/** A gzip member around a deflate stream. */
export function gzipMemberOf(deflated: Buffer, plain: Buffer): Buffer {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(plain))
  trailer.writeUInt32LE(plain.length, 4)
  return Buffer.concat([Buffer.from([31, 139, 8, 0, 0, 0, 0, 0, 0, 255]), deflated, trailer])
}
