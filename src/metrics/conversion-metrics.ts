import type { ConversionReport, LayerReport } from '../conversion/report.ts'
import { countCacheUses } from '../conversion/reuse/count-cache-uses.ts'
import type { MetricSet } from './metric-set.ts'

const METHODS = { transcode: 'transcoded', refine: 'refined', recompress: 'recompressed' } as const
type LayerMethod = (typeof METHODS)[keyof typeof METHODS] | 'rearranged' | 'reused'

/** Measures what conversions do, by their reports. */
export class ConversionMetrics {
  readonly #bytes
  readonly #layers
  readonly #cacheUses
  readonly #removed

  constructor(metrics: MetricSet) {
    this.#bytes = metrics.counter(
      'record_broker_conversion_bytes_total',
      'Bytes of layers in successful conversions. `in`: compressed sources that were converted. `out`: converted or re-arranged layers. `reused`: layers of earlier conversions that were used unchanged.',
      ['direction'],
    )
    this.#layers = metrics.counter(
      'record_broker_conversion_layers_total',
      'Layers of successful conversions, by how they were made.',
      ['method'],
    )
    this.#cacheUses = metrics.counter(
      'record_broker_cache_uses_total',
      'Lookups in the cache of conversions, by kind of entry and outcome. `converted`: nothing was found.',
      ['kind', 'outcome'],
    )
    this.#removed = metrics.counter(
      'record_broker_cache_entries_removed_total',
      'Entries of the cache that the daily check removed, because their registry had lost the content.',
    )
    for (const direction of ['in', 'out', 'reused']) this.#bytes.inc({ direction }, 0)
    for (const method of [...Object.values(METHODS), 'rearranged', 'reused']) this.#layers.inc({ method }, 0)
    for (const outcome of ['reused', 'rearranged', 'converted'])
      this.#cacheUses.inc({ kind: 'layer', outcome }, 0)
    for (const outcome of ['reused', 'converted']) this.#cacheUses.inc({ kind: 'image', outcome }, 0)
  }

  /** Counts a conversion that succeeded. */
  count(report: ConversionReport): void {
    for (const { kind, outcome, count } of countCacheUses(report)) {
      // The word of the API.
      this.#cacheUses.inc({ kind, outcome: outcome === 'made' ? 'converted' : outcome }, count)
    }
    for (const layer of report.images.flatMap(({ layers }) => layers)) {
      if (layer.action === 'duplicate') continue
      const method = report.reused ? 'reused' : methodOf(layer)
      this.#layers.inc({ method })
      if (method === 'reused') this.#bytes.inc({ direction: 'reused' }, layer.size)
      else this.#bytes.inc({ direction: 'out' }, layer.size)
      // A re-arranged layer is copied from its earlier result.
      if (method !== 'reused' && method !== 'rearranged') {
        this.#bytes.inc({ direction: 'in' }, layer.source.size)
      }
    }
  }

  /** Counts entries of the cache that the daily check removed. */
  countRemoved(entries: number): void {
    this.#removed.inc(entries)
  }
}

function methodOf({ action, compression }: LayerReport): LayerMethod {
  return action === 'reused' || action === 'rearranged' ? action : METHODS[compression.method]
}
