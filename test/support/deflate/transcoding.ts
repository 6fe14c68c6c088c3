import { crc32, gunzipSync } from 'node:zlib'
import { ByteSource } from '../../../src/compression/byte-source.ts'
import { LayerTranscoder } from '../../../src/compression/deflate/layer-transcoder.ts'
import { createFixedTuner, type Tuner } from '../../../src/compression/deflate/tuner.ts'
import { gzipMembers } from '../../../src/compression/gzip-members.ts'
import { splitIntoPieces } from '../images/convert-layer.ts'

export type TranscodeOptions = {
  /** The size of the pieces in which the source is read, or the pieces themselves. */
  readonly pieces?: number | AsyncIterable<Buffer>
  readonly tuner?: Tuner
}

/** Transcodes a gzip source into members that are cut at the given offsets of the uncompressed bytes. */
export async function transcode(
  source: Buffer,
  cuts: readonly number[],
  o: TranscodeOptions = {},
): Promise<{ members: Buffer[]; uncompressed: Buffer }> {
  const transcoder = new LayerTranscoder(o.tuner ?? createFixedTuner('transcode'))
  const members: Buffer[] = []
  const uncompressed: Buffer[] = []
  let openMember: Buffer[] = []
  const collect = (bytes: Buffer) => void openMember.push(Buffer.from(bytes))
  const close = () => {
    collect(transcoder.close())
    members.push(Buffer.concat(openMember))
    openMember = []
  }
  let position = 0
  const remainingCuts = [...cuts]
  const pieces = typeof o.pieces === 'object' ? o.pieces : splitIntoPieces(source, o.pieces)
  for await (const event of gzipMembers(new ByteSource(pieces), (from) => transcoder.inflate(from))) {
    if (event.kind !== 'bytes') continue
    uncompressed.push(Buffer.from(event.bytes))
    for (let offset = 0; offset < event.bytes.length; ) {
      const cut = remainingCuts[0] ?? Number.POSITIVE_INFINITY
      const part = event.bytes.subarray(offset, offset + cut - position)
      transcoder.add(part)
      offset += part.length
      position += part.length
      if (position === cut) {
        close()
        remainingCuts.shift()
      }
    }
    collect(transcoder.flush())
  }
  close()
  return { members, uncompressed: Buffer.concat(uncompressed) }
}

/**
 * Transcodes a source with known uncompressed bytes, and returns the members one after the other.
 * @throws Error if the transcoder decodes other bytes, or if node:zlib decodes others from the members
 */
export async function transcodeAndVerify(
  source: Buffer,
  uncompressed: Buffer,
  cuts: readonly number[],
  o: TranscodeOptions = {},
): Promise<Buffer> {
  const validCuts = [...new Set(cuts)]
    .filter((offset) => offset > 0 && offset < uncompressed.length)
    .sort((a, b) => a - b)
  const result = await transcode(source, validCuts, o)
  if (!result.uncompressed.equals(uncompressed)) throw new Error('the transcoder decoded other bytes')
  if (result.members.length !== validCuts.length + 1)
    throw new Error(`there are ${result.members.length} members`)
  for (const [i, member] of result.members.entries()) {
    const expected = uncompressed.subarray(validCuts[i - 1] ?? 0, validCuts[i] ?? uncompressed.length)
    if (!gunzipSync(member).equals(expected)) throw new Error(`member ${i} contains other bytes`)
  }
  return Buffer.concat(result.members)
}

/** Wraps a deflate stream in a gzip member. */
export function gzipMemberOf(deflated: Buffer, uncompressed: Buffer): Buffer {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(uncompressed))
  trailer.writeUInt32LE(uncompressed.length, 4)
  return Buffer.concat([Buffer.from([31, 139, 8, 0, 0, 0, 0, 0, 0, 255]), deflated, trailer])
}
