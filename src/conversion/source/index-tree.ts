import type { Descriptor, Index } from '../../oci/documents.ts'
import type { Image } from './image.ts'

/** The annotation by which BuildKit marks attestation manifests in an index of images. */
export const REFERENCE_TYPE_ANNOTATION = 'vnd.docker.reference.type'
export const REFERENCE_DIGEST_ANNOTATION = 'vnd.docker.reference.digest'

/** The maximum nesting of indexes, the outermost included. Tools write two levels at most. */
export const MAX_INDEX_DEPTH = 4

/** The reason that reports give for a child that the registry does not have. */
export const MISSING_CHILD_REASON = 'the registry does not have it (404)'

/** One entry of an index. */
export type IndexChild = { readonly descriptor: Descriptor } & (
  | { readonly kind: 'image'; readonly image: Image }
  | { readonly kind: 'index'; readonly tree: IndexTree }
  /** `attestedDigest`: the manifest that the attestation names as its subject. */
  | { readonly kind: 'attestation'; readonly attestedDigest: string | undefined }
  /** Not an image, or an image that cannot be converted. `isMissing`: the registry does not have it. */
  | {
      readonly kind: 'other'
      readonly reason: string
      readonly isMissing?: true
      readonly isUnsupported?: true
    }
  /** An image for a platform that the request does not select. */
  | { readonly kind: 'not-selected' }
)

/** An index with one child for each of its entries. */
export type IndexTree = {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
  readonly index: Index
  readonly children: readonly IndexChild[]
  /** Whether the index, or one nested in it, contains a selected image. */
  readonly hasImages: boolean
}

/** Yields each distinct index of a tree, the outermost first. */
export function* walkIndexes(tree: IndexTree, seen = new Set<IndexTree>()): Generator<IndexTree> {
  if (seen.has(tree)) return
  seen.add(tree)
  yield tree
  for (const child of tree.children) if (child.kind === 'index') yield* walkIndexes(child.tree, seen)
}
