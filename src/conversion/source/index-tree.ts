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
import type { Repository } from '../../registry/repository.ts'
import { ConversionError } from '../errors.ts'
import type { RequestTally } from '../request-bounds.ts'
import { type Image, isForPlatform, readImage } from './image.ts'
import { unsupportedLayer, unsupportedLayerReason } from './supported-layers.ts'

/** How buildkit marks what is no image in an index of images. */
const REFERENCE_TYPE = 'vnd.docker.reference.type'
export const REFERENCE_DIGEST = 'vnd.docker.reference.digest'

/** Indexes inside each other, the outermost included; tools write two at most. */
export const MAX_INDEX_DEPTH = 4
/** Bytes of all indexes inside an index: as many as one document may have. */
const MAX_INNER_BYTES = 8 * 1024 * 1024

/** Why a child is left out that a definite answer says is not there. */
export const MISSING = 'the registry does not have it (404)'

/** What one entry of an index is. */
export type Child = { readonly descriptor: Descriptor } & (
  | { readonly kind: 'image'; readonly image: Image }
  | { readonly kind: 'index'; readonly tree: IndexTree }
  /** `about`: the digest that it says it attests. */
  | { readonly kind: 'attestation'; readonly about: string | undefined }
  /** No image, or one that cannot be converted. `isMissing`: the registry does not have it. */
  | { readonly kind: 'other'; readonly reason: string; readonly isMissing?: true; readonly isOdd?: true }
  /** Of a platform that was not asked for. */
  | { readonly kind: 'unasked' }
)

/** An index, with one child for each of its entries. */
export type IndexTree = {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
  readonly index: Index
  readonly children: readonly Child[]
  /** Whether an image that is converted lies in it, or in an index inside it. */
  readonly hasImages: boolean
}

/** Each index of a tree once, the outermost first. */
export function* indexesOf(tree: IndexTree, seen = new Set<IndexTree>()): Generator<IndexTree> {
  if (seen.has(tree)) return
  seen.add(tree)
  yield tree
  for (const child of tree.children) if (child.kind === 'index') yield* indexesOf(child.tree, seen)
}

/** Reads an index, and those inside it, as far as the platforms that are asked for make it necessary. */
export class IndexReader {
  readonly #repository: Repository
  readonly #platforms: readonly string[] | undefined
  readonly #tally: RequestTally
  readonly #signal: AbortSignal
  readonly #trees = new Map<Digest, IndexTree>()
  #innerBytes = 0
  #images = 0
  /** The platforms that were seen, for messages. */
  readonly known: string[] = []

  constructor(
    repository: Repository,
    platforms: readonly string[] | undefined,
    tally: RequestTally,
    signal: AbortSignal,
  ) {
    this.#repository = repository
    this.#platforms = platforms
    this.#tally = tally
    this.#signal = signal
  }

  /** @throws ConversionError UNSUPPORTED_LAYER, INVALID_IMAGE, LIMIT_EXCEEDED; RegistryError; DocumentError */
  async read(document: Pick<IndexTree, 'descriptor' | 'bytes' | 'index'>, depth = 1): Promise<IndexTree> {
    const children: Child[] = []
    for (const descriptor of document.index.manifests) children.push(await this.#child(descriptor, depth))
    const hasImages = children.some(
      (child) => child.kind === 'image' || (child.kind === 'index' && child.tree.hasImages),
    )
    return { ...document, children, hasImages }
  }

  async #child(descriptor: Descriptor, depth: number): Promise<Child> {
    if (descriptor.annotations?.[REFERENCE_TYPE] !== undefined) {
      return { kind: 'attestation', descriptor, about: descriptor.annotations[REFERENCE_DIGEST] }
    }
    const reason = whyNoImage(descriptor)
    if (reason !== undefined) return { kind: 'other', descriptor, reason }
    const { platform } = descriptor
    if (isWhole(platform)) this.known.push(formatPlatform(platform))
    if (this.#platforms && !this.#platforms.some((asked) => mayMatchPlatform(platform, asked))) {
      return { kind: 'unasked', descriptor }
    }
    // What may be another platform was not asked for yet.
    const isAsked = this.#platforms !== undefined && isWhole(platform)
    this.#tally.manifest()
    const known = this.#trees.get(descriptor.digest)
    const found = known ? undefined : await this.#fetch(descriptor, isAsked)
    if (found === 'missing') {
      return { kind: 'other', descriptor, reason: MISSING, isMissing: true }
    }
    if (found?.kind === 'manifest') return this.#manifest(descriptor, found, isAsked)
    const tree = known ?? (found && (await this.#inner(descriptor, found, depth + 1)))
    if (!tree) throw new RangeError(`${descriptor.digest} is neither a manifest nor an index`)
    return { kind: 'index', descriptor, tree }
  }

  async #fetch(descriptor: Descriptor, isAsked: boolean) {
    try {
      const { digest } = descriptor
      const { descriptor: served, bytes } = await this.#repository.manifest(digest, { signal: this.#signal })
      return { ...parseManifestOrIndex(bytes, served.mediaType, `manifest ${digest}`), bytes }
    } catch (error) {
      // Copies of some platforms leave an index whole. Any other answer says nothing about what is there.
      const isMissing = error instanceof RegistryError && error.status === 404
      if (isMissing && !isAsked) return 'missing'
      throw error
    }
  }

  async #inner(
    descriptor: Descriptor,
    { index, bytes }: { readonly index: Index; readonly bytes: Buffer },
    depth: number,
  ): Promise<IndexTree> {
    this.#innerBytes += bytes.length
    if (depth > MAX_INDEX_DEPTH || this.#innerBytes > MAX_INNER_BYTES) {
      throw new ConversionError(
        'LIMIT_EXCEEDED',
        `index ${descriptor.digest} lies in too many others: they may be ${MAX_INDEX_DEPTH} deep, and have ${MAX_INNER_BYTES} bytes together`,
      )
    }
    const tree = await this.read({ descriptor, bytes, index }, depth)
    this.#trees.set(descriptor.digest, tree)
    return tree
  }

  async #manifest(
    descriptor: Descriptor,
    document: { readonly manifest: Manifest; readonly bytes: Buffer },
    isAsked: boolean,
  ): Promise<Child> {
    const odd = await unsupportedLayerReason(this.#repository, document.manifest, this.#signal)
    if (odd !== undefined && isAsked) throw unsupportedLayer(descriptor.digest, odd)
    if (odd !== undefined) return { kind: 'other', descriptor, reason: odd, isOdd: true }
    const image = await readImage(this.#repository, descriptor, document, this.#tally, this.#signal)
    if (image === undefined) return { kind: 'other', descriptor, reason: 'no container image' }
    if (!isWhole(descriptor.platform)) this.known.push(image.platform)
    if (this.#platforms && !this.#platforms.some((asked) => isForPlatform(image, asked))) {
      return { kind: 'unasked', descriptor }
    }
    this.#images += 1
    this.#tally.checkPlatforms(this.#images, `index of ${descriptor.digest}`)
    return { kind: 'image', descriptor, image }
  }
}

/** Whether an index tells all that a platform is chosen by. */
function isWhole(platform: Descriptor['platform']): platform is Platform {
  return Boolean(platform?.os && platform.architecture)
}

function whyNoImage(child: Descriptor): string | undefined {
  if (child.artifactType) return `an artifact of the type ${child.artifactType}`
  if (isIndexType(child.mediaType)) return undefined
  if (isSchema1(child.mediaType, undefined)) return SCHEMA_1_HELP
  if (!isManifestType(child.mediaType)) return `its media type is ${child.mediaType}`
  if (child.platform?.os === 'unknown') return 'its platform is unknown'
  return undefined
}
