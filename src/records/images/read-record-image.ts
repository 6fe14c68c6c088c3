import { Readable } from 'node:stream'
import type { Abortable, Repository } from '../../registry/repository.ts'
import { RecordError } from '../errors.ts'
import { readRecord } from '../formats/read-record.ts'
import type { RecordEntry, RecordLimits } from '../model.ts'
import { openManifest, type RecordImageSummary, summarizeRecordImage } from './record-image-summary.ts'
import { extractRecordFile, recordLayerOf } from './unpack-record-layer.ts'

/** A record image with its entries. */
export type RecordImage = Omit<RecordImageSummary, 'entryCount'> & { readonly entries: RecordEntry[] }

/**
 * Reads a record file image of any publisher.
 * @param options `maxBytes` bounds the layer and the record file in it
 * @throws RecordImageError NOT_A_RECORD_IMAGE; RecordError; RegistryError NOT_FOUND
 */
export async function readRecordImage(
  repository: Repository,
  tagOrDigest: string,
  options: Abortable & RecordLimits,
): Promise<RecordImage> {
  const { maxBytes, signal } = options
  const opened = await openManifest(repository, tagOrDigest, options)
  const layer = recordLayerOf(opened.manifest)
  if (layer.size > maxBytes) {
    throw new RecordError(
      'RECORD_TOO_LARGE',
      `the record layer has ${layer.size} bytes; at most ${maxBytes} are allowed`,
    )
  }
  const bytes = await repository.readBlob(layer, { limit: maxBytes, signal })
  const file = await extractRecordFile(bytes, maxBytes)
  const { entries } = await readRecord(Readable.from([file]), { ...options, format: 'stargz-record' })
  const { entryCount: _, ...summary } = await summarizeRecordImage(repository, opened, layer, options)
  return { ...summary, entries }
}
