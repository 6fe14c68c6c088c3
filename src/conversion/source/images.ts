import { type Descriptor, type Index, type Manifest, parseManifestOrIndex } from '../../oci/documents.ts'
import { formatReference, parseReference, type Reference, tagOrDigest } from '../../oci/reference.ts'
import type { RegistryClient } from '../../registry/client.ts'
import type { Repository } from '../../registry/repository.ts'
import { ConversionError } from '../errors.ts'
import type { ManifestNote } from '../report.ts'
import type { RequestTally } from '../request-bounds.ts'
import { type Image, isForPlatform, readImage } from './image.ts'
import { type Child, IndexReader, type IndexTree, indexesOf } from './index-tree.ts'

export type { Image } from './image.ts'

/** Manifests of an index that are told when none is an image. */
const OTHERS_TOLD = 5

/** What a reference stands for at this moment. */
export type OpenedReference = {
  readonly repository: Repository
  readonly reference: Reference
  /** The reference with its digest, which does not move. */
  readonly pinned: string
  readonly descriptor: Descriptor
  readonly bytes: Buffer
  readonly document: { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; index: Index }
}

/** The images behind a reference, and what else an index lists. */
export type Images = {
  readonly images: Image[]
  /** Attestation manifests of these images. */
  readonly attestations: Descriptor[]
  readonly others: ManifestNote[]
  /** Where all of that stands in an index; a manifest has none. */
  readonly tree?: IndexTree
}

/** Reads what a reference stands for. @throws RegistryError NOT_FOUND, HOST_NOT_ALLOWED; DocumentError */
export async function openReference(
  registries: RegistryClient,
  text: string,
  signal: AbortSignal,
): Promise<OpenedReference> {
  const reference = parseReference(text)
  const repository = registries.repository(reference)
  const { descriptor, bytes } = await repository.manifest(tagOrDigest(reference), { signal })
  const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`)
  const pinned = formatReference({ ...reference, digest: descriptor.digest })
  return { repository, reference, pinned, descriptor, bytes, document }
}

/**
 * Reads the images behind a reference, of all platforms or of those that are asked for. Images of an index that cannot
 * be converted, or are not there, are among the others, unless they are asked for.
 * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, UNSUPPORTED_LAYER, INVALID_IMAGE, LIMIT_EXCEEDED
 */
export async function readImages(
  opened: OpenedReference,
  platforms: readonly string[] | undefined,
  tally: RequestTally,
  signal: AbortSignal,
): Promise<Images> {
  const { known, ...found } =
    opened.document.kind === 'manifest'
      ? await readOne(opened, opened.document.manifest, platforms, tally, signal)
      : await readIndex(opened, opened.document.index, platforms, tally, signal)
  const missing = platforms?.find((asked) => !found.images.some((image) => isForPlatform(image, asked)))
  if (missing !== undefined) {
    const there = known.length === 0 ? 'none' : known.join(', ')
    throw new ConversionError(
      'PLATFORM_NOT_FOUND',
      `${opened.pinned} has no image for ${missing}; it has: ${there}`,
    )
  }
  return found
}

type Found = Images & { readonly known: readonly string[] }

async function readOne(
  { repository, descriptor, bytes, pinned }: OpenedReference,
  manifest: Manifest,
  platforms: readonly string[] | undefined,
  tally: RequestTally,
  signal: AbortSignal,
): Promise<Found> {
  const image = await readImage(repository, descriptor, { manifest, bytes }, tally, signal)
  if (image === undefined) {
    throw new ConversionError(
      'NOT_AN_IMAGE',
      `${pinned} is no container image: its config has the type ${JSON.stringify(manifest.config.mediaType)}`,
    )
  }
  const isWanted = !platforms || platforms.some((asked) => isForPlatform(image, asked))
  return { images: isWanted ? [image] : [], attestations: [], others: [], known: [image.platform] }
}

async function readIndex(
  { repository, descriptor, bytes, pinned }: OpenedReference,
  index: Index,
  platforms: readonly string[] | undefined,
  tally: RequestTally,
  signal: AbortSignal,
): Promise<Found> {
  const reader = new IndexReader(repository, platforms, tally, signal)
  const tree = await reader.read({ descriptor, bytes, index })
  const children = [...indexesOf(tree)].flatMap((one) => one.children)
  const images = children.flatMap((child) => (child.kind === 'image' ? child.image : []))
  const others = children.flatMap((child) =>
    child.kind === 'other' ? { digest: child.descriptor.digest, reason: child.reason } : [],
  )
  if (images.length === 0 && !platforms) throw noImages(pinned, children)
  const digests = new Set<string>(images.map((image) => image.descriptor.digest))
  const attestations = children.flatMap((child) =>
    child.kind === 'attestation' && digests.has(child.about ?? '') ? child.descriptor : [],
  )
  return { images, attestations, others, tree, known: reader.known }
}

function noImages(pinned: string, children: readonly Child[]): ConversionError {
  const others = children.filter((child) => child.kind === 'other')
  const odd = others.find((child) => child.isOdd)
  if (odd === undefined) {
    const why = others
      .slice(0, OTHERS_TOLD)
      .map(({ descriptor, reason }) => `${descriptor.digest}: ${reason}`)
    const told = why.length === 0 ? '' : `; it has ${why.join(', ')}`
    return new ConversionError('NOT_AN_IMAGE', `${pinned} is an index without a container image${told}`)
  }
  return new ConversionError(
    'UNSUPPORTED_LAYER',
    `${pinned} has no image that can be converted: ${odd.descriptor.digest}: ${odd.reason}`,
  )
}
