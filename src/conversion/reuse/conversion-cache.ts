import type { ImageCache } from './image-cache.ts'
import type { LayerCache } from './layer-cache.ts'

/** How often lookups of one kind had one outcome. */
export type CacheUse = {
  readonly kind: 'image' | 'layer'
  readonly outcome: 'reused' | 'rearranged' | 'made'
  readonly count: number
  /** The total size of the converted layers in bytes. */
  readonly bytes: number
}

/** Earlier conversions. An entry is reused only after a check that the registry still has its content. */
export interface ConversionCache {
  readonly layers: LayerCache
  readonly images: ImageCache
  /** Adds the cache uses of one conversion to the statistics. */
  countUses(uses: readonly CacheUse[]): Promise<void>
}
