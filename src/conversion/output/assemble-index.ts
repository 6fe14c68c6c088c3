import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { type ExactObject, parseExact } from '../../oci/exact-json.ts'
import { OCI_INDEX } from '../../oci/media-types.ts'
import type { RemovedNote } from '../report.ts'
import type { Child, IndexTree } from '../source/index-tree.ts'
import { type Document, documentOf } from './assemble-image.ts'
import { stripAnnotations, stripDescriptor } from './stale-fields.ts'

/** What the indexes of a result are put together from. */
export type IndexParts = {
  /** Converted manifests by the digests of their sources. */
  readonly images: ReadonlyMap<Digest, Descriptor>
  /** Children that stay as they are. */
  readonly kept: ReadonlySet<Child>
  /** Adds what an index was made of. */
  readonly describe: (index: ExactObject, source: IndexTree) => ExactObject
}

/** Indexes in the order in which they can be pushed: the one that holds all others comes last. */
export type AssembledIndexes = {
  readonly inner: readonly Document[]
  readonly final: Document
  readonly removed: readonly RemovedNote[]
}

/**
 * The index of converted images, and those inside it: the source's, with new manifests in the places of the old ones,
 * without what is not taken over.
 */
export function assembleIndexes(tree: IndexTree, parts: IndexParts): AssembledIndexes {
  const assembly = new Assembly(parts)
  const final = assembly.index(tree)
  const made = [...assembly.made.values()].filter((document) => document !== final)
  return { inner: made, final, removed: assembly.removed }
}

class Assembly {
  readonly #parts: IndexParts
  readonly made = new Map<IndexTree, Document>()
  readonly removed: RemovedNote[] = []

  constructor(parts: IndexParts) {
    this.#parts = parts
  }

  index(tree: IndexTree): Document {
    const known = this.made.get(tree)
    if (known) return known
    const source = parseExact(tree.bytes)
    const listed = (source.manifests ?? []) as ExactObject[]
    const manifests = tree.children.flatMap((child, i) => this.#child(child, listed[i] ?? {}))
    const { rest, removed } = stripAnnotations(source)
    this.#note(tree.descriptor.digest, removed)
    const index = this.#parts.describe({ ...rest, mediaType: OCI_INDEX, manifests }, tree)
    const document = documentOf(OCI_INDEX, index)
    this.made.set(tree, document)
    return document
  }

  #child(child: Child, listed: ExactObject): ExactObject[] {
    if (this.#parts.kept.has(child)) return [listed]
    const made = this.#converted(child)
    if (!made) return []
    const { rest, removed } = stripDescriptor(listed)
    this.#note(child.descriptor.digest, removed)
    return [{ ...rest, ...made }]
  }

  #converted(child: Child): Descriptor | undefined {
    if (child.kind === 'image') return this.#parts.images.get(child.descriptor.digest)
    return child.kind === 'index' && child.tree.hasImages ? this.index(child.tree).descriptor : undefined
  }

  #note(digest: Digest, names: readonly string[]): void {
    if (names.length > 0) this.removed.push({ digest, names: [...names] })
  }
}
