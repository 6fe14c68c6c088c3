import type { CompressionChoice } from '../../compression/deflate/tuner.ts'
import type { CompressionPolicy } from '../../compression/layer-coder.ts'
import type { BlobFormat } from '../../estargz/blob-format.ts'
import type { BlobResult } from '../../estargz/build/blob.ts'
import type { AddedDirectory, DirectorySummary } from '../../estargz/index/added-directories.ts'
import type { IndexColumns } from '../../estargz/index/archive-index.ts'
import type { IndexData } from '../../estargz/index/layer-index.ts'
import type { LayerTree } from '../../estargz/index/layer-tree.ts'
import type { ExpectedLayer, VerifiedBlob } from '../../estargz/verify/verify.ts'
import type { Digest } from '../../oci/digest.ts'
import type { RecordErrorCode } from '../../records/errors.ts'
import type { LayerErrorCode } from '../../tar/errors.ts'
import type { LayerLimits } from '../../tar/limits.ts'
import type { AppliedRecord, ApplyTask } from './apply-task.ts'
import type { Piece } from './shared-pieces.ts'
import type { ReadToc, TocTask } from './toc-task.ts'

/** Whether the index of what was written is answered, for another arrangement. */
type Keeping = { readonly keepIndex: boolean }
type Writing = {
  readonly format: BlobFormat
  readonly limits: LayerLimits
  readonly compression: CompressionPolicy
}

/** What a layer thread can do. Those with input read a layer's blob; those with output write bytes. */
export type LayerTask =
  /** Layer in, gzip members in source order out. */
  | ({ readonly kind: 'split' } & Writing)
  /** Layer in, eStargz blob with no prioritized files out. */
  | ({ readonly kind: 'stream' } & Writing & Keeping)
  /** Members from the file at `members`, arranged, out as an eStargz blob. No input. */
  | ({
      readonly kind: 'assemble'
      readonly index: IndexData
      readonly prioritized: readonly string[]
      /** Directories that the layer lacks. */
      readonly added: readonly AddedDirectory[]
      readonly members: string
    } & Writing &
      Keeping)
  /** eStargz blob in, no output. */
  | {
      readonly kind: 'verify'
      readonly limits: LayerLimits
      readonly promised: ExpectedLayer
      /** Whether what the layer holds is answered, to be compared. */
      readonly keepTree: boolean
      /** The blob with the table of contents, where the layer goes without one. */
      readonly externalToc?: Uint8Array | undefined
    }
  /** Layer in, no output. */
  | { readonly kind: 'list'; readonly limits: LayerLimits }
  /** Neither input nor output. */
  | ({ readonly kind: 'directories' } & DirectoriesTask)
  | ({ readonly kind: 'toc' } & TocTask)
  | ({ readonly kind: 'apply'; readonly limits: LayerLimits } & ApplyTask)
  /** What a pull of a source shows and what a lazy reader of its conversion does, compared; layers go lowest first. */
  | {
      readonly kind: 'compare'
      readonly limits: LayerLimits
      readonly source: readonly LayerTree[]
      readonly converted: readonly LayerTree[]
    }

/** `packedIndex`: the index of the blob's members, by {@link packIndex}. */
type Written = BlobResult & DirectorySummary & { sourceDiffId: Digest; packedIndex?: Uint8Array }

/** Looks in the layers below, the nearest first, for directories that a layer lacks. */
export type DirectoriesTask = { readonly own: IndexColumns; readonly lower: readonly IndexColumns[] }

/** What a layer that is streamed says of itself at the end of its archive; `columns`: those of its listing. */
export type ScannedLayer = DirectorySummary & { readonly columns: IndexColumns }

export type LayerResults = {
  split: { index: IndexData; compression: CompressionChoice }
  stream: Written & { compression: CompressionChoice }
  assemble: Written
  verify: Omit<VerifiedBlob, 'tree'> & { tree?: LayerTree }
  list: LayerTree & { plainBytes: number }
  directories: AddedDirectory[]
  toc: ReadToc
  apply: AppliedRecord
  compare: string[]
}

/** Memory that a thread shares with the pool; see shared-pieces.ts. */
export type SharedMemory = { readonly input: SharedArrayBuffer; readonly output: SharedArrayBuffer }

/**
 * What the pool tells a thread. `taken`: a piece of output was used, and may be filled again. `added`: the directories that a
 * layer gets that was scanned.
 */
export type ToThread =
  | { readonly kind: 'task'; readonly task: LayerTask }
  | ({ readonly kind: 'input' } & Piece)
  | { readonly kind: 'input-end' }
  | { readonly kind: 'taken'; readonly piece: number }
  | { readonly kind: 'added'; readonly added: readonly AddedDirectory[] }

/**
 * What a thread tells the pool. `taken`: a piece of input was used, and may be filled again. `scanned`: it is at the end of an
 * archive; `isWaiting`: for the directories that it gets.
 */
export type FromThread =
  | { readonly kind: 'taken'; readonly piece: number }
  | ({ readonly kind: 'output' } & Piece)
  | { readonly kind: 'scanned'; readonly layer: ScannedLayer; readonly isWaiting: boolean }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly failure: LayerFailure }

/** An error on its way between threads, which keep messages and lose classes. */
export type LayerFailure = {
  readonly message: string
  readonly stack: string | undefined
  /** Of a LayerError or a RecordError; undefined for defects. */
  readonly known:
    | {
        readonly kind: 'layer'
        readonly code: LayerErrorCode
        readonly entry?: string
        readonly offset?: number
      }
    | { readonly kind: 'record'; readonly code: RecordErrorCode }
    | undefined
}
