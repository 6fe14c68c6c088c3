import { z } from 'zod'
import type { CacheOverview, CacheTotals } from '../../cache/cache-administration.ts'
import { isoTime, Timestamp } from '../parameters.ts'

const Count = z.int().nonnegative()

const TotalsView = z
  .object({
    entryCount: Count,
    bytes: Count.describe(
      'The total size of the cached layers, or of the manifests of the cached images, in bytes.',
    ),
    oldestUsedAt: Timestamp.optional().describe(
      'The last use of the least recently used entry, which is evicted first.',
    ),
    oldestCheckedAt: Timestamp.optional().describe(
      'All entries were checked against their registries at this time or later.',
    ),
  })
  .meta({ id: 'CacheTotals', description: 'The cached entries of one kind.' })

const UseView = z
  .object({
    hitRate: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('The share of lookups that were `reused`. Omitted if there were no lookups.'),
    reused: Count.describe('Lookups that found an entry which was still in the registry.'),
    rearranged: Count.optional().describe(
      'Layers that were created from a cached layer by changing the order of its files.',
    ),
    converted: Count.describe('Lookups without a usable entry: the source was converted.'),
    gone: Count.describe('Entries that were removed because the registry no longer had their content.'),
    bytesReused: Count.describe('The size of the converted layers that were reused, in bytes.'),
  })
  .meta({ id: 'CacheUse', description: 'How often conversions found a cached result.' })

export const CacheView = z
  .object({
    layers: TotalsView,
    images: TotalsView,
    days: z.int().describe('The number of days that `uses` covers, including today, in UTC.'),
    uses: z.object({
      images: UseView.describe('Lookups of whole images.'),
      layers: UseView.describe('Lookups of layers, for images that were not found as a whole.'),
    }),
  })
  .meta({ id: 'ConversionCache', description: 'The cached conversion results and how often they were used.' })

export const EntryCounts = z
  .object({ layerCount: Count, imageCount: Count })
  .meta({ id: 'CacheEntryCounts', description: 'The number of affected entries.' })

export function cacheView({ layers, images, uses }: CacheOverview, days: number): z.input<typeof CacheView> {
  const ofKind = (kind: 'image' | 'layer') => useView(uses.filter((use) => use.kind === kind))
  return {
    layers: totalsView(layers),
    images: totalsView(images),
    days,
    // Images are never rearranged: only layers show that count.
    uses: { images: ofKind('image'), layers: { rearranged: 0, ...ofKind('layer') } },
  }
}

function totalsView({ entryCount, bytes, oldestUsedAt, oldestCheckedAt }: CacheTotals) {
  return {
    entryCount,
    bytes,
    ...(oldestUsedAt !== undefined && { oldestUsedAt: isoTime(oldestUsedAt) }),
    ...(oldestCheckedAt !== undefined && { oldestCheckedAt: isoTime(oldestCheckedAt) }),
  }
}

function useView(uses: CacheOverview['uses']) {
  const find = (outcome: string) => uses.find((use) => use.outcome === outcome)
  const count = (outcome: string) => find(outcome)?.count ?? 0
  const lookups = count('reused') + count('rearranged') + count('made')
  return {
    ...(lookups > 0 && { hitRate: count('reused') / lookups }),
    reused: count('reused'),
    ...(find('rearranged') && { rearranged: count('rearranged') }),
    converted: count('made'),
    gone: count('gone'),
    bytesReused: find('reused')?.bytes ?? 0,
  }
}
