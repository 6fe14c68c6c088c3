import { ByteSource } from './byte-source.ts'
import { decodeSource, type Inflate, sniffCompression } from './decode.ts'
import { LayerTranscoder } from './deflate/layer-transcoder.ts'
import { packer } from './deflate/packer.ts'
import { AutoTuner, type CompressionChoice, fixedTuner } from './deflate/tuner.ts'
import type { LayerLimits } from './limits.ts'
import { type ContentCompressor, collecting, type MemberCompressor, recompressor } from './members.ts'

/** How layers are compressed. Where a source has no parse to keep, `level` is that of zlib. */
export type Compression = {
  readonly method: 'auto' | 'transcode' | 'refine' | 'recompress'
  /** From 0 to 9. */
  readonly level: number
}

/** A layer as it is read and compressed again. */
export type LayerCoder = {
  /** The plain tar bytes; pieces are valid until the next one. */
  readonly plain: AsyncIterable<Buffer>
  /** Takes the content of the plain bytes, in their order. */
  readonly content: ContentCompressor
  /** For everything else. */
  readonly compressor: MemberCompressor
  /** What was done with the content, and why; of use once all of it is read. */
  choice(): CompressionChoice
}

/** Compresses what is no content: headers, landmark, table of contents. The same bytes on every machine, unless zlib is asked for. */
export function compressorFor(compression: Compression): MemberCompressor {
  return compression.method === 'recompress' ? recompressor(compression.level) : packer()
}

/**
 * Opens a layer: what it is packed with decides what can be done with it.
 * @throws LayerError; errors of the source pass unchanged
 */
export async function openLayerCoder(
  source: AsyncIterable<Uint8Array>,
  o: { compression: Compression; limits: Pick<LayerLimits, 'maxPlainBytes'> },
): Promise<LayerCoder> {
  const { method, level } = o.compression
  const compressor = compressorFor(o.compression)
  const input = new ByteSource(source)
  const packed = sniffCompression(await input.peek(4))
  if (method === 'recompress' || packed !== 'gzip') {
    const zlib = method === 'recompress' ? compressor : recompressor(level)
    const reason =
      method === 'recompress' ? 'asked for' : `the source is ${packed === 'none' ? 'not compressed' : packed}`
    return {
      plain: decodeSource(input, o),
      content: collecting(zlib),
      compressor,
      choice: () => ({ method: 'recompress', reason: `${reason}; zlib at level ${level}` }),
    }
  }
  const tuner = method === 'auto' ? new AutoTuner() : fixedTuner(method)
  const transcoder = new LayerTranscoder(tuner)
  const inflate: Inflate = (from) => transcoder.inflate(from)
  const onFirstMember = (hint: { mtime: number; extraFlags: number }) => {
    if (tuner instanceof AutoTuner) tuner.hint(hint)
  }
  return {
    plain: decodeSource(input, { ...o, inflate, onFirstMember }),
    content: transcoder,
    compressor,
    choice: () => tuner.choice,
  }
}
