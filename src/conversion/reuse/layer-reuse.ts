import { release } from '../../bytes/release.ts'
import { asBuffer } from '../../compression/byte-source.ts'
import type { CompressionPolicy } from '../../compression/layer-coder.ts'
import { Semaphore } from '../../concurrency/semaphore.ts'
import { excusedWait, watchedBranch } from '../../concurrency/stall-watch.ts'
import type { BlobFormat } from '../../estargz/blob-format.ts'
import type { AddedDirectory, DirectorySummary } from '../../estargz/index/added-directories.ts'
import { type IndexColumns, listingColumns } from '../../estargz/index/archive-index.ts'
import { decodeIndex } from '../../estargz/index/encoded-index.ts'
import type { LayerIndex } from '../../estargz/index/layer-index.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { Repository } from '../../registry/repository.ts'
import type { LayerLimits } from '../../tar/limits.ts'
import type { KnownDirectories } from '../convert/layer-position.ts'
import { withSide } from '../errors.ts'
import type { LayerStages } from '../progress.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { ConversionServices } from '../services.ts'
import type { ConvertedLayer } from './converted-layer.ts'
import { ensureBlob } from './ensure.ts'
import type { CachedIndex, CachedLayer } from './layer-cache.ts'
import { type LayerKey, layerKey } from './layer-key.ts'

/** Indexes that are unpacked, and layers that are listed, side by side for those above them. */
const LOADED_AT_ONCE = 4

/** How the layers of a conversion are written. */
export type LayerSettings = {
  readonly limits: LayerLimits
  readonly format: BlobFormat
  readonly compression: CompressionPolicy
}

/** A source layer on its way. */
export type Source = {
  readonly layer: Descriptor
  readonly steps: LayerStages | undefined
  readonly signal: AbortSignal
}

/** What is known of the layers of a conversion: what was converted before, and what was seen of them. */
export class LayerReuse {
  readonly #services: ConversionServices
  readonly #source: Repository
  readonly #target: Repository
  readonly #settings: LayerSettings
  readonly #tally: RequestTally
  readonly #loading = new Semaphore(LOADED_AT_ONCE)
  /** Listings of the layers of the image that is converted, by what they depend on. */
  readonly #scanned = new Map<string, Promise<IndexColumns>>()

  constructor(o: {
    readonly services: ConversionServices
    readonly source: Repository
    readonly target: Repository
    readonly tally: RequestTally
    readonly settings: LayerSettings
  }) {
    this.#tally = o.tally
    this.#services = o.services
    this.#source = o.source
    this.#target = o.target
    this.#settings = o.settings
  }

  /** Keeps the listing of a layer, until all is forgotten. */
  saw(source: Source, columns: IndexColumns): void {
    this.#scanned.set(this.keyOf(source).base, Promise.resolve(columns))
  }

  clear(): void {
    this.#scanned.clear()
  }

  /** Members can be put into another order where no two files share one, and the archive need not stay as it is. */
  get #canRearrange(): boolean {
    const { minChunkSize, lossless } = this.#settings.format
    return minChunkSize === 0 && !lossless
  }

  keyOf(
    { layer }: Pick<Source, 'layer'>,
    prioritized: readonly string[] = [],
    added: readonly AddedDirectory[] = [],
  ): LayerKey {
    return layerKey(layer, this.#settings, prioritized, added)
  }

  /** What is known of the directories of a layer that was converted before, whatever lay below it. */
  async remembered(source: Source): Promise<KnownDirectories | undefined> {
    const cached = await this.#services.cache?.layers.findAny(this.keyOf(source))
    return cached && this.directoriesOf(source, cached.layer)
  }

  directoriesOf(source: Source, { missing, root }: DirectorySummary): KnownDirectories {
    return {
      ...(missing && { missing }),
      ...(root && { root }),
      columns: () => this.#columnsOf(source),
    }
  }

  /** The columns of a layer's listing: as they were seen, kept in the cache, or by reading the layer. Each is had once. */
  #columnsOf(source: Source): Promise<IndexColumns> {
    const key = this.keyOf(source)
    const known = this.#scanned.get(key.base)
    if (known) return known
    const columns = excusedWait(() => this.#loading.run(() => this.#columns(source, key), source.signal))
    this.#scanned.set(key.base, columns)
    // What failed for one layer above may be tried again by the next.
    columns.catch(() => this.#scanned.delete(key.base))
    return columns
  }

  async #columns(source: Source, key: LayerKey): Promise<IndexColumns> {
    const cached = await this.#services.cache?.layers.findIndex(key)
    const index = cached && this.#unpack(cached)
    return index ? listingColumns(index.columns) : this.#list(source)
  }

  #list({ layer, signal }: Source): Promise<IndexColumns> {
    const task = { kind: 'list' as const, limits: this.#settings.limits }
    const input = () => this.#source.blob(layer, { signal })
    // Whoever waits for it is excused: it has to move by itself.
    return watchedBranch(() =>
      withSide('source', async () => {
        const { columns, plainBytes } = await this.#services.threads.run(task, { input, signal })
        this.#tally.layer(columns.nameEnd.length, plainBytes)
        return listingColumns(columns)
      }),
    )
  }

  /** A layer that was converted before, when it lies in the target's repository or can be mounted there. */
  async reuse(key: LayerKey, signal: AbortSignal): Promise<ConvertedLayer | undefined> {
    const cached = await this.#services.cache?.layers.find(key)
    if (!cached || cached.host !== this.#target.host) return undefined
    const { layer } = cached
    const blobs = [layer, ...(layer.externalToc ? [layer.externalToc] : [])]
    for (const blob of blobs) {
      const brought = await withSide('target', () =>
        ensureBlob(this.#target, this.repositoryOf(cached), blob, signal),
      )
      if (brought === 'gone') await this.#services.cache?.layers.forget(key)
      if (brought !== 'there') return undefined
    }
    return layer
  }

  /** What is kept says what a table of contents does, in fewer bytes. Lets go of it. */
  #unpack({ index: packed }: CachedIndex): LayerIndex | undefined {
    const index = decodeIndex(packed, this.#settings.limits.maxTocBytes)
    release(asBuffer(packed))
    return index
  }

  /** A layer of the same source that was converted in another order, when its members can be read. */
  async converted(
    source: Source,
  ): Promise<{ readonly index: LayerIndex; readonly cached: CachedLayer } | undefined> {
    if (!this.#canRearrange) return undefined
    const { signal } = source
    const cached = await this.#services.cache?.layers.findIndex(this.keyOf(source))
    if (!cached) return undefined
    try {
      const size = await this.repositoryOf(cached).blobSize(cached.layer.digest, { signal })
      if (size !== cached.layer.size) return undefined
    } catch {
      signal.throwIfAborted()
      // Whatever is wrong with that registry, the source is still there.
      return undefined
    }
    const index = this.#unpack(cached)
    const { layer, host, repository } = cached
    return index && { index, cached: { layer, host, repository } }
  }

  repositoryOf({ host, repository }: CachedLayer): Repository {
    return this.#services.registries.repository({ host, repository })
  }
}
