import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gunzip, zstdDecompress } from 'node:zlib'
import { extract } from 'tar-stream'
import { detectCompression } from '../../bytes/content-encoding.ts'
import type { Descriptor, Manifest } from '../../oci/documents.ts'
import { layerCompression } from '../../oci/media-types.ts'
import { detectUnsupportedCompression, recompressAdvice } from '../../oci/unsupported-compression.ts'
import { RecordError, RecordImageError } from '../errors.ts'
import { cleanRecordPath } from '../record-path.ts'
import { RECORD_FILE_NAME } from './pack-record-image.ts'

/** The overhead of tar: headers, padding, and the table of contents in a converted image. */
const TAR_OVERHEAD_BYTES = 1024 * 1024

/** Returns the only layer of a record file image. @throws RecordImageError NOT_A_RECORD_IMAGE */
export function recordLayerOf(manifest: Manifest): Descriptor {
  const [layer, ...others] = manifest.layers
  if (layer === undefined || others.length > 0) {
    throw notARecordImage(`it has ${manifest.layers.length} layers, but a record file image has one`)
  }
  if (layerCompression(layer.mediaType) === undefined) {
    throw notARecordImage(`its layer has the media type ${JSON.stringify(layer.mediaType)}`)
  }
  return layer
}

/**
 * Extracts the record file of a layer, which is gzip, zstd or uncompressed. Its first bytes decide, because
 * media types can be wrong.
 * @param maxBytes bounds the record file
 * @throws RecordImageError NOT_A_RECORD_IMAGE; RecordError RECORD_TOO_LARGE
 */
export async function extractRecordFile(layer: Buffer, maxBytes: number): Promise<Buffer> {
  const tar = await decompress(layer, maxBytes + TAR_OVERHEAD_BYTES)
  const archive = extract()
  const source = Readable.from([tar])
  source.on('error', (error) => archive.destroy(error)).pipe(archive)
  let entryCount = 0
  try {
    for await (const entry of archive) {
      entryCount += 1
      const { name, type } = entry.header
      if (type === 'file' && cleanRecordPath(name) === RECORD_FILE_NAME) return await buffer(entry)
      entry.resume()
    }
  } catch (error) {
    throw notARecordImage(`its layer is not a tar archive: ${(error as Error).message}`, error)
  } finally {
    archive.destroy()
  }
  throw notARecordImage(`none of the ${entryCount} entries of its layer is ${RECORD_FILE_NAME}`)
}

async function decompress(layer: Buffer, maxOutputLength: number): Promise<Buffer> {
  try {
    const compression = detectCompression(layer)
    if (compression === 'gzip') return await promisify(gunzip)(layer, { maxOutputLength })
    if (compression === 'zstd') return await promisify(zstdDecompress)(layer, { maxOutputLength })
    const unsupported = detectUnsupportedCompression(layer)
    if (unsupported !== undefined) throw notARecordImage(`its layer is ${recompressAdvice(unsupported)}`)
    return layer
  } catch (error) {
    if (error instanceof RecordImageError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new RecordError('RECORD_TOO_LARGE', `the record layer has more than ${maxOutputLength} bytes`)
    }
    throw notARecordImage(`its layer cannot be decompressed: ${(error as Error).message}`, error)
  }
}

/** Returns the error for an image that is not a record file image. */
export function notARecordImage(reason: string, cause?: unknown): RecordImageError {
  return new RecordImageError('NOT_A_RECORD_IMAGE', `not a record file image: ${reason}`, { cause })
}
