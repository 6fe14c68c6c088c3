import type { LayerCompression } from '../oci/media-types.ts'
import { ByteSource } from './byte-source.ts'
import { LayerError } from './errors.ts'
import { gzipMembers } from './gzip-members.ts'
import type { LayerLimits } from './limits.ts'
import { zstdFrames } from './zstd-frames.ts'

/**
 * The plain tar bytes of a layer blob. What the blob is packed with is read from its first bytes, because
 * media types are not always right. The source is read to its true end, so that a verifying source gets to
 * check its digest.
 * @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD, LIMIT_EXCEEDED; errors of the source pass unchanged
 */
export async function* decodeLayer(
  source: AsyncIterable<Uint8Array>,
  o: { limits: Pick<LayerLimits, 'maxPlainBytes'> },
): AsyncGenerator<Buffer, void, void> {
  const input = new ByteSource(source)
  let size = 0
  try {
    for await (const bytes of plainBytes(input)) {
      size += bytes.length
      if (size > o.limits.maxPlainBytes) {
        throw new LayerError(
          'LIMIT_EXCEEDED',
          `the layer holds more than ${o.limits.maxPlainBytes} bytes when decompressed`,
        )
      }
      yield bytes
    }
  } finally {
    await input.close()
  }
}

/** What a blob is packed with, by its first four bytes. */
export function sniffCompression(head: Buffer): LayerCompression {
  if (head.length >= 3 && head.readUIntBE(0, 3) === 0x1f8b08) return 'gzip'
  if (head.length < 4) return 'none'
  const magic = head.readUInt32LE(0)
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? 'zstd' : 'none'
}

async function* plainBytes(input: ByteSource): AsyncGenerator<Buffer, void, void> {
  const compression = sniffCompression(await input.peek(4))
  if (compression === 'gzip') {
    for await (const event of gzipMembers(input)) if (event.kind === 'bytes') yield event.bytes
  } else if (compression === 'zstd') {
    yield* zstdFrames(input)
  } else {
    for (;;) {
      const bytes = await input.peek(1)
      if (bytes.length === 0) return
      input.skip(bytes.length)
      yield bytes
    }
  }
}
