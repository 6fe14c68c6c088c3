/** A conversion, as the relations of its images show it. */
export type ConversionRelation = {
  /** The latest job with this result, if it is of the caller's project. */
  readonly conversionId?: string
  readonly source: string
  readonly sourceDigest: string
  readonly target: string
  readonly digest: string
  /** The record images that were used. */
  readonly recordImages: readonly string[]
  /** The stored record that was used. */
  readonly recordId?: string
  readonly images: readonly { readonly platform: string; readonly source: string; readonly digest: string }[]
  readonly finishedAt: number
}
