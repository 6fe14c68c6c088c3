import type { LayerCompression } from '../oci/media-types.ts'
import {
  COMPRESSION_MAGIC_BYTES,
  recompressAdvice,
  unsupportedCompression,
} from '../oci/unsupported-compression.ts'
import { LayerError } from '../tar/errors.ts'
import { type LayerLimits, limitExceeded } from '../tar/limits.ts'
import { ByteSource } from './byte-source.ts'
import { type GzipHeader, gzipMembers, type Inflate } from './gzip-members.ts'
import { zstdFrames } from './zstd-frames.ts'

export type { Inflate } from './gzip-members.ts'

export type DecodingLimits = Pick<LayerLimits, 'maxPlainBytes' | 'maxWindowBytes'>

/**
 * The plain tar bytes of a layer blob. What the blob is packed with is read from its first bytes, because
 * media types are not always right. The source is read to its true end, so that a verifying source gets to
 * check its digest.
 * @throws LayerError UNSUPPORTED_LAYER, CORRUPT_GZIP, CORRUPT_ZSTD, LIMIT_EXCEEDED; errors of the source pass unchanged
 */
export async function* decodeLayer(
  source: AsyncIterable<Uint8Array>,
  o: { limits: DecodingLimits },
): AsyncGenerator<Buffer, void, void> {
  const input = new ByteSource(source)
  await compressionOfLayer(input)
  yield* decodeSource(input, o)
}

/**
 * What a layer is packed with. Closes it when that is something that is not read.
 * @throws LayerError UNSUPPORTED_LAYER; errors of the source pass unchanged
 */
export async function compressionOfLayer(input: ByteSource): Promise<LayerCompression> {
  const head = await input.peek(COMPRESSION_MAGIC_BYTES)
  const unread = unsupportedCompression(head)
  if (unread === undefined) return sniffCompression(head)
  await input.close()
  throw new LayerError('UNSUPPORTED_LAYER', `the layer is ${recompressAdvice(unread)}`)
}

/** How {@link decodeSource} decodes gzip members, other than with zlib. */
export type GzipDecoding = {
  readonly inflate?: Inflate
  /** Told of the first member's header. */
  readonly onFirstMember?: (header: GzipHeader) => void
}

/** {@link decodeLayer} of a source that was looked into before. Closes it. */
export async function* decodeSource(
  input: ByteSource,
  o: { limits: DecodingLimits } & GzipDecoding,
): AsyncGenerator<Buffer, void, void> {
  let size = 0
  try {
    for await (const bytes of plainBytes(input, o)) {
      size += bytes.length
      if (size > o.limits.maxPlainBytes) {
        throw limitExceeded(o.limits, 'maxPlainBytes', 'the layer is too large when decompressed')
      }
      yield bytes
    }
  } finally {
    await input.close()
  }
}

/** What a blob is packed with, by its first four bytes. */
function sniffCompression(head: Buffer): LayerCompression {
  if (head.length >= 3 && head.readUIntBE(0, 3) === 0x1f8b08) return 'gzip'
  if (head.length < 4) return 'none'
  const magic = head.readUInt32LE(0)
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? 'zstd' : 'none'
}

async function* plainBytes(
  input: ByteSource,
  o: { limits: DecodingLimits } & GzipDecoding,
): AsyncGenerator<Buffer, void, void> {
  const compression = sniffCompression(await input.peek(4))
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
