import type { AddedDirectory } from '../../estargz/index/added-directories.ts'
import type { LayerIndex } from '../../estargz/index/layer-index.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { Repository } from '../../registry/repository.ts'
import { traced } from '../../tracing/spans.ts'
import { withSide } from '../errors.ts'
import type { ConversionServices } from '../services.ts'
import type { ConvertedLayer } from './converted-layer.ts'
import { ensureBlob } from './ensure-blob.ts'
import type { KnownLayers } from './known-layers.ts'
import type { CachedLayer } from './layer-cache.ts'
import { computeLayerKey, type LayerKey, type LayerOutputSettings } from './layer-key.ts'
import { decodeCachedIndex, type SourceLayer } from './layer-listings.ts'

/** A cached layer that can be rearranged, and its decoded index. */
export type RearrangeableLayer = { readonly index: LayerIndex; readonly cached: CachedLayer }

/** Finds layers in the cache that a conversion can use instead of converting them. */
export class LayerReuse {
  readonly #services: Pick<ConversionServices, 'cache' | 'registries'>
  readonly #known: KnownLayers
  readonly #source: Repository
  readonly #target: Repository
  readonly #settings: LayerOutputSettings

  constructor(o: {
    readonly services: ConversionServices
    readonly known: KnownLayers
    readonly source: Repository
    readonly target: Repository
    readonly settings: LayerOutputSettings
  }) {
    this.#services = o.services
    this.#known = o.known
    this.#source = o.source
    this.#target = o.target
    this.#settings = o.settings
  }

  keyFor(
    layer: Descriptor,
    prioritized: readonly string[] = [],
    added: readonly AddedDirectory[] = [],
  ): LayerKey {
    return computeLayerKey(layer, this.#settings, prioritized, added)
  }

  /** Finds the converted layer of a key, if the target repository has its blobs or can mount them. */
  findReusable(layer: SourceLayer, key: LayerKey): Promise<ConvertedLayer | undefined> {
    return traced('reuse layer', {}, async (span) => {
      const reusable = await this.#findReusable(layer, key)
      span.setAttribute('record_broker.cache.hit', reusable !== undefined)
      return reusable
    })
  }

  async #findReusable(source: SourceLayer, key: LayerKey): Promise<ConvertedLayer | undefined> {
    const { signal } = source
    const cached = await this.#known.find('find', source, key)
    // An earlier name of the broker's own registry means the same registry.
    const { names } = this.#services.registries
    if (!cached || names.preferred(cached.host) !== this.#target.host) return undefined
    const { layer, isOwn } = cached
    const canMount = isOwn || (await this.#known.mayRead(cached, signal))
    const origin = canMount ? this.repositoryFor(cached) : undefined
    const blobs = [layer, ...(layer.externalToc ? [layer.externalToc] : [])]
    for (const blob of blobs) {
      const result = await withSide('target', () => ensureBlob(this.#target, origin, blob, signal))
      if (result === 'missing' && isOwn) await this.#services.cache?.layers.remove(key)
      if (result !== 'present') return undefined
    }
    if (!isOwn) await this.#keep(key, layer)
    return layer
  }

  /** Notes that the target of this project has a layer now that another project converted. */
  async #keep(key: LayerKey, layer: ConvertedLayer): Promise<void> {
    const { host, repository } = this.#target
    const cached = { layer, host, repository, sourceHost: this.#source.host }
    await this.#services.cache?.layers.put(key, cached, undefined)
  }

  /** Finds a converted layer of the same source in another order, if its members can be read. */
  async findRearrangeable(source: SourceLayer): Promise<RearrangeableLayer | undefined> {
    if (!this.#canRearrange) return undefined
    const cached = await this.#known.find('findWithIndex', source, this.keyFor(source.descriptor))
    if (!cached) return undefined
    const { layer, host, repository } = cached
    // A failure of that registry is no failure of the conversion: the source can be read instead.
    if (!(await this.#known.mayRead(cached, source.signal))) return undefined
    const index = decodeCachedIndex(cached, this.#settings.limits.maxTocBytes)
    return index && { index, cached: { layer, host, repository } }
  }

  repositoryFor({ host, repository }: CachedLayer): Repository {
    return this.#services.registries.repository({ host, repository })
  }

  /** Members can be reordered if no two files share one, and if the archive may change. */
  get #canRearrange(): boolean {
    const { minChunkSize, lossless } = this.#settings.format
    return minChunkSize === 0 && !lossless
  }
}
