import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { layerCompression } from '../../oci/media-types.ts'
import { MAX_RECORD_ENTRIES, type RecordEntry } from '../../records/model.ts'
import type { Repository } from '../../registry/repository.ts'
import { LayerError } from '../../tar/layer-error.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import { ConversionError } from '../errors.ts'
import type { ThreadPool } from '../layers/thread-pool.ts'
import type { RequestTally } from '../request-bounds.ts'
import { ExternalTocs } from '../source/external-tocs.ts'
import { findCounterpart, type Image } from '../source/image.ts'
import type { ImageReader } from '../source/image-reader.ts'
import { explainLayerError } from '../source/supported-layers.ts'
import { MAX_CONCURRENT_TOCS, TocReader } from '../source/toc-reader.ts'
import type { RecordSelector } from './loaded-record.ts'

export type PriorityCopierOptions = {
  readonly images: ImageReader
  readonly threads: ThreadPool
  readonly limits: LayerLimits
  readonly tally: RequestTally
  readonly signal: AbortSignal
}

/**
 * Copies the prioritized files of an eStargz image as a record, from the tables of contents of its layers.
 */
export class PriorityCopier {
  readonly #images: ImageReader
  readonly #limits: LayerLimits
  readonly #tally: RequestTally
  readonly #signal: AbortSignal
  readonly #tocs: TocReader

  constructor(options: PriorityCopierOptions) {
    this.#images = options.images
    this.#limits = options.limits
    this.#tally = options.tally
    this.#signal = options.signal
    this.#tocs = new TocReader(options)
  }

  /**
   * Copies, for each image of the source, the prioritized files of the image for the same platform.
   * @throws ConversionError NO_PRIORITIZED_FILES, PLATFORM_NOT_FOUND, LIMIT_EXCEEDED; RegistryError; LayerError
   */
  async copy(reference: string, images: readonly Image[]): Promise<RecordSelector> {
    const opened = await this.#images.open(reference)
    const { images: models } = await this.#images.read(opened, undefined)
    const externalTocs = new ExternalTocs(opened.repository, opened.reference, this.#limits)
    const records = new Map<Digest, RecordEntry[]>()
    for (const image of images) {
      const model = findCounterpart(image, models)
      if (!model) {
        throw new ConversionError(
          'PLATFORM_NOT_FOUND',
          `${opened.pinned} has no image for ${image.platform} to copy prioritized files from`,
        )
      }
      const lists = await this.#readLists(opened.repository, model, externalTocs)
      records.set(image.descriptor.digest, toEntries(lists, image))
    }
    const profiledImageUnknown = `the files were copied from ${opened.pinned}, and not profiled`
    return (image) => ({ entries: records.get(image.descriptor.digest) ?? [], profiledImageUnknown })
  }

  /**
   * Returns the prioritized files of each layer of an image in their order, undefined for layers that are not
   * eStargz.
   */
  async #readLists(
    repository: Repository,
    { descriptor, manifest, platform }: Image,
    externalTocs: ExternalTocs,
  ): Promise<(string[] | undefined)[]> {
    const lists = await allOrAbort(
      manifest.layers,
      this.#signal,
      async (layer, _, signal) => {
        if (layerCompression(layer.mediaType) === 'none') return undefined
        return this.#readList(repository, layer, externalTocs, signal)
      },
      MAX_CONCURRENT_TOCS,
    )
    if (lists.every((list) => list === undefined)) {
      throw new ConversionError(
        'NO_PRIORITIZED_FILES',
        `no layer of ${descriptor.digest} (${platform}) is eStargz: there are no prioritized files to copy`,
      )
    }
    const count = lists.reduce((sum, list) => sum + (list?.length ?? 0), 0)
    if (count > MAX_RECORD_ENTRIES) {
      throw new ConversionError(
        'LIMIT_EXCEEDED',
        `${descriptor.digest} prioritizes ${count} files, but a record may have at most ${MAX_RECORD_ENTRIES} entries`,
      )
    }
    return lists
  }

  async #readList(
    repository: Repository,
    layer: Descriptor,
    externalTocs: ExternalTocs,
    signal: AbortSignal,
  ): Promise<string[] | undefined> {
    try {
      const options = { listEntries: false, externalTocs, signal }
      const { view } = await this.#tocs.read(repository, layer, options)
      this.#tally.countLayer(view.entryCount, 0)
      // Every layer has the root directory.
      return view.prioritized.filter((name) => name !== '')
    } catch (error) {
      if (error instanceof LayerError && error.code === 'NOT_ESTARGZ') return undefined
      throw explainLayerError(layer, error)
    }
  }
}

/** Assumes that two images have the same layers if they have the same number of layers. */
function toEntries(lists: readonly (readonly string[] | undefined)[], image: Image): RecordEntry[] {
  const hasSameLayers = lists.length === image.manifest.layers.length
  const manifestDigest = image.descriptor.digest
  return lists.flatMap((list = [], layerIndex) =>
    list.map((path) => (hasSameLayers ? { path, manifestDigest, layerIndex } : { path })),
  )
}
