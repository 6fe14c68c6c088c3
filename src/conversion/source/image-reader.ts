import { type Descriptor, type Index, type Manifest, parseManifestOrIndex } from '../../oci/documents.ts'
import { formatReference, parseReference, type Reference, tagOrDigest } from '../../oci/reference.ts'
import type { RegistryClient } from '../../registry/client.ts'
import type { Repository } from '../../registry/repository.ts'
import { ConversionError } from '../errors.ts'
import type { ManifestNote } from '../report.ts'
import type { RequestTally } from '../request-bounds.ts'
import { type Image, isForPlatform, readImage } from './image.ts'
import { IndexReader } from './index-reader.ts'
import { type IndexChild, type IndexTree, walkIndexes } from './index-tree.ts'

/** The maximum number of children that the error for an index without images names. */
const MAX_NAMED_CHILDREN = 5

/** The manifest or index that a reference pointed to when it was read. */
export type OpenedReference = {
  readonly repository: Repository
  readonly reference: Reference
  /** The reference with its digest, which cannot move. */
  readonly pinned: string
  readonly descriptor: Descriptor
  readonly bytes: Buffer
  readonly document: { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; index: Index }
}

/** The selected images behind a reference, and the other children of its index. */
export type SelectedImages = {
  readonly images: Image[]
  /** The attestation manifests of these images. */
  readonly attestations: Descriptor[]
  readonly others: ManifestNote[]
  /** The index with all of its children. Undefined if the reference points to a manifest. */
  readonly tree?: IndexTree
}

type ReadResult = SelectedImages & { readonly availablePlatforms: readonly string[] }

/** Reads the images behind references for one request, within the bounds of that request. */
export class ImageReader {
  readonly #registries: RegistryClient
  readonly #tally: RequestTally
  readonly #signal: AbortSignal

  constructor(options: {
    readonly registries: RegistryClient
    readonly tally: RequestTally
    readonly signal: AbortSignal
  }) {
    this.#registries = options.registries
    this.#tally = options.tally
    this.#signal = options.signal
  }

  /**
   * Fetches the manifest or index of a reference.
   * @throws RegistryError NOT_FOUND, HOST_NOT_ALLOWED; DocumentError
   */
  async open(text: string): Promise<OpenedReference> {
    const reference = parseReference(text)
    const repository = this.#registries.repository(reference)
    const { descriptor, bytes } = await repository.getManifest(tagOrDigest(reference), {
      signal: this.#signal,
    })
    const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`)
    const pinned = formatReference({ ...reference, digest: descriptor.digest })
    return { repository, reference, pinned, descriptor, bytes, document }
  }

  /**
   * Reads the images behind a reference. Images of an index that are missing or cannot be converted are among
   * `others`, unless `platforms` selects them.
   * @param platforms the platforms to select; undefined selects all
   * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, UNSUPPORTED_LAYER, INVALID_IMAGE,
   * LIMIT_EXCEEDED
   */
  async read(opened: OpenedReference, platforms: readonly string[] | undefined): Promise<SelectedImages> {
    const { availablePlatforms, ...selected } =
      opened.document.kind === 'manifest'
        ? await this.#readManifest(opened, opened.document.manifest, platforms)
        : await this.#readIndex(opened, opened.document.index, platforms)
    const missing = platforms?.find(
      (platform) => !selected.images.some((image) => isForPlatform(image, platform)),
    )
    if (missing !== undefined) {
      const available = availablePlatforms.length === 0 ? 'none' : availablePlatforms.join(', ')
      throw new ConversionError(
        'PLATFORM_NOT_FOUND',
        `${opened.pinned} has no image for ${missing}; it has: ${available}`,
      )
    }
    return selected
  }

  async #readManifest(
    { repository, descriptor, bytes, pinned }: OpenedReference,
    manifest: Manifest,
    platforms: readonly string[] | undefined,
  ): Promise<ReadResult> {
    const image = await readImage({ descriptor, manifest, bytes }, this.#contextFor(repository))
    if (image === undefined) {
      throw new ConversionError(
        'NOT_AN_IMAGE',
        `${pinned} is not a container image: its config has the type ${JSON.stringify(manifest.config.mediaType)}`,
      )
    }
    const isSelected = !platforms || platforms.some((platform) => isForPlatform(image, platform))
    const images = isSelected ? [image] : []
    return { images, attestations: [], others: [], availablePlatforms: [image.platform] }
  }

  async #readIndex(
    { repository, descriptor, bytes, pinned }: OpenedReference,
    index: Index,
    platforms: readonly string[] | undefined,
  ): Promise<ReadResult> {
    const reader = new IndexReader(this.#contextFor(repository), platforms)
    const tree = await reader.read({ descriptor, bytes, index })
    const children = [...walkIndexes(tree)].flatMap((nested) => nested.children)
    const images = children.flatMap((child) => (child.kind === 'image' ? child.image : []))
    const others = children.flatMap((child) =>
      child.kind === 'other' ? { digest: child.descriptor.digest, reason: child.reason } : [],
    )
    if (images.length === 0 && !platforms) throw noImagesError(pinned, children)
    const digests = new Set<string>(images.map((image) => image.descriptor.digest))
    const attestations = children.flatMap((child) =>
      child.kind === 'attestation' && digests.has(child.attestedDigest ?? '') ? child.descriptor : [],
    )
    return { images, attestations, others, tree, availablePlatforms: reader.seenPlatforms }
  }

  #contextFor(repository: Repository) {
    return { repository, tally: this.#tally, signal: this.#signal }
  }
}

function noImagesError(pinned: string, children: readonly IndexChild[]): ConversionError {
  const others = children.filter((child) => child.kind === 'other')
  const unsupported = others.find((child) => child.isUnsupported)
  if (unsupported !== undefined) {
    return new ConversionError(
      'UNSUPPORTED_LAYER',
      `${pinned} has no image that can be converted: ${unsupported.descriptor.digest}: ${unsupported.reason}`,
    )
  }
  const named = others
    .slice(0, MAX_NAMED_CHILDREN)
    .map(({ descriptor, reason }) => `${descriptor.digest}: ${reason}`)
  const contents = named.length === 0 ? '' : `; it has ${named.join(', ')}`
  return new ConversionError('NOT_AN_IMAGE', `${pinned} is an index without a container image${contents}`)
}
