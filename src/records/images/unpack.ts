import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gunzip, zstdDecompress } from 'node:zlib'
import { extract } from 'tar-stream'
import { detectCompression } from '../../bytes/content-encoding.ts'
import type { Descriptor, Manifest } from '../../oci/documents.ts'
import { layerCompression } from '../../oci/media-types.ts'
import { recompressAdvice, unsupportedCompression } from '../../oci/unsupported-compression.ts'
import { RecordError, RecordImageError } from '../errors.ts'
import { cleanRecordPath } from '../record-path.ts'
import { RECORD_FILE_NAME } from './pack.ts'

/** What tar adds to a record: headers, padding, and in images that were converted a table of contents. */
const TAR_OVERHEAD_BYTES = 1024 * 1024

/** The one layer of a manifest that can be a record file image's. @throws RecordImageError NOT_A_RECORD_IMAGE */
export function recordLayerOf(manifest: Manifest): Descriptor {
  const [layer, ...others] = manifest.layers
  if (layer === undefined || others.length > 0) {
    throw notARecordImage(`it has ${manifest.layers.length} layers where a record file image has one`)
  }
  if (layerCompression(layer.mediaType) === undefined) {
    throw notARecordImage(`its layer has the media type ${JSON.stringify(layer.mediaType)}`)
  }
  return layer
}

/**
 * The record file in a layer: gzip, zstd or plain, by its first bytes, since media types are not always right.
 * @param maxBytes bounds the record file
 * @throws RecordImageError NOT_A_RECORD_IMAGE; RecordError RECORD_TOO_LARGE
 */
export async function recordFileIn(layer: Buffer, maxBytes: number): Promise<Buffer> {
  const tar = await decompress(layer, maxBytes + TAR_OVERHEAD_BYTES)
  const archive = extract()
  const source = Readable.from([tar])
  source.on('error', (error) => archive.destroy(error)).pipe(archive)
  let entries = 0
  try {
    for await (const entry of archive) {
      entries += 1
      const { name, type } = entry.header
      if (type === 'file' && cleanRecordPath(name) === RECORD_FILE_NAME) return await buffer(entry)
      entry.resume()
    }
  } catch (error) {
    throw notARecordImage(`its layer is no tar archive: ${(error as Error).message}`, error)
  } finally {
    archive.destroy()
  }
  throw notARecordImage(`none of the ${entries} entries of its layer is ${RECORD_FILE_NAME}`)
}

async function decompress(layer: Buffer, maxOutputLength: number): Promise<Buffer> {
  try {
    const packing = detectCompression(layer)
    if (packing === 'gzip') return await promisify(gunzip)(layer, { maxOutputLength })
    if (packing === 'zstd') return await promisify(zstdDecompress)(layer, { maxOutputLength })
    const unread = unsupportedCompression(layer)
    if (unread !== undefined) throw notARecordImage(`its layer is ${recompressAdvice(unread)}`)
    return layer
  } catch (error) {
    if (error instanceof RecordImageError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new RecordError('RECORD_TOO_LARGE', `the record layer has more than ${maxOutputLength} bytes`)
    }
    throw notARecordImage(`its layer does not decompress: ${(error as Error).message}`, error)
  }
}

/** An error that says why an image is not taken for a record file image. */
export function notARecordImage(why: string, cause?: unknown): RecordImageError {
  return new RecordImageError('NOT_A_RECORD_IMAGE', `not a record file image: ${why}`, { cause })
}
