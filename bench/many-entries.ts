import { stat } from 'node:fs/promises'
import type { Repository } from '../src/registry/repository.ts'
import type { Conversions, Outcome } from './conversions.ts'
import { pushHugeImage } from './huge-layer.ts'
import type { PlainLayer } from './layers.ts'

/** The files of the layer of many small files so many times, each time below another folder: about 260,000 entries. */
const COPIES = 8

/** What conversions and the verification of a layer of very many files took. `entries`: how many it has. */
export type ManyEntries = {
  readonly entries: number
  readonly plain: number
  readonly packed: number
  readonly streamed: Outcome
  readonly arranged: Outcome
  /** A string: why there is nothing to measure. */
  readonly rearranged: Outcome | string
  readonly verified: Outcome
}

/** Converts such a layer without a record, with one, and again with another one; verifies what came of the first. */
export async function measureManyEntries(
  repository: Repository,
  { plain: path }: PlainLayer,
  conversions: Conversions,
): Promise<ManyEntries> {
  const { size } = await stat(path)
  const image = await pushHugeImage(repository, path, path, COPIES * size)
  const streamed = await conversions.convert(image, [])
  const arranged = await conversions.convertWithRecord(image)
  const rearranged = await conversions.rearrange(image)
  const verified = await conversions.verify(image)
  const { plain, packed } = image
  return { entries: streamed.entries ?? 0, plain, packed, streamed, arranged, rearranged, verified }
}
