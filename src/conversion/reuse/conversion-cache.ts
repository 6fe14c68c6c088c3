import type { ImageCache } from './image-cache.ts'
import type { LayerCache } from './layer-cache.ts'

/** What came of looking for something in the cache. Bytes are of converted layers. */
export type CacheUse = {
  readonly kind: 'image' | 'layer'
  readonly outcome: 'reused' | 'rearranged' | 'made'
  readonly count: number
  readonly bytes: number
}

/** What was converted before. What it says is looked up in the registry before it is believed. */
export interface ConversionCache {
  readonly layers: LayerCache
  readonly images: ImageCache
  /** Counts what became of one conversion. */
  count(uses: readonly CacheUse[]): Promise<void>
}
