import type { CompressionChoice } from '../../compression/deflate/tuner.ts'
import type { BlobResult } from '../../estargz/build/blob-result.ts'
import type { DirectorySummary } from '../../estargz/index/added-directories.ts'
import type { Digest } from '../../oci/digest.ts'

/**
 * A converted layer in a registry, with everything that manifests and reports contain about it. It is cached
 * as JSON, so the names of its fields are a storage format.
 */
export type ConvertedLayer = Omit<BlobResult, 'externalToc' | 'externalTocDiffId'> & {
  /** The digest of the uncompressed source layer. */
  readonly sourceDiffId: Digest
  readonly compression: CompressionChoice
  /** The blob with the table of contents, if it is not part of the layer. */
  readonly externalToc?: { readonly digest: Digest; readonly size: number; readonly diffId: Digest }
} & DirectorySummary

/** How a converted layer was created; `LayerReport` describes the values. */
export type LayerAction = 'streamed' | 'arranged' | 'rearranged' | 'reused'

export type LayerOutcome = { readonly layer: ConvertedLayer; readonly action: LayerAction }
