import type { BlobResult } from '../estargz/blob.ts'
import type { CompressionChoice } from '../estargz/deflate/tuner.ts'
import type { Compression } from '../estargz/layer-coder.ts'
import type { LayerIndex } from '../estargz/layer-index.ts'
import type { LayerLimits } from '../estargz/limits.ts'
import type { TreeEntry } from '../estargz/tree.ts'
import type { VerifiedBlob } from '../estargz/verify.ts'
import type { Digest } from '../oci/digest.ts'

type Writing = { readonly limits: LayerLimits; readonly compression: Compression }

/** What a layer thread can do. Those with input read a layer's blob; those with output write bytes. */
export type LayerTask =
  /** Layer in, gzip members in source order out. */
  | ({ readonly kind: 'split' } & Writing)
  /** Layer in, eStargz blob with no prioritized files out. */
  | ({ readonly kind: 'stream' } & Writing)
  /** Members from the file at `members`, arranged, out as an eStargz blob. No input. */
  | ({
      readonly kind: 'assemble'
      readonly index: LayerIndex
      readonly prioritized: readonly string[]
      readonly members: string
    } & Writing)
  /** eStargz blob in, no output. */
  | {
      readonly kind: 'verify'
      readonly limits: LayerLimits
      readonly tocDigest?: string | undefined
      readonly diffId?: string | undefined
    }
  /** Layer in, no output. */
  | { readonly kind: 'list'; readonly limits: LayerLimits }

export type LayerResults = {
  split: LayerIndex & { compression: CompressionChoice }
  stream: BlobResult & { sourceDiffId: Digest; sourcePlainSize: number; compression: CompressionChoice }
  assemble: BlobResult
  verify: VerifiedBlob
  list: TreeEntry[]
}

/** Bytes cross between threads in pieces of this size. */
export const PIECE_BYTES = 256 * 1024
/** Pieces in one direction, on their way or being used: what a layer holds in memory. */
export const WINDOW_PIECES = 8

/** What the pool tells a thread. `taken`: the memory of a piece that was used, to be filled again. */
export type ToThread =
  | { readonly kind: 'task'; readonly task: LayerTask }
  | { readonly kind: 'input'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'input-end' }
  | { readonly kind: 'taken'; readonly memory: ArrayBuffer }

/** What a thread tells the pool. */
export type FromThread =
  | { readonly kind: 'taken'; readonly memory: ArrayBuffer }
  | { readonly kind: 'output'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly failure: LayerFailure }

/** An error on its way between threads, which keep messages and lose classes. */
export type LayerFailure = {
  readonly message: string
  readonly stack: string | undefined
  /** Of a LayerError; undefined for defects. */
  readonly layer: { code: string; entry?: string; offset?: number } | undefined
}
