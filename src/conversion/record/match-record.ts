import type { Digest } from '../../oci/digest.ts'
import { formatReference } from '../../oci/reference.ts'
import { bestFor, type FoundRecordImage } from '../../records/images/finder.ts'
import { readRecordImage } from '../../records/images/record-image.ts'
import { ConversionError } from '../errors.ts'
import type { ConversionServices } from '../services.ts'
import type { Image, OpenedReference } from '../source/images.ts'
import type { Profiled, RecordFor } from './profiled-image.ts'

/** Of what a report tells of an annotation: references are no longer. */
const MAX_CHARACTERS = 600

/**
 * Chooses the record of each image of the source from the registry: one of the same digest, then one of the same
 * repository, the newest first.
 * @throws ConversionError RECORD_NOT_FOUND; RecordImageError; RegistryError
 */
export async function matchRecord(
  workload: string | undefined,
  opened: OpenedReference,
  images: readonly Image[],
  services: ConversionServices,
  signal: AbortSignal,
): Promise<RecordFor> {
  const found = await services.finder.find({ image: opened.pinned, workload, signal })
  const records = new Map<Digest, Profiled>()
  for (const { descriptor, platform } of images) {
    const best = bestFor(found, descriptor.digest, opened.descriptor.digest)
    if (!best) {
      throw new ConversionError(
        'RECORD_NOT_FOUND',
        `no record image belongs to ${opened.pinned} (${platform})${workload === undefined ? '' : ` with the workload ${workload}`}; publish one, or name the record`,
      )
    }
    records.set(descriptor.digest, await read(best, services, signal))
  }
  return (image) => records.get(image.descriptor.digest) ?? { entries: [] }
}

async function read(
  best: FoundRecordImage,
  services: ConversionServices,
  signal: AbortSignal,
): Promise<Profiled> {
  const { digest, place, match, image, workload, created } = best
  const repository = services.registries.repository(place)
  const { entries, subject } = await readRecordImage(repository, digest, {
    ...services.recordLimits,
    signal,
  })
  const known = {
    ...(image !== undefined && { image }),
    ...(workload !== undefined && { workload }),
    ...(created !== undefined && { created }),
  }
  const said = Object.fromEntries(
    Object.entries(known).map(([name, text]) => [name, text.slice(0, MAX_CHARACTERS)]),
  )
  const from = { reference: formatReference({ ...place, digest }), match, ...said }
  return { entries, imageDigest: subject, ...known, from }
}
