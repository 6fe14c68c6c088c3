import type { Digest } from '../../oci/digest.ts'
import { isSchema1, SCHEMA_1_HELP } from '../../oci/docker-schema-1.ts'
import {
  type Descriptor,
  type Index,
  type Manifest,
  type Platform,
  parseManifestOrIndex,
} from '../../oci/documents.ts'
import { isIndexType, isManifestType } from '../../oci/media-types.ts'
import { formatPlatform, mayMatchPlatform } from '../../oci/platform.ts'
import { RegistryError } from '../../registry/errors.ts'
import { ConversionError } from '../errors.ts'
import { isForPlatform, type ReadContext, readImage } from './image.ts'
import {
  type IndexChild,
  type IndexTree,
  MAX_INDEX_DEPTH,
  MISSING_CHILD_REASON,
  REFERENCE_DIGEST_ANNOTATION,
  REFERENCE_TYPE_ANNOTATION,
} from './index-tree.ts'
import { unsupportedLayerError, unsupportedLayerReason } from './supported-layers.ts'

/** The total size of all nested indexes: the same as the bound on one document. */
const MAX_NESTED_INDEX_BYTES = 8 * 1024 * 1024

/** Reads an index and those nested in it, but only the images that the selected platforms may need. */
export class IndexReader {
  readonly #context: ReadContext
  readonly #platforms: readonly string[] | undefined
  readonly #trees = new Map<Digest, IndexTree>()
  #nestedIndexBytes = 0
  #imageCount = 0
  /** The platforms that the index offers, for error messages. */
  readonly seenPlatforms: string[] = []

  /** @param platforms the selected platforms; undefined selects all */
  constructor(context: ReadContext, platforms: readonly string[] | undefined) {
    this.#context = context
    this.#platforms = platforms
  }

  /**
   * @throws ConversionError UNSUPPORTED_LAYER, INVALID_IMAGE, LIMIT_EXCEEDED; RegistryError; DocumentError
   */
  async read(document: Pick<IndexTree, 'descriptor' | 'bytes' | 'index'>, depth = 1): Promise<IndexTree> {
    const children: IndexChild[] = []
    for (const descriptor of document.index.manifests) {
      children.push(await this.#readChild(descriptor, depth))
    }
    const hasImages = children.some(
      (child) => child.kind === 'image' || (child.kind === 'index' && child.tree.hasImages),
    )
    return { ...document, children, hasImages }
  }

  async #readChild(descriptor: Descriptor, depth: number): Promise<IndexChild> {
    if (descriptor.annotations?.[REFERENCE_TYPE_ANNOTATION] !== undefined) {
      const attestedDigest = descriptor.annotations[REFERENCE_DIGEST_ANNOTATION]
      return { kind: 'attestation', descriptor, attestedDigest }
    }
    const reason = notAnImageReason(descriptor)
    if (reason !== undefined) return { kind: 'other', descriptor, reason }
    const { platform } = descriptor
    if (isComplete(platform)) this.seenPlatforms.push(formatPlatform(platform))
    if (this.#platforms && !this.#platforms.some((selected) => mayMatchPlatform(platform, selected))) {
      return { kind: 'not-selected', descriptor }
    }
    // With an incomplete platform, only the config decides whether the image is selected.
    const isSelected = this.#platforms !== undefined && isComplete(platform)
    this.#context.tally.countManifest()
    const cachedTree = this.#trees.get(descriptor.digest)
    if (cachedTree) return { kind: 'index', descriptor, tree: cachedTree }
    const document = await this.#fetch(descriptor, isSelected)
    if (document === undefined) {
      return { kind: 'other', descriptor, reason: MISSING_CHILD_REASON, isMissing: true }
    }
    if (document.kind === 'manifest') return this.#readManifest(descriptor, document, isSelected)
    return { kind: 'index', descriptor, tree: await this.#readNested(descriptor, document, depth + 1) }
  }

  /**
   * Returns undefined if the registry does not have the document and the request does not select it by name.
   */
  async #fetch(descriptor: Descriptor, isSelected: boolean) {
    const { repository, signal } = this.#context
    try {
      const { digest } = descriptor
      const { descriptor: served, bytes } = await repository.getManifest(digest, { signal })
      return { ...parseManifestOrIndex(bytes, served.mediaType, `manifest ${digest}`), bytes }
    } catch (error) {
      // A mirror of some platforms copies the index unchanged. Only a 404 proves that a child is absent.
      const isMissing = error instanceof RegistryError && error.status === 404
      if (isMissing && !isSelected) return undefined
      throw error
    }
  }

  async #readNested(
    descriptor: Descriptor,
    { index, bytes }: { readonly index: Index; readonly bytes: Buffer },
    depth: number,
  ): Promise<IndexTree> {
    this.#nestedIndexBytes += bytes.length
    if (depth > MAX_INDEX_DEPTH || this.#nestedIndexBytes > MAX_NESTED_INDEX_BYTES) {
      throw new ConversionError(
        'LIMIT_EXCEEDED',
        `index ${descriptor.digest} exceeds the bounds on nested indexes: ${MAX_INDEX_DEPTH} levels, ${MAX_NESTED_INDEX_BYTES} bytes in total`,
      )
    }
    const tree = await this.read({ descriptor, bytes, index }, depth)
    this.#trees.set(descriptor.digest, tree)
    return tree
  }

  async #readManifest(
    descriptor: Descriptor,
    document: { readonly manifest: Manifest; readonly bytes: Buffer },
    isSelected: boolean,
  ): Promise<IndexChild> {
    const { repository, tally, signal } = this.#context
    const unsupportedReason = await unsupportedLayerReason(repository, document.manifest, signal)
    if (unsupportedReason !== undefined) {
      if (isSelected) throw unsupportedLayerError(descriptor.digest, unsupportedReason)
      return { kind: 'other', descriptor, reason: unsupportedReason, isUnsupported: true }
    }
    const image = await readImage({ descriptor, ...document }, this.#context)
    if (image === undefined) return { kind: 'other', descriptor, reason: 'not a container image' }
    if (!isComplete(descriptor.platform)) this.seenPlatforms.push(image.platform)
    if (this.#platforms && !this.#platforms.some((selected) => isForPlatform(image, selected))) {
      return { kind: 'not-selected', descriptor }
    }
    this.#imageCount += 1
    tally.assertPlatformCount(this.#imageCount, `index of ${descriptor.digest}`)
    return { kind: 'image', descriptor, image }
  }
}

/** Whether an index entry has all the fields that select a platform. */
function isComplete(platform: Descriptor['platform']): platform is Platform {
  return Boolean(platform?.os && platform.architecture)
}

function notAnImageReason(descriptor: Descriptor): string | undefined {
  if (descriptor.artifactType) return `an artifact of the type ${descriptor.artifactType}`
  if (isIndexType(descriptor.mediaType)) return undefined
  if (isSchema1(descriptor.mediaType, undefined)) return SCHEMA_1_HELP
  if (!isManifestType(descriptor.mediaType)) return `its media type is ${descriptor.mediaType}`
  if (descriptor.platform?.os === 'unknown') return 'its platform is unknown'
  return undefined
}
