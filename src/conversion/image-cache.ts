import { type Digest, digestOf } from '../oci/digest.ts'
import type { Image, OpenedReference } from './image.ts'
import { OUTPUT_VERSION } from './layer-cache.ts'
import type { RecordOf } from './profiled-image.ts'
import { type ConversionOptions, compressionOf, formatOf } from './request.ts'

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
export function imageKey(
  opened: OpenedReference,
  images: readonly Image[],
  recordOf: RecordOf | undefined,
  options: ConversionOptions = {},
): Digest {
  const records = recordOf && images.map((image) => ({ ...recordOf(image), created: undefined }))
  const { reader, attestations, interpreters = true } = options
  return digestOf(
    JSON.stringify([
      OUTPUT_VERSION,
      opened.descriptor.digest,
      images.map(({ descriptor }) => descriptor.digest),
      formatOf(options),
      compressionOf(options),
      [reader, attestations, interpreters],
      records,
    ]),
  )
}
