import type { Digest } from '../../oci/digest.ts'

/** The result of a conversion, and the repository that it was pushed to. */
export type CachedImage = {
  /** A `ConversionReport`, possibly in the shape of another version of the broker. */
  readonly report: unknown
  /** The digest of the manifest or index. */
  readonly digest: Digest
  readonly size: number
  readonly host: string
  readonly repository: string
}

/** Stores the results of conversions by their keys. */
export interface ImageCache {
  find(key: Digest): Promise<CachedImage | undefined>
  put(key: Digest, cached: CachedImage): Promise<void>
  /** Removes an image that is missing from its repository. */
  remove(key: Digest): Promise<void>
}
