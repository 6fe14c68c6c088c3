import { DocumentError } from '../../oci/document-error.ts'
import { type Descriptor, ImageConfig, type Manifest, parseDocument } from '../../oci/documents.ts'
import { isImageConfigType } from '../../oci/media-types.ts'
import { completePlatform, formatPlatform, matchesPlatform } from '../../oci/platform.ts'
import type { Repository } from '../../registry/repository.ts'
import { ConversionError } from '../errors.ts'
import type { RequestTally } from '../request-bounds.ts'
import { unsupportedTypeReason } from './supported-layers.ts'

const MAX_CONFIG_BYTES = 8 * 1024 * 1024

/** An image for one platform: its manifest and config, parsed and as served. */
export type Image = {
  /** The descriptor from the reference or the index. */
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly manifestBytes: Buffer
  readonly config: ImageConfig
  readonly configBytes: Buffer
  /** The platform as text, such as `linux/arm64/v8`. */
  readonly platform: string
}

/** Where one request reads images, and the bounds that it counts against. */
export type ReadContext = {
  readonly repository: Repository
  readonly tally: RequestTally
  readonly signal: AbortSignal
}

/**
 * Reads the image of a manifest. Returns undefined if the manifest does not describe a container image.
 * @throws ConversionError INVALID_IMAGE, LIMIT_EXCEEDED; DocumentError; RegistryError
 */
export async function readImage(
  document: { readonly descriptor: Descriptor; readonly manifest: Manifest; readonly bytes: Buffer },
  { repository, tally, signal }: ReadContext,
): Promise<Image | undefined> {
  const { descriptor, manifest, bytes: manifestBytes } = document
  const { config: configDescriptor, layers } = manifest
  tally.assertLayerCount(layers.length, `manifest ${descriptor.digest}`)
  const isImage = isImageConfigType(configDescriptor.mediaType)
  if (isImage === 'no') return undefined
  if (isImage === 'perhaps' && layers.some((layer) => unsupportedTypeReason(layer))) return undefined
  const configBytes = await repository.readJsonBlob(configDescriptor, { limit: MAX_CONFIG_BYTES, signal })
  const config = parseConfig(configBytes, `config ${configDescriptor.digest}`, isImage === 'perhaps')
  if (config === undefined) return undefined
  const diffIdCount = config.rootfs.diff_ids.length
  if (diffIdCount !== layers.length) {
    if (isImage === 'perhaps') return undefined
    throw new ConversionError(
      'INVALID_IMAGE',
      `manifest ${descriptor.digest} has ${layers.length} layers, but its config names ${diffIdCount}`,
    )
  }
  const platform = formatPlatform(completePlatform(descriptor.platform, config))
  return { descriptor, manifest, manifestBytes, config, configBytes, platform }
}

/** @param mayBeOther whether to return undefined instead of throwing when the document is not a config */
function parseConfig(bytes: Buffer, name: string, mayBeOther: boolean): ImageConfig | undefined {
  try {
    return parseDocument(ImageConfig, bytes, name)
  } catch (error) {
    if (mayBeOther && error instanceof DocumentError) return undefined
    throw error
  }
}

/** Whether an image matches a requested platform. The config fills in what the index entry leaves open. */
export function isForPlatform({ descriptor, config }: Image, requested: string): boolean {
  return matchesPlatform(completePlatform(descriptor.platform, config), requested)
}

/** Returns the image for the same platform as `image`, or the only one of `images`. */
export function findCounterpart(image: Image, images: readonly Image[]): Image | undefined {
  const [first, ...others] = images
  return (
    images.find(({ platform }) => platform === image.platform) ?? (others.length === 0 ? first : undefined)
  )
}
