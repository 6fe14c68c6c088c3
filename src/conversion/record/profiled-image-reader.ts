import { formatReference } from '../../oci/reference.ts'
import { profiledDigest, tryParseReference } from '../../records/profiled-digest.ts'
import type { ProfiledLayers } from '../layers/apply-task.ts'
import { findCounterpart, type Image } from '../source/image.ts'
import type { ImageReader, OpenedReference } from '../source/image-reader.ts'
import type { LayerLister } from '../source/layer-lister.ts'
import type { ListedLayer } from '../source/listed-layer.ts'
import type { LoadedRecord } from './loaded-record.ts'

/** The maximum length of a reason in a report. The texts of registries can be long. */
const MAX_REASON_CHARACTERS = 1000

/** The image that a record is applied to, and that its profiled image is compared with. */
export type ComparisonTarget = {
  readonly opened: OpenedReference
  readonly image: Image
  readonly layers: readonly ListedLayer[]
}

/**
 * Reads the layers of the image that a record was profiled in, to compare them with those of another image.
 */
export class ProfiledImageReader {
  readonly #images: ImageReader
  readonly #layers: LayerLister

  constructor(readers: { readonly images: ImageReader; readonly layers: LayerLister }) {
    this.#images = readers.images
    this.#layers = readers.layers
  }

  /**
   * Finds the profiled image by its digest alone, because a tag may have moved since. A failure to read it is
   * returned as `unknown`, and not thrown.
   * @param options.scan whether to download and decompress layers without a table of contents
   */
  async read(
    record: LoadedRecord,
    target: ComparisonTarget,
    options: { readonly scan: boolean; readonly signal: AbortSignal },
  ): Promise<ProfiledLayers> {
    if (record.profiledImageUnknown !== undefined) return { unknown: record.profiledImageUnknown }
    const digest = profiledDigest(record.image, record.entries) ?? record.imageDigest
    if (digest === undefined) {
      return {
        unknown: 'the record contains no digest of the profiled image, and a tag may have moved',
      }
    }
    const { host, repository } = tryParseReference(record.image) ?? target.opened.reference
    const name = formatReference({ host, repository, digest })
    const manifestDigest = target.image.descriptor.digest
    if (digest === manifestDigest || digest === target.opened.descriptor.digest) {
      return { name, layers: 'same', manifestDigest }
    }
    try {
      return await this.#readLayers(name, target.image, options)
    } catch (error) {
      options.signal.throwIfAborted()
      // An error without a code is a defect.
      if (typeof (error as { code?: unknown }).code !== 'string') throw error
      const reason = `${name} could not be read: ${(error as Error).message}`
      return { unknown: reason.slice(0, MAX_REASON_CHARACTERS) }
    }
  }

  async #readLayers(
    name: string,
    target: Image,
    options: { readonly scan: boolean; readonly signal: AbortSignal },
  ): Promise<ProfiledLayers> {
    const opened = await this.#images.open(name)
    const { images } = await this.#images.read(opened, undefined)
    const image = findCounterpart(target, images)
    if (image === undefined) return { unknown: `${name} has no image for ${target.platform}` }
    const layers = await this.#layers.list(opened.repository, image, options)
    if (layers === undefined) {
      return { unknown: `${name} is not an eStargz image; evaluate the record to read and compare it` }
    }
    return { name, layers, manifestDigest: image.descriptor.digest }
  }
}
