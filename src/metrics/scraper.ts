import type { ChildMetrics } from './child-metrics.ts'
import { formatMetrics, type MetricSet } from './metric-set.ts'

/** Shows the metrics of a process, of its children and of the whole broker as one text. */
export class Scraper {
  readonly #sets: readonly MetricSet[]
  readonly #children: ChildMetrics | undefined
  #scraping: Promise<string> | undefined

  constructor(sets: readonly MetricSet[], children?: ChildMetrics) {
    this.#sets = sets
    this.#children = children
  }

  /**
   * Returns the values in the exposition format of Prometheus. Scrapes at the same time share one, so that
   * their number costs nothing.
   */
  scrape(): Promise<string> {
    this.#scraping ??= this.#collect().finally(() => {
      this.#scraping = undefined
    })
    return this.#scraping
  }

  async #collect(): Promise<string> {
    // The children first: whether they responded is a metric of this process.
    const children = (await this.#children?.collect()) ?? []
    const own = await Promise.all(this.#sets.map((metrics) => metrics.snapshot()))
    return formatMetrics([...own, ...children])
  }
}
