import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { type ExactJsonObject, parseExactJson } from '../../oci/exact-json.ts'
import { OCI_INDEX } from '../../oci/media-types.ts'
import type { RemovedFields } from '../report.ts'
import type { IndexChild, IndexTree } from '../source/index-tree.ts'
import { type SerializedDocument, serializeDocument } from './assemble-image.ts'
import { stripStaleAnnotations, stripStaleFields } from './stale-fields.ts'

/** What the children of an index are replaced with. */
export type IndexReplacements = {
  /** The converted manifests by the digests of their sources. */
  readonly manifests: ReadonlyMap<Digest, Descriptor>
  /** The children that stay unchanged. */
  readonly kept: ReadonlySet<IndexChild>
  /** Adds provenance annotations to an index. */
  readonly annotate: (index: ExactJsonObject, source: IndexTree) => ExactJsonObject
}

/** The indexes of a result, in the order in which they have to be pushed: `inner` first. */
export type AssembledIndexes = {
  readonly inner: readonly SerializedDocument[]
  readonly outermost: SerializedDocument
  readonly removed: readonly RemovedFields[]
}

/**
 * Assembles the index of a result and those nested in it: the indexes of the source with converted manifests,
 * without the children that are neither converted nor kept.
 */
export function assembleIndexes(tree: IndexTree, replacements: IndexReplacements): AssembledIndexes {
  const assembly = new IndexAssembly(replacements)
  const outermost = assembly.assemble(tree)
  const inner = [...assembly.documents.values()].filter((document) => document !== outermost)
  return { inner, outermost, removed: assembly.removed }
}

class IndexAssembly {
  readonly #replacements: IndexReplacements
  /** In the order in which they were completed: each after those nested in it. */
  readonly documents = new Map<IndexTree, SerializedDocument>()
  readonly removed: RemovedFields[] = []

  constructor(replacements: IndexReplacements) {
    this.#replacements = replacements
  }

  assemble(tree: IndexTree): SerializedDocument {
    const existing = this.documents.get(tree)
    if (existing) return existing
    const source = parseExactJson(tree.bytes)
    const entries = (source.manifests ?? []) as ExactJsonObject[]
    const manifests = tree.children.flatMap((child, i) => this.#replace(child, entries[i] ?? {}))
    const { remaining, removedNames } = stripStaleAnnotations(source)
    this.#note(tree.descriptor.digest, removedNames)
    const index = this.#replacements.annotate({ ...remaining, mediaType: OCI_INDEX, manifests }, tree)
    const document = serializeDocument(OCI_INDEX, index)
    this.documents.set(tree, document)
    return document
  }

  /** Returns the entry of the result for an entry of the source, if it has one. */
  #replace(child: IndexChild, entry: ExactJsonObject): ExactJsonObject[] {
    if (this.#replacements.kept.has(child)) return [entry]
    const converted = this.#convertedDescriptor(child)
    if (!converted) return []
    const { remaining, removedNames } = stripStaleFields(entry)
    this.#note(child.descriptor.digest, removedNames)
    return [{ ...remaining, ...converted }]
  }

  #convertedDescriptor(child: IndexChild): Descriptor | undefined {
    if (child.kind === 'image') return this.#replacements.manifests.get(child.descriptor.digest)
    if (child.kind !== 'index' || !child.tree.hasImages) return undefined
    return this.assemble(child.tree).descriptor
  }

  #note(digest: Digest, names: readonly string[]): void {
    if (names.length > 0) this.removed.push({ digest, names: [...names] })
  }
}
