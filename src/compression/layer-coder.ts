import type { LayerCompression } from '../oci/media-types.ts'
import { ByteSource } from './byte-source.ts'
import { compressionOfLayer, type DecodingLimits, decodeSource, type Inflate } from './decode.ts'
import { LayerTranscoder } from './deflate/layer-transcoder.ts'
import { deflateCompressor } from './deflate/packer.ts'
import { AutoTuner, type CompressionChoice, fixedTuner } from './deflate/tuner.ts'
import {
  bufferingCompressor,
  type ContentCompressor,
  gzipCompressor,
  type MemberCompression,
  type MemberCompressor,
  zstdCompressor,
} from './member-compressor.ts'

/** How layers are compressed. Where a source has no parse to keep, by zlib at the level; zstd:chunked always by zstd. */
export type CompressionPolicy = {
  readonly method: 'auto' | 'transcode' | 'refine' | 'recompress'
  /** Of zlib from 0 to 9, of zstd from 1 to 22. */
  readonly level: number
}

/** The part of the output format that decides how members are compressed. */
type MemberFormat = { readonly compression: MemberCompression }

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

/**
 * Compresses what is no content: headers, landmark, table of contents, small files that share a member. The same bytes
 * on every machine, unless zlib or zstd is asked for.
 */
export function compressorFor(
  { compression: packing }: MemberFormat,
  compression: CompressionPolicy,
): MemberCompressor {
  if (packing === 'zstd') return zstdCompressor(compression.level)
  return compression.method === 'recompress' ? gzipCompressor(compression.level) : deflateCompressor()
}

/**
 * Opens a layer: what it is packed with decides what can be done with it.
 * @throws LayerError; errors of the source pass unchanged
 */
export async function openLayerCoder(
  source: AsyncIterable<Uint8Array>,
  o: {
    format: MemberFormat
    compression: CompressionPolicy
    limits: DecodingLimits
  },
): Promise<LayerCoder> {
  const { method, level } = o.compression
  const compressor = compressorFor(o.format, o.compression)
  const input = new ByteSource(source)
  const anew = recompressReason(o.format, method, await compressionOfLayer(input))
  if (anew !== undefined) {
    const by = o.format.compression === 'zstd' ? 'zstd' : 'zlib'
    const reason = `${anew}; ${by} at level ${level}`
    const content = by === 'zstd' || method === 'recompress' ? compressor : gzipCompressor(level)
    return {
      plain: decodeSource(input, o),
      content: bufferingCompressor(content),
      compressor,
      choice: () => ({ method: 'recompress', reason }),
    }
  }
  const tuner = method === 'refine' || method === 'transcode' ? fixedTuner(method) : new AutoTuner()
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

/** Why a parse of the source cannot be kept, or undefined where it can. */
function recompressReason(
  { compression: packing }: MemberFormat,
  method: CompressionPolicy['method'],
  source: LayerCompression,
): string | undefined {
  if (packing === 'zstd') return 'zstd:chunked was asked for'
  if (method === 'recompress') return 'asked for'
  if (source === 'gzip') return undefined
  return source === 'none' ? 'the source is not compressed' : `the source is ${source}`
}
