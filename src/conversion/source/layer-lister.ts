import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import { Memo } from '../../concurrency/memo.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { layerCompression } from '../../oci/media-types.ts'
import type { Repository } from '../../registry/repository.ts'
import { LayerError } from '../../tar/layer-error.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import type { ThreadPool } from '../layers/thread-pool.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { Image } from './image.ts'
import type { ListedLayer } from './listed-layer.ts'
import type { ListedLayers } from './listed-layer-cache.ts'
import { assertSupportedType, explainLayerError } from './supported-layers.ts'
import { MAX_CONCURRENT_TOCS, TocReader } from './toc-reader.ts'

export type LayerListerOptions = {
  readonly threads: ThreadPool
  readonly limits: LayerLimits
  readonly tally: RequestTally
  /** Listings of earlier requests of the same project. */
  readonly listedLayers?: ListedLayers | undefined
}

/** Lists the entries of layers for one request, within the bounds of that request. */
export class LayerLister {
  readonly #threads: ThreadPool
  readonly #limits: LayerLimits
  readonly #tally: RequestTally
  readonly #cache: ListedLayers | undefined
  readonly #tocs: TocReader

  constructor({ threads, limits, tally, listedLayers }: LayerListerOptions) {
    this.#threads = threads
    this.#limits = limits
    this.#tally = tally
    this.#cache = listedLayers
    this.#tocs = new TocReader({ threads, limits })
  }

  /**
   * Lists the layers of an image, each from its table of contents where it has one.
   * @param options.scan whether to download and decompress layers without a table of contents
   * @returns undefined if a layer has no table of contents and `scan` is false
   * @throws RegistryError; LayerError; ConversionError UNSUPPORTED_LAYER, LIMIT_EXCEEDED
   */
  async list(
    repository: Repository,
    { descriptor, manifest }: Image,
    { scan, signal }: { readonly scan: boolean; readonly signal: AbortSignal },
  ): Promise<ListedLayer[] | undefined> {
    const memo = new Memo<ListedLayer | undefined>()
    const listed = await allOrAbort(
      manifest.layers,
      signal,
      (layer, _, taskSignal) =>
        memo.get(`${layer.digest} ${layer.size}`, async () => {
          const cached = this.#cache?.get(repository, layer.digest)
          if (cached?.size === layer.size) return this.#count(repository, cached)
          assertSupportedType(layer, descriptor.digest)
          const listing = await this.#read(repository, layer, scan, taskSignal)
          return listing && this.#count(repository, listing)
        }),
      MAX_CONCURRENT_TOCS,
    )
    const complete = listed.filter((layer) => layer !== undefined)
    return complete.length === listed.length ? complete : undefined
  }

  #count(repository: Repository, layer: ListedLayer): ListedLayer {
    this.#cache?.add(repository, layer)
    this.#tally.countLayer(layer.columns.nameEnd.length, 0)
    return layer
  }

  async #read(
    repository: Repository,
    layer: Descriptor,
    scan: boolean,
    signal: AbortSignal,
  ): Promise<ListedLayer | undefined> {
    const isCompressed = layerCompression(layer.mediaType) !== 'none'
    try {
      const listed = isCompressed ? await this.#readToc(repository, layer, signal) : undefined
      return listed ?? (scan ? await this.#scan(repository, layer, signal) : undefined)
    } catch (error) {
      throw explainLayerError(layer, error)
    }
  }

  /** Returns undefined if the layer has no table of contents. */
  async #readToc(
    repository: Repository,
    layer: Descriptor,
    signal: AbortSignal,
  ): Promise<ListedLayer | undefined> {
    const { digest, size } = layer
    try {
      const { view, columns } = await this.#tocs.read(repository, layer, { listEntries: true, signal })
      if (!columns) throw new RangeError('the layer thread returned a table of contents without its entries')
      return { digest, size, columns, tocOffset: view.membersEnd, hasExactOffsets: true }
    } catch (error) {
      if (error instanceof LayerError && error.code === 'NOT_ESTARGZ') return undefined
      throw error
    }
  }

  /** Downloads and decompresses the layer. */
  async #scan(repository: Repository, layer: Descriptor, signal: AbortSignal): Promise<ListedLayer> {
    const { digest, size } = layer
    const input = () => repository.openBlob(layer, { signal })
    const { columns, uncompressedBytes } = await this.#threads.run(
      { kind: 'list', limits: this.#limits },
      { input, signal },
    )
    this.#tally.countLayer(0, uncompressedBytes)
    return { digest, size, columns, hasExactOffsets: false }
  }
}
