import type { AddedDirectory } from '../../estargz/index/added-directories.ts'
import type { LayerIndex } from '../../estargz/index/layer-index.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { Repository } from '../../registry/repository.ts'
import { traced } from '../../tracing/spans.ts'
import { withSide } from '../errors.ts'
import type { ConversionServices } from '../services.ts'
import type { ConvertedLayer } from './converted-layer.ts'
import { ensureBlob } from './ensure-blob.ts'
import type { CachedLayer } from './layer-cache.ts'
import { computeLayerKey, type LayerKey, type LayerOutputSettings } from './layer-key.ts'
import { decodeCachedIndex, type SourceLayer } from './layer-listings.ts'

/** A cached layer that can be rearranged, and its decoded index. */
export type RearrangeableLayer = { readonly index: LayerIndex; readonly cached: CachedLayer }

/** Finds layers in the cache that a conversion can use instead of converting them. */
export class LayerReuse {
  readonly #services: Pick<ConversionServices, 'cache' | 'registries'>
  readonly #target: Repository
  readonly #settings: LayerOutputSettings

  constructor(o: {
    readonly services: ConversionServices
    readonly target: Repository
    readonly settings: LayerOutputSettings
  }) {
    this.#services = o.services
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
  findReusable(key: LayerKey, signal: AbortSignal): Promise<ConvertedLayer | undefined> {
    return traced('reuse layer', {}, async (span) => {
      const reusable = await this.#findReusable(key, signal)
      span.setAttribute('record_broker.cache.hit', reusable !== undefined)
      return reusable
    })
  }

  async #findReusable(key: LayerKey, signal: AbortSignal): Promise<ConvertedLayer | undefined> {
    const cached = await this.#services.cache?.layers.find(key)
    // An earlier name of the broker's own registry means the same registry.
    const { names } = this.#services.registries
    if (!cached || names.preferred(cached.host) !== this.#target.host) return undefined
    const { layer } = cached
    const blobs = [layer, ...(layer.externalToc ? [layer.externalToc] : [])]
    for (const blob of blobs) {
      const result = await withSide('target', () =>
        ensureBlob(this.#target, this.repositoryFor(cached), blob, signal),
      )
      if (result === 'missing') await this.#services.cache?.layers.remove(key)
      if (result !== 'present') return undefined
    }
    return layer
  }

  /** Finds a converted layer of the same source in another order, if its members can be read. */
  async findRearrangeable({ descriptor, signal }: SourceLayer): Promise<RearrangeableLayer | undefined> {
    if (!this.#canRearrange) return undefined
    const cached = await this.#services.cache?.layers.findWithIndex(this.keyFor(descriptor))
    if (!cached) return undefined
    try {
      const size = await this.repositoryFor(cached).blobSize(cached.layer.digest, { signal })
      if (size !== cached.layer.size) return undefined
    } catch {
      signal.throwIfAborted()
      // A failure of that registry is no failure of the conversion: the source can be read instead.
      return undefined
    }
    const index = decodeCachedIndex(cached, this.#settings.limits.maxTocBytes)
    const { layer, host, repository } = cached
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
