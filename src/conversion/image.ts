import {
  type Descriptor,
  ImageConfig,
  type Index,
  type Manifest,
  parseDocument,
  parseManifestOrIndex,
} from '../oci/documents.ts'
import { DOCKER_CONFIG, isIndexType, isManifestType, OCI_CONFIG } from '../oci/media-types.ts'
import { formatPlatform, matchesPlatform } from '../oci/platform.ts'
import { formatReference, parseReference, type Reference, tagOrDigest } from '../oci/reference.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { Repository } from '../registry/repository.ts'
import type { RequestTally } from './bounds.ts'
import { ConversionError } from './errors.ts'
import type { ManifestNote } from './report.ts'

const MAX_CONFIG_BYTES = 8 * 1024 * 1024
/** Of a type that is told in a report. */
const MOST_CHARACTERS = 200
/** How buildkit marks what is no image in an index of images. */
const REFERENCE_TYPE = 'vnd.docker.reference.type'
export const REFERENCE_DIGEST = 'vnd.docker.reference.digest'

/** What a reference stands for at this moment. */
export type OpenedReference = {
  readonly repository: Repository
  readonly reference: Reference
  /** The reference with its digest, which does not move. */
  readonly pinned: string
  readonly descriptor: Descriptor
  readonly document: { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; index: Index }
}

/** An image of one platform: manifest and config. */
export type Image = {
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly config: ImageConfig
  readonly configBytes: Buffer
  /** As text, for people and for matching. */
  readonly platform: string
}

/** The images behind a reference, and what else an index lists. */
export type Images = {
  readonly images: Image[]
  /** Attestation manifests of these images. */
  readonly attestations: Descriptor[]
  readonly others: ManifestNote[]
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
  return { repository, reference, pinned, descriptor, document }
}

/**
 * Reads the images behind a reference, of all platforms or of those that are asked for.
 * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, INVALID_IMAGE, LIMIT_EXCEEDED
 */
export async function readImages(
  opened: OpenedReference,
  platforms: readonly string[] | undefined,
  tally: RequestTally,
  signal: AbortSignal,
): Promise<Images> {
  const all = await readAll(opened, platforms, tally, signal)
  const missing = platforms?.find((asked) => !all.images.some((image) => isOf(image, asked)))
  if (missing !== undefined) {
    const there = all.known.length === 0 ? 'none' : all.known.join(', ')
    throw new ConversionError(
      'PLATFORM_NOT_FOUND',
      `${opened.pinned} has no image for ${missing}; it has: ${there}`,
    )
  }
  if (all.images.length === 0) {
    throw new ConversionError('NOT_AN_IMAGE', `${opened.pinned} is an index without a container image`)
  }
  const kept = new Set<string>(all.images.map((image) => image.descriptor.digest))
  const attestations = all.attestations.filter((one) => kept.has(one.annotations?.[REFERENCE_DIGEST] ?? ''))
  return { images: all.images, attestations, others: all.others }
}

async function readAll(
  { repository, descriptor, document, pinned }: OpenedReference,
  platforms: readonly string[] | undefined,
  tally: RequestTally,
  signal: AbortSignal,
): Promise<Images & { known: string[] }> {
  if (document.kind === 'manifest') {
    const image = await readImage(repository, descriptor, document.manifest, tally, signal)
    if (image === undefined) {
      throw new ConversionError(
        'NOT_AN_IMAGE',
        `${pinned} is no container image: its config has the type ${document.manifest.config.mediaType}`,
      )
    }
    const wanted = !platforms || platforms.some((asked) => isOf(image, asked))
    return { images: wanted ? [image] : [], attestations: [], others: [], known: [image.platform] }
  }
  const images: Image[] = []
  const attestations: Descriptor[] = []
  const others: ManifestNote[] = []
  const known: string[] = []
  for (const child of document.index.manifests) {
    const reason = whyNoImage(child)
    if (child.annotations?.[REFERENCE_TYPE] !== undefined) attestations.push(child)
    else if (reason !== undefined) others.push({ digest: child.digest, reason })
    else {
      const { platform } = child
      if (platform) known.push(formatPlatform(platform))
      if (platform && platforms && !platforms.some((asked) => matchesPlatform(platform, asked))) continue
      tally.manifest()
      const image = await readChild(repository, child, tally, signal)
      if (image === undefined) others.push({ digest: child.digest, reason: 'no container image' })
      else {
        if (!platform) known.push(image.platform)
        if (!platforms || platforms.some((asked) => isOf(image, asked))) images.push(image)
        tally.checkPlatforms(images.length, pinned)
      }
    }
  }
  return { images, attestations, others, known }
}

/** Whether an image is of a platform asked for; its descriptor in the index may know less than its config. */
function isOf(image: Image, asked: string): boolean {
  const { os = '', architecture = '', variant } = image.config
  const own = { os, architecture, ...(variant !== undefined && { variant }) }
  const { platform } = image.descriptor
  return matchesPlatform(own, asked) || (platform != null && matchesPlatform(platform, asked))
}

function whyNoImage(child: Descriptor): string | undefined {
  if (isIndexType(child.mediaType)) return 'an index inside an index'
  if (!isManifestType(child.mediaType)) return `its media type is ${shortened(child.mediaType)}`
  if (child.artifactType !== undefined) return `an artifact of the type ${shortened(child.artifactType)}`
  if (child.platform?.os === 'unknown') return 'its platform is unknown'
  return undefined
}

/** Reports are kept, and what a registry says can be long. */
function shortened(text: string): string {
  return text.slice(0, MOST_CHARACTERS)
}

async function readChild(
  repository: Repository,
  child: Descriptor,
  tally: RequestTally,
  signal: AbortSignal,
): Promise<Image | undefined> {
  const { descriptor, bytes } = await repository.manifest(child.digest, { signal })
  const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${child.digest}`)
  if (document.kind === 'index') return undefined
  return readImage(repository, child, document.manifest, tally, signal)
}

/** undefined when the manifest is not one of a container image. */
async function readImage(
  repository: Repository,
  descriptor: Descriptor,
  manifest: Manifest,
  tally: RequestTally,
  signal: AbortSignal,
): Promise<Image | undefined> {
  const { config: place } = manifest
  tally.checkLayers(manifest.layers.length, `manifest ${descriptor.digest}`)
  if (place.mediaType !== OCI_CONFIG && place.mediaType !== DOCKER_CONFIG) return undefined
  const configBytes = await repository.blobJson(place, { limit: MAX_CONFIG_BYTES, signal })
  const config = parseDocument(ImageConfig, configBytes, `config ${place.digest}`)
  const layers = manifest.layers.length
  if (config.rootfs.diff_ids.length !== layers) {
    throw new ConversionError(
      'INVALID_IMAGE',
      `manifest ${descriptor.digest} has ${layers} layers, its config names ${config.rootfs.diff_ids.length}`,
    )
  }
  const { os = 'unknown', architecture = 'unknown', variant } = config
  const own = { os, architecture, ...(variant !== undefined && { variant }) }
  const platform = formatPlatform(descriptor.platform ?? own)
  return { descriptor, manifest, config, configBytes, platform }
}
