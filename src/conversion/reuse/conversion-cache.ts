import type { ConversionReport } from '../report.ts'
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

/** How often a conversion found what it looked for. Layers are looked for when the image is not found. */
export function cacheUses({ reused, size, images }: ConversionReport): CacheUse[] {
  const image = { kind: 'image', count: 1, bytes: size } as const
  if (reused) return [{ ...image, outcome: 'reused' }]
  const uses = new Map<CacheUse['outcome'], CacheUse>()
  for (const layer of images.flatMap(({ layers }) => layers)) {
    if (layer.action === 'same-as-other') continue
    const outcome = layer.action === 'reused' || layer.action === 'rearranged' ? layer.action : 'made'
    const { count, bytes } = uses.get(outcome) ?? { count: 0, bytes: 0 }
    uses.set(outcome, { kind: 'layer', outcome, count: count + 1, bytes: bytes + layer.size })
  }
  return [{ ...image, outcome: 'made' }, ...uses.values()]
}
