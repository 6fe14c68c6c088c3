import { type Digest, digestOf } from '../../oci/digest.ts'
import type { ConversionPlan } from '../conversion-plan.ts'
import type { LoadedRecord } from '../record/loaded-record.ts'
import { outputOptions } from '../request.ts'
import { OUTPUT_VERSION } from './layer-key.ts'

/**
 * Returns the digest of everything that the result and the report of a conversion depend on. The hashed JSON
 * is a storage format: another order or other field names would orphan all cached images. It contains no
 * reasons of the report, which are texts that may be reworded.
 */
export function computeImageKey(plan: ConversionPlan): Digest {
  const { source, request, recordFor, sourceRelation } = plan
  const { images, others } = plan.images
  return digestOf(
    JSON.stringify([
      OUTPUT_VERSION,
      source.descriptor.digest,
      images.map(({ descriptor, platform }) => [descriptor.digest, platform]),
      others.map(({ digest }) => digest),
      outputOptions(request.options),
      [sourceRelation.replacesSource, sourceRelation.linksSource, request.platforms !== undefined],
      recordFor && images.map((image) => hashedFields(recordFor(image))),
    ]),
  )
}

/** The names under which fields of a record are hashed, where they differ from the names in memory. */
const HASHED_NAMES: Readonly<Record<string, string>> = {
  createdAt: 'created',
  origin: 'from',
  profiledImageUnknown: 'unknown',
}

/** When the record was created makes no difference to the result. */
function hashedFields({ createdAt: _, ...record }: LoadedRecord): Record<string, unknown> {
  return renameFields({ ...record, ...(record.origin && { origin: renameFields(record.origin) }) })
}

function renameFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [HASHED_NAMES[name] ?? name, value]),
  )
}
