import type { Descriptor, Manifest } from '../../oci/documents.ts'
import { isNonDistributable, layerCompression } from '../../oci/media-types.ts'
import { recompressAdvice, unsupportedCompressionInMediaType } from '../../oci/unsupported-compression.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import { ConversionError } from '../errors.ts'

/** The number of URLs of a foreign layer that an error message names, and the characters of each. */
const MAX_NAMED_URLS = 3
const MAX_URL_CHARACTERS = 200

/**
 * Asserts, before any layer is read, that all layers of an image can be read: their media types are
 * supported, and the registry has the foreign ones.
 * @throws ConversionError UNSUPPORTED_LAYER; RegistryError
 */
export async function assertSupportedLayers(
  repository: Repository,
  { descriptor, manifest }: { readonly descriptor: Descriptor; readonly manifest: Manifest },
  signal: AbortSignal,
): Promise<void> {
  const reason = await unsupportedLayerReason(repository, manifest, signal)
  if (reason !== undefined) throw unsupportedLayerError(descriptor.digest, reason)
}

/** Creates the error for a selected image that cannot be converted. */
export function unsupportedLayerError(image: string, reason: string): ConversionError {
  return new ConversionError('UNSUPPORTED_LAYER', `${image}: ${reason}`)
}

/** @throws ConversionError UNSUPPORTED_LAYER */
export function assertSupportedType(layer: Descriptor, image: string): void {
  const reason = unsupportedTypeReason(layer)
  if (reason !== undefined) throw unsupportedLayerError(image, reason)
}

/** Returns why the media type of a layer is not supported, or undefined if it is. */
export function unsupportedTypeReason({ digest, mediaType }: Descriptor): string | undefined {
  if (layerCompression(mediaType) !== undefined) return undefined
  const compression = unsupportedCompressionInMediaType(mediaType)
  const problem =
    compression === undefined
      ? 'not a tar archive, uncompressed or compressed with gzip or zstd'
      : recompressAdvice(compression)
  return `layer ${digest} has the media type ${mediaType}, which is ${problem}`
}

/**
 * Returns why a layer of an image cannot be read: its media type is not supported, or it is foreign and the
 * registry does not have it. Returns undefined if all layers can be read.
 */
export async function unsupportedLayerReason(
  repository: Repository,
  { layers }: Manifest,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const layer of layers) {
    const reason = unsupportedTypeReason(layer)
    if (reason !== undefined) return reason
  }
  for (const layer of layers) {
    if (!isForeign(layer)) continue
    if ((await repository.blobSize(layer.digest, { signal })) === undefined) return foreignReason(layer)
  }
  return undefined
}

/**
 * Returns the error to report for a layer that could not be read. A foreign layer that is not found gets an
 * explanation.
 */
export function explainLayerError(layer: Descriptor, error: unknown): unknown {
  const isMissing = error instanceof RegistryError && error.code === 'NOT_FOUND'
  if (!isMissing || !isForeign(layer)) return error
  return new ConversionError('UNSUPPORTED_LAYER', foreignReason(layer), { cause: error })
}

/**
 * Whether a registry may lack the layer: Docker's foreign and OCI's non-distributable layers, and layers with
 * `urls`.
 */
function isForeign({ mediaType, urls }: Descriptor): boolean {
  return isNonDistributable(mediaType) || (urls?.length ?? 0) > 0
}

function foreignReason({ digest, mediaType, urls }: Descriptor): string {
  const named = (urls ?? [])
    .slice(0, MAX_NAMED_URLS)
    .map((url) => JSON.stringify(url.slice(0, MAX_URL_CHARACTERS)))
  const unnamed = (urls?.length ?? 0) - named.length
  const list = [...named, ...(unnamed > 0 ? [`${unnamed} more`] : [])].join(', ')
  const origin = list === '' ? 'names no urls' : `names the urls ${list}, which are not followed`
  return `layer ${digest} is a foreign layer (${mediaType}): the registry does not have it, and the manifest ${origin}; push the image with its foreign layers ("allow-nondistributable-artifacts" in Docker), or choose other platforms`
}
