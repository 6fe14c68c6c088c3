import { stat } from 'node:fs/promises'
import type { Repository } from '../src/registry/repository.ts'
import type { ConversionMeasurement, Conversions } from './conversions.ts'
import { pushHugeImage } from './source/huge-layer.ts'
import type { SourceLayer } from './source/source-layers.ts'

/**
 * The number of copies of the small files, each in a directory of its own. They have about 260,000 entries.
 */
const COPIES = 8

/** Measurements of a layer with very many entries. */
export type ManyEntriesMeasurements = {
  /** The number of entries in the layer. */
  readonly entries: number
  readonly uncompressedBytes: number
  readonly compressedBytes: number
  /** The conversion without a record. */
  readonly streamed: ConversionMeasurement
  /** The conversion with a record. */
  readonly arranged: ConversionMeasurement
  /** The conversion with a second record, or the reason why it cannot be measured. */
  readonly rearranged: ConversionMeasurement | string
  /** The verification of the conversion without a record. */
  readonly verified: ConversionMeasurement
}

/** Pushes a layer with very many entries, and measures its conversions and a verification. */
export async function measureManyEntries(
  repository: Repository,
  { archivePath }: SourceLayer,
  conversions: Conversions,
): Promise<ManyEntriesMeasurements> {
  const { size } = await stat(archivePath)
  const image = await pushHugeImage(repository, archivePath, archivePath, COPIES * size)
  const { uncompressedBytes, compressedBytes } = image
  const streamed = await conversions.convert(image, [])
  const arranged = await conversions.convertWithRecord(image)
  const rearranged = await conversions.rearrange(image)
  const verified = await conversions.verify(image)
  const entries = streamed.entries ?? 0
  return { entries, uncompressedBytes, compressedBytes, streamed, arranged, rearranged, verified }
}
