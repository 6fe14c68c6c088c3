import type { ItemCount } from '../db/terms/term-query.ts'
import type { Digest } from '../oci/digest.ts'
import type { Labels } from '../records/stored-record.ts'
import type { ImageContent, RecordContent } from './content.ts'
import type { ConversionRelation } from './conversions/conversion-relation.ts'
import type { Location } from './location.ts'

/** Filters of a listing. Times are in milliseconds since 1970. */
export type CatalogueFilter = {
  readonly repository?: Location | undefined
  readonly workload?: string | undefined
  readonly labels?: Labels | undefined
  /** The starts of words. */
  readonly text?: string | undefined
  readonly from?: number | undefined
  readonly before?: number | undefined
}

export type PageRequest = { readonly limit: number; readonly cursor?: string | undefined }

/** `comparedAt`: when the whole listing was last compared with the registry. */
export type CataloguePage<Item> = {
  readonly items: Item[]
  readonly next?: string
  readonly total: ItemCount
  readonly comparedAt?: number | undefined
}

export type Listed = {
  readonly reference: string
  readonly seenAt: number
  /** When it was last compared with the registry. */
  readonly comparedAt?: number | undefined
}

export type ListedRecord = Listed &
  RecordContent & {
    readonly match?: 'digest' | 'repository' | undefined
    readonly recordId?: string | undefined
    readonly labels?: Labels | undefined
  }

export type ListedImage = Listed &
  ImageContent & {
    readonly digest: Digest
    /** The newest conversion that made the image. */
    readonly convertedFrom?: ConversionRelation | undefined
    /** The newest conversion of the image. */
    readonly latestConversion?: ConversionRelation | undefined
    readonly recordImages: ItemCount
  }

export type ImageRelations = {
  /** The digests that the image is known by: its own, and those of its platforms. */
  readonly digests: readonly string[]
  readonly comparedAt?: number | undefined
  readonly recordImages: CataloguePage<ListedRecord>
  readonly conversions: { readonly items: ConversionRelation[]; readonly total: ItemCount }
  readonly convertedFrom: { readonly items: ConversionRelation[]; readonly total: ItemCount }
  readonly usedBy: { readonly items: ConversionRelation[]; readonly total: ItemCount }
}
