import type { Descriptor, Manifest } from '../../oci/documents.ts'
import { isNonDistributable, layerCompression } from '../../oci/media-types.ts'
import { recompressAdvice, unsupportedCompressionOf } from '../../oci/unsupported-compression.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import { ConversionError } from '../errors.ts'

/** Addresses of a foreign layer that are told, and how much of each. */
const URLS_TOLD = 3
const URL_LENGTH = 200

/**
 * Fails before work begins when an image has layers that cannot be read: those of another type, and foreign ones that
 * the registry does not have.
 * @throws ConversionError UNSUPPORTED_LAYER; RegistryError
 */
export async function assertSupportedLayers(
  repository: Repository,
  { descriptor, manifest }: { readonly descriptor: Descriptor; readonly manifest: Manifest },
  signal: AbortSignal,
): Promise<void> {
  const why = await unsupportedLayerReason(repository, manifest, signal)
  if (why !== undefined) throw unsupportedLayer(descriptor.digest, why)
}

/** The error for an image that was asked for and cannot be converted. */
export function unsupportedLayer(image: string, why: string): ConversionError {
  return new ConversionError('UNSUPPORTED_LAYER', `${image}: ${why}`)
}

/** @throws ConversionError UNSUPPORTED_LAYER */
export function assertSupportedType(layer: Descriptor, image: string): void {
  const why = unsupportedTypeReason(layer)
  if (why !== undefined) throw unsupportedLayer(image, why)
}

/** Why a layer cannot be read by its media type; undefined when it can. */
export function unsupportedTypeReason({ digest, mediaType }: Descriptor): string | undefined {
  if (layerCompression(mediaType) !== undefined) return undefined
  const packing = unsupportedCompressionOf(mediaType)
  const why = packing === undefined ? 'no tar archive, plain or with gzip or zstd' : recompressAdvice(packing)
  return `layer ${digest} has the media type ${mediaType}, which is ${why}`
}

/**
 * Why an image cannot be converted: a layer of another type, or a foreign one that the registry does not have.
 * @returns undefined when it can
 */
export async function unsupportedLayerReason(
  repository: Repository,
  { layers }: Manifest,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const layer of layers) {
    const why = unsupportedTypeReason(layer)
    if (why !== undefined) return why
  }
  for (const layer of layers) {
    if (!isForeign(layer)) continue
    if ((await repository.blobSize(layer.digest, { signal })) === undefined) return foreignReason(layer)
  }
  return undefined
}

/** What a failure to read a layer means: one that is foreign and not in the registry lies elsewhere. */
export function layerFailure(layer: Descriptor, error: unknown): unknown {
  const isMissing = error instanceof RegistryError && error.code === 'NOT_FOUND'
  if (!isMissing || !isForeign(layer)) return error
  return new ConversionError('UNSUPPORTED_LAYER', foreignReason(layer), { cause: error })
}

/** Layers that may be kept out of registries: Docker's foreign and OCI's non-distributable ones, and any with `urls`. */
function isForeign({ mediaType, urls }: Descriptor): boolean {
  return isNonDistributable(mediaType) || (urls?.length ?? 0) > 0
}

function foreignReason({ digest, mediaType, urls }: Descriptor): string {
  const told = (urls ?? []).slice(0, URLS_TOLD).map((url) => JSON.stringify(url.slice(0, URL_LENGTH)))
  const more = (urls?.length ?? 0) - told.length
  const where = [...told, ...(more > 0 ? [`${more} more`] : [])].join(', ')
  const place = where === '' ? 'names no urls' : `names the urls ${where}, which are not followed`
  return `layer ${digest} is a foreign one (${mediaType}): the registry does not have it, and the manifest ${place}; push the image with its foreign layers ("allow-nondistributable-artifacts" in Docker), or choose other platforms`
}
