import { releaseBuffers } from '../../bytes/release-buffers.ts'
import { asBuffer } from '../../compression/byte-source.ts'
import { Semaphore } from '../../concurrency/semaphore.ts'
import { pauseStallWatch, watchBranch } from '../../concurrency/stall-watch.ts'
import type { DirectorySummary } from '../../estargz/index/added-directories.ts'
import { decodeIndex } from '../../estargz/index/index-codec.ts'
import { type IndexColumns, listingColumns } from '../../estargz/index/index-columns.ts'
import type { LayerIndex } from '../../estargz/index/layer-index.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { Repository } from '../../registry/repository.ts'
import { withSide } from '../errors.ts'
import type { LayerProgressTracker } from '../progress-tracker.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { ConversionServices } from '../services.ts'
import type { KnownLayers } from './known-layers.ts'
import type { CachedLayerWithIndex } from './layer-cache.ts'
import { computeLayerKey, type LayerKey, type LayerOutputSettings } from './layer-key.ts'

/** Concurrent loads of listings: each holds a decoded index, or a layer that is read, in memory. */
const MAX_CONCURRENT_LOADS = 4

/** A layer of the source image while it is converted. */
export type SourceLayer = {
  readonly descriptor: Descriptor
  readonly progress: LayerProgressTracker | undefined
  readonly signal: AbortSignal
}

/**
 * The directories of a layer. `columns` loads the listing, for more than the root and the names in the
 * summary.
 */
export type LayerDirectories = DirectorySummary & { readonly columns: () => Promise<IndexColumns> }

/**
 * The listings of source layers, which layers above them inherit directories from. Each is loaded once per
 * image.
 */
export class LayerListings {
  readonly #services: Pick<ConversionServices, 'threads'>
  readonly #known: KnownLayers
  readonly #source: Repository
  readonly #settings: LayerOutputSettings
  readonly #tally: RequestTally
  readonly #loads = new Semaphore(MAX_CONCURRENT_LOADS)
  /** By the base keys of the layers. */
  readonly #listings = new Map<string, Promise<IndexColumns>>()

  constructor(o: {
    readonly services: ConversionServices
    readonly known: KnownLayers
    readonly source: Repository
    readonly tally: RequestTally
    readonly settings: LayerOutputSettings
  }) {
    this.#services = o.services
    this.#known = o.known
    this.#source = o.source
    this.#settings = o.settings
    this.#tally = o.tally
  }

  /** Adds the listing of a layer that was just read. */
  add({ descriptor }: SourceLayer, columns: IndexColumns): void {
    this.#listings.set(this.#keyFor(descriptor).base, Promise.resolve(columns))
  }

  clear(): void {
    this.#listings.clear()
  }

  /**
   * Returns the directories of a layer from the cache, whatever other layers were below it when it was
   * converted.
   */
  async findCachedDirectories(layer: SourceLayer): Promise<LayerDirectories | undefined> {
    const cached = await this.#known.find('findAny', layer, this.#keyFor(layer.descriptor))
    return cached && this.directoriesFor(layer, cached.layer)
  }

  directoriesFor(layer: SourceLayer, { missing, root }: DirectorySummary): LayerDirectories {
    return { ...(missing && { missing }), ...(root && { root }), columns: () => this.#getColumns(layer) }
  }

  #keyFor(descriptor: Descriptor): LayerKey {
    return computeLayerKey(descriptor, this.#settings)
  }

  #getColumns(layer: SourceLayer): Promise<IndexColumns> {
    const key = this.#keyFor(layer.descriptor)
    const loaded = this.#listings.get(key.base)
    if (loaded) return loaded
    const columns = pauseStallWatch(() => this.#loads.run(() => this.#load(layer, key), layer.signal))
    this.#listings.set(key.base, columns)
    // A load that failed for one layer above is tried again for the next.
    columns.catch(() => this.#listings.delete(key.base))
    return columns
  }

  /** Loads a listing from the cache, or by reading the layer. */
  async #load(layer: SourceLayer, key: LayerKey): Promise<IndexColumns> {
    const cached = await this.#known.find('findWithIndex', layer, key)
    const index = cached && decodeCachedIndex(cached, this.#settings.limits.maxTocBytes)
    return index ? listingColumns(index.columns) : this.#read(layer)
  }

  #read({ descriptor, signal }: SourceLayer): Promise<IndexColumns> {
    const task = { kind: 'list' as const, limits: this.#settings.limits }
    const input = () => this.#source.openBlob(descriptor, { signal })
    // The stall watch of the waiting layers is paused, so this read needs a watch of its own.
    return watchBranch(() =>
      withSide('source', async () => {
        const { columns, uncompressedBytes } = await this.#services.threads.run(task, { input, signal })
        this.#tally.countLayer(columns.nameEnd.length, uncompressedBytes)
        return listingColumns(columns)
      }),
    )
  }
}

/**
 * Decodes the index of a cached layer and releases the encoded bytes.
 * @returns undefined if another version of the broker encoded it
 */
export function decodeCachedIndex(
  { index: encoded }: CachedLayerWithIndex,
  maxBytes: number,
): LayerIndex | undefined {
  const index = decodeIndex(encoded, maxBytes)
  releaseBuffers(asBuffer(encoded))
  return index
}
