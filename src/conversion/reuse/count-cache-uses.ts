import type { ConversionReport } from '../report.ts'
import type { CacheUse } from './conversion-cache.ts'

/** Counts the cache uses of a conversion. Layers were looked up only if the image was not reused. */
export function countCacheUses({ reused, size, images }: ConversionReport): CacheUse[] {
  const image = { kind: 'image', count: 1, bytes: size } as const
  if (reused) return [{ ...image, outcome: 'reused' }]
  const uses = new Map<CacheUse['outcome'], CacheUse>()
  for (const layer of images.flatMap(({ layers }) => layers)) {
    if (layer.action === 'duplicate') continue
    const outcome = layer.action === 'reused' || layer.action === 'rearranged' ? layer.action : 'made'
    const { count, bytes } = uses.get(outcome) ?? { count: 0, bytes: 0 }
    uses.set(outcome, { kind: 'layer', outcome, count: count + 1, bytes: bytes + layer.size })
  }
  return [{ ...image, outcome: 'made' }, ...uses.values()]
}
