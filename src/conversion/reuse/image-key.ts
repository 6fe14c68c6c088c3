import { type Digest, digestOf } from '../../oci/digest.ts'
import type { Conversion } from '../convert/conversion.ts'
import { outputOptions } from '../request.ts'
import { OUTPUT_VERSION } from './layer-key.ts'

/** Digest of all that the result of a conversion depends on, and what is said of its record. */
export function imageKey({ opened, found, recordOf, request, how }: Conversion): Digest {
  const { images, others } = found
  const records = recordOf && images.map((image) => ({ ...recordOf(image), created: undefined }))
  return digestOf(
    JSON.stringify([
      OUTPUT_VERSION,
      opened.descriptor.digest,
      images.map(({ descriptor, platform }) => [descriptor.digest, platform]),
      others.map(({ digest, reason }) => [digest, reason]),
      outputOptions(request.options),
      [how.isInPlace, how.links, request.platforms !== undefined],
      records,
    ]),
  )
}
