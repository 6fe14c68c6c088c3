import {
  type Descriptor,
  DocumentError,
  ImageConfig,
  type Manifest,
  parseDocument,
} from '../../oci/documents.ts'
import { isImageConfigType } from '../../oci/media-types.ts'
import { completePlatform, formatPlatform, matchesPlatform } from '../../oci/platform.ts'
import type { Repository } from '../../registry/repository.ts'
import { ConversionError } from '../errors.ts'
import type { RequestTally } from '../request-bounds.ts'
import { unsupportedTypeReason } from './supported-layers.ts'

const MAX_CONFIG_BYTES = 8 * 1024 * 1024

/** An image of one platform: manifest and config, and what they were read from. */
export type Image = {
  /** As the reference or the index names it. */
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly manifestBytes: Buffer
  readonly config: ImageConfig
  readonly configBytes: Buffer
  /** As text, for people and for matching. */
  readonly platform: string
}

/**
 * Reads the image of a manifest; undefined when it is not one of a container image.
 * @throws ConversionError INVALID_IMAGE, LIMIT_EXCEEDED; DocumentError; RegistryError
 */
export async function readImage(
  repository: Repository,
  descriptor: Descriptor,
  document: { readonly manifest: Manifest; readonly bytes: Buffer },
  tally: RequestTally,
  signal: AbortSignal,
): Promise<Image | undefined> {
  const { manifest, bytes: manifestBytes } = document
  const { config: place, layers } = manifest
  tally.checkLayers(layers.length, `manifest ${descriptor.digest}`)
  const isImage = isImageConfigType(place.mediaType)
  if (isImage === 'no' || (isImage === 'perhaps' && layers.some((layer) => unsupportedTypeReason(layer))))
    return undefined
  const configBytes = await repository.blobJson(place, { limit: MAX_CONFIG_BYTES, signal })
  const config = readConfig(configBytes, `config ${place.digest}`, isImage === 'perhaps')
  if (config === undefined) return undefined
  const diffIds = config.rootfs.diff_ids.length
  if (diffIds !== layers.length) {
    if (isImage === 'perhaps') return undefined
    throw new ConversionError(
      'INVALID_IMAGE',
      `manifest ${descriptor.digest} has ${layers.length} layers, its config names ${diffIds}`,
    )
  }
  const platform = formatPlatform(completePlatform(descriptor.platform, config))
  return { descriptor, manifest, manifestBytes, config, configBytes, platform }
}

/** @param mayBeOther whether it is no failure when this is no config: then it is undefined */
function readConfig(bytes: Buffer, what: string, mayBeOther: boolean): ImageConfig | undefined {
  try {
    return parseDocument(ImageConfig, bytes, what)
  } catch (error) {
    if (mayBeOther && error instanceof DocumentError) return undefined
    throw error
  }
}

/** Whether an image is of a platform asked for; its descriptor in an index may know less than its config. */
export function isForPlatform({ descriptor, config }: Image, asked: string): boolean {
  return matchesPlatform(completePlatform(descriptor.platform, config), asked)
}
