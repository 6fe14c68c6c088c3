import type { LayerCompression } from '../oci/media-types.ts'
import { ByteSource } from './byte-source.ts'
import { type DecodingLimits, decodeSource, detectLayerCompression } from './decode-layer.ts'
import { createDeflateCompressor } from './deflate/deflate-compressor.ts'
import { LayerTranscoder } from './deflate/layer-transcoder.ts'
import { AutoTuner, type CompressionChoice, createFixedTuner } from './deflate/tuner.ts'
import type { Inflate } from './gzip-members.ts'
import {
  type ContentCompressor,
  createBufferingCompressor,
  createGzipCompressor,
  createZstdCompressor,
  type MemberCompression,
  type MemberCompressor,
} from './member-compressor.ts'

/**
 * How layers are compressed. zlib at the given level compresses layers whose source has no parse to reuse;
 * zstd:chunked is always compressed by zstd.
 */
export type CompressionPolicy = {
  readonly method: 'auto' | 'transcode' | 'refine' | 'recompress'
  /** From 0 to 9 for zlib, from 1 to 22 for zstd. */
  readonly level: number
}

/** The part of the output format that determines how members are compressed. */
type MemberFormat = { readonly compression: MemberCompression }

/** A layer that is decompressed and compressed again. */
export type LayerCoder = {
  /** The tar archive. A piece is valid until the next one is requested. */
  readonly uncompressed: AsyncIterable<Buffer>
  /** Compresses the content of files, which must be added in archive order. */
  readonly content: ContentCompressor
  /** Compresses everything else. */
  readonly compressor: MemberCompressor
  /** Returns how the content was compressed, and why. Valid once the archive was read completely. */
  choice(): CompressionChoice
}

/**
 * Creates the compressor for headers, landmarks, the table of contents, and small files that share a member.
 * Its output is the same on every machine, except with zlib or zstd.
 */
export function createMemberCompressor(
  { compression }: MemberFormat,
  policy: CompressionPolicy,
): MemberCompressor {
  if (compression === 'zstd') return createZstdCompressor(policy.level)
  return policy.method === 'recompress' ? createGzipCompressor(policy.level) : createDeflateCompressor()
}

/**
 * Opens a layer. Its compression determines whether its content can be transcoded.
 * @throws LayerError UNSUPPORTED_LAYER; errors of the source
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
  const compressor = createMemberCompressor(o.format, o.compression)
  const input = new ByteSource(source)
  const recompressReason = whyRecompress(o.format, method, await detectLayerCompression(input))
  if (recompressReason !== undefined) {
    const library = o.format.compression === 'zstd' ? 'zstd' : 'zlib'
    const reason = `${recompressReason}; ${library} at level ${level}`
    const contentCompressor =
      library === 'zstd' || method === 'recompress' ? compressor : createGzipCompressor(level)
    return {
      uncompressed: decodeSource(input, o),
      content: createBufferingCompressor(contentCompressor),
      compressor,
      choice: () => ({
        method: 'recompress',
        reason,
        library: `${library} ${process.versions[library]}`,
      }),
    }
  }
  const tuner = method === 'refine' || method === 'transcode' ? createFixedTuner(method) : new AutoTuner()
  const transcoder = new LayerTranscoder(tuner)
  const inflate: Inflate = (from) => transcoder.inflate(from)
  const onFirstMember = (header: { mtime: number; extraFlags: number }) => {
    if (tuner instanceof AutoTuner) tuner.hint(header)
  }
  return {
    uncompressed: decodeSource(input, { ...o, inflate, onFirstMember }),
    content: transcoder,
    compressor,
    choice: () => tuner.choice,
  }
}

/** Returns why the parse of the source cannot be reused, or undefined if it can. */
function whyRecompress(
  { compression }: MemberFormat,
  method: CompressionPolicy['method'],
  source: LayerCompression,
): string | undefined {
  if (compression === 'zstd') return 'zstd:chunked was requested'
  if (method === 'recompress') return 'requested'
  if (source === 'gzip') return undefined
  return source === 'none' ? 'the source is not compressed' : `the source is ${source}`
}
