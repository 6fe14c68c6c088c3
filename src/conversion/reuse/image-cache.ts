import type { Digest } from '../../oci/digest.ts'

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
