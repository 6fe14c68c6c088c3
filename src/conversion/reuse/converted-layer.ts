import type { CompressionChoice } from '../../compression/deflate/tuner.ts'
import type { BlobResult } from '../../estargz/build/blob.ts'
import type { DirectorySummary } from '../../estargz/index/added-directories.ts'
import type { Digest } from '../../oci/digest.ts'

/** A converted layer that lies in a registry, with all that manifests and reports say of it. JSON. */
export type ConvertedLayer = Omit<BlobResult, 'externalToc' | 'externalTocDiffId'> & {
  /** Of the plain bytes of the source. */
  readonly sourceDiffId: Digest
  readonly compression: CompressionChoice
  /** The blob with the table of contents, where the layer goes without one. */
  readonly externalToc?: { readonly digest: Digest; readonly size: number; readonly diffId: Digest }
} & DirectorySummary

/** How a converted layer came to be. */
export type LayerAction = 'streamed' | 'arranged' | 'rearranged' | 'reused'

export type LayerOutcome = { readonly layer: ConvertedLayer; readonly action: LayerAction }
