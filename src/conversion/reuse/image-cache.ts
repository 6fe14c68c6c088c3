import { type Digest, digestOf } from '../../oci/digest.ts'
import type { Conversion } from '../convert/conversion.ts'
import { outputOptions } from '../request.ts'
import { OUTPUT_VERSION } from './layer-cache.ts'

/** The result of a conversion, and where it lay. */
export type CachedImage = {
  /** A `ConversionReport`; of another version of the broker it may have another shape. */
  readonly report: unknown
  /** Of the manifest or index. */
  readonly digest: Digest
  readonly size: number
  readonly host: string
  readonly repository: string
}

/** Remembers what whole conversions came out as. */
export interface ImageCache {
  find(key: Digest): Promise<CachedImage | undefined>
  put(key: Digest, cached: CachedImage): Promise<void>
  /** The image is not where it was. */
  forget(key: Digest): Promise<void>
}

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
