import type { LayerCompression } from '../oci/media-types.ts'
import {
  COMPRESSION_MAGIC_BYTES,
  detectUnsupportedCompression,
  recompressAdvice,
} from '../oci/unsupported-compression.ts'
import { LayerError } from '../tar/layer-error.ts'
import { type LayerLimits, limitExceededError } from '../tar/layer-limits.ts'
import { ByteSource } from './byte-source.ts'
import { type GzipHeader, gzipMembers, type Inflate } from './gzip-members.ts'
import { zstdFrames } from './zstd-frames.ts'

export type DecodingLimits = Pick<LayerLimits, 'maxUncompressedBytes' | 'maxWindowBytes'>

/**
 * Decompresses a layer blob and yields its tar archive. The compression is detected by the first bytes,
 * because media types are not always right. The source is read to its end, so that a verifying source can
 * check its digest.
 * @throws LayerError UNSUPPORTED_LAYER, CORRUPT_GZIP, CORRUPT_ZSTD, LIMIT_EXCEEDED; errors of the source
 */
export async function* decodeLayer(
  source: AsyncIterable<Uint8Array>,
  o: { limits: DecodingLimits },
): AsyncGenerator<Buffer, void, void> {
  const input = new ByteSource(source)
  await detectLayerCompression(input)
  yield* decodeSource(input, o)
}

/**
 * Detects the compression of a layer. Closes the input if it is not supported.
 * @throws LayerError UNSUPPORTED_LAYER; errors of the source
 */
export async function detectLayerCompression(input: ByteSource): Promise<LayerCompression> {
  const head = await input.peek(COMPRESSION_MAGIC_BYTES)
  const unsupported = detectUnsupportedCompression(head)
  if (unsupported === undefined) return detectCompression(head)
  await input.close()
  throw new LayerError('UNSUPPORTED_LAYER', `the layer is ${recompressAdvice(unsupported)}`)
}

/** How {@link decodeSource} decodes gzip members. */
export type GzipDecoding = {
  /** Default: zlib. */
  readonly inflate?: Inflate
  /** Receives the header of the first member. */
  readonly onFirstMember?: (header: GzipHeader) => void
}

/** Decompresses a layer as {@link decodeLayer} does, after its compression was detected. Closes the input. */
export async function* decodeSource(
  input: ByteSource,
  o: { limits: DecodingLimits } & GzipDecoding,
): AsyncGenerator<Buffer, void, void> {
  let size = 0
  try {
    for await (const bytes of uncompressedBytes(input, o)) {
      size += bytes.length
      if (size > o.limits.maxUncompressedBytes) {
        throw limitExceededError(o.limits, 'maxUncompressedBytes', 'the layer is too large when decompressed')
      }
      yield bytes
    }
  } finally {
    await input.close()
  }
}

/** Detects a supported compression by the first four bytes. */
function detectCompression(head: Buffer): LayerCompression {
  if (head.length >= 3 && head.readUIntBE(0, 3) === 0x1f8b08) return 'gzip'
  if (head.length < 4) return 'none'
  const magic = head.readUInt32LE(0)
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? 'zstd' : 'none'
}

async function* uncompressedBytes(
  input: ByteSource,
  o: { limits: DecodingLimits } & GzipDecoding,
): AsyncGenerator<Buffer, void, void> {
  const compression = detectCompression(await input.peek(4))
  if (compression === 'gzip') {
    for await (const event of gzipMembers(input, o.inflate)) {
      if (event.kind === 'bytes') yield event.bytes
      else if (event.kind === 'member' && event.offset === 0) o.onFirstMember?.(event.header)
    }
  } else if (compression === 'zstd') {
    for await (const event of zstdFrames(input, o.limits)) if (event.kind === 'bytes') yield event.bytes
  } else {
    for (;;) {
      const bytes = await input.peek(1)
      if (bytes.length === 0) return
      input.skip(bytes.length)
      yield bytes
    }
  }
}
