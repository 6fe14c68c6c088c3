import { stat } from 'node:fs/promises'
import type { Repository } from '../src/registry/repository.ts'
import type { Conversions, ConversionMeasurement } from './conversions.ts'
import { pushHugeImage } from './source/huge-layer.ts'
import type { SourceLayer } from './source/source-layers.ts'

/** The files of the layer of many small files so many times, each time below another folder: about 260,000 entries. */
const COPIES = 8

/** What conversions and the verification of a layer of very many files took. `entries`: how many it has. */
export type ManyEntriesMeasurements = {
  readonly entries: number
  readonly uncompressedBytes: number
  readonly compressedBytes: number
  readonly streamed: ConversionMeasurement
  readonly arranged: ConversionMeasurement
  /** A string: why there is nothing to measure. */
  readonly rearranged: ConversionMeasurement | string
  readonly verified: ConversionMeasurement
}

/** Converts such a layer without a record, with one, and again with another one; verifies what came of the first. */
export async function measureManyEntries(
  repository: Repository,
  { archivePath: path }: SourceLayer,
  conversions: Conversions,
): Promise<ManyEntriesMeasurements> {
  const { size } = await stat(path)
  const image = await pushHugeImage(repository, path, path, COPIES * size)
  const streamed = await conversions.convert(image, [])
  const arranged = await conversions.convertWithRecord(image)
  const rearranged = await conversions.rearrange(image)
  const verified = await conversions.verify(image)
  const { uncompressedBytes: plain, compressedBytes: packed } = image
  return { entries: streamed.entries ?? 0, uncompressedBytes: plain, compressedBytes: packed, streamed, arranged, rearranged, verified }
}
