import type { CompressionChoice } from '../../compression/deflate/tuner.ts'
import type { CompressionPolicy } from '../../compression/layer-coder.ts'
import type { BlobFormat } from '../../estargz/blob-format.ts'
import type { BlobResult } from '../../estargz/build/blob-result.ts'
import type { AddedDirectory, DirectorySummary } from '../../estargz/index/added-directories.ts'
import type { ArchiveMetadata } from '../../estargz/index/archive-metadata.ts'
import type { IndexColumns } from '../../estargz/index/index-columns.ts'
import type { LayerIndexData } from '../../estargz/index/layer-index.ts'
import type { ExpectedLayer, VerifiedBlob } from '../../estargz/verify/verify-blob.ts'
import type { Digest } from '../../oci/digest.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import type { AppliedRecord, ApplyTask } from './apply-task.ts'
import type { ReadToc, TocTask } from './toc-task.ts'

/** How a task compresses and writes a layer. */
type WriteSettings = {
  readonly format: BlobFormat
  readonly limits: LayerLimits
  readonly compression: CompressionPolicy
}

/** `keepIndex`: whether to return the index of the blob, from which it can be rearranged later. */
type BlobSettings = WriteSettings & { readonly keepIndex: boolean }

/** A task of a layer thread. Some tasks read the blob of a layer as input, some write bytes as output. */
export type LayerTask =
  /** Input: a layer. Output: its gzip or zstd members in source order. */
  | ({ readonly kind: 'split' } & WriteSettings)
  /** Input: a layer. Output: an eStargz blob without prioritized files. */
  | ({ readonly kind: 'stream' } & BlobSettings)
  /**
   * No input. Output: an eStargz blob of the members in the file `membersPath`, the prioritized ones first.
   */
  | ({
      readonly kind: 'assemble'
      readonly index: LayerIndexData
      readonly prioritized: readonly string[]
      /** Directories to add to the layer. */
      readonly added: readonly AddedDirectory[]
      readonly membersPath: string
    } & BlobSettings)
  /** Input: an eStargz blob. No output. */
  | {
      readonly kind: 'verify'
      readonly limits: LayerLimits
      readonly expected: ExpectedLayer
      /** Whether to return the metadata of the entries, for a `compare` task. */
      readonly returnMetadata: boolean
      /** The blob with the table of contents, if the layer does not contain it. */
      readonly externalToc?: Uint8Array | undefined
    }
  /** Input: a layer. No output. */
  | { readonly kind: 'list'; readonly limits: LayerLimits }
  // The other tasks have neither input nor output.
  | ({ readonly kind: 'directories' } & DirectoriesTask)
  | ({ readonly kind: 'toc' } & TocTask)
  | ({ readonly kind: 'apply'; readonly limits: LayerLimits } & ApplyTask)
  /**
   * Compares the root file system of a pulled source with that of its lazily read conversion. The lowest
   * layer is first.
   */
  | {
      readonly kind: 'compare'
      readonly limits: LayerLimits
      readonly source: readonly ArchiveMetadata[]
      readonly converted: readonly ArchiveMetadata[]
    }

/** Looks up the directories that a layer lacks in the layers below, the nearest first. */
export type DirectoriesTask = { readonly own: IndexColumns; readonly lower: readonly IndexColumns[] }

/** What a streamed layer contains, known when its archive has been read. `columns` are those of a listing. */
export type ScannedLayer = DirectorySummary & { readonly columns: IndexColumns }

/** `encodedIndex`: the index of the members of the blob, encoded by `encodeIndex`. */
type WrittenBlob = BlobResult & DirectorySummary & { sourceDiffId: Digest; encodedIndex?: Uint8Array }

/** The result of each kind of task. */
export type LayerResults = {
  split: { index: LayerIndexData; compression: CompressionChoice }
  stream: WrittenBlob & { compression: CompressionChoice }
  assemble: WrittenBlob
  verify: Omit<VerifiedBlob, 'metadata'> & { metadata?: ArchiveMetadata }
  list: ArchiveMetadata & { uncompressedBytes: number }
  directories: AddedDirectory[]
  toc: ReadToc
  apply: AppliedRecord
  /** The differences as text. */
  compare: string[]
}

export type LayerResult = LayerResults[LayerTask['kind']]
