import type { z } from 'zod'
import type { SeriesPoint } from '../../jobs/series/series-store.ts'
import { Series } from './view.ts'

/**
 * Series as JSON, for as long as the store returns the same points. Dashboards read the same series all the time, and
 * to encode one takes longer than to read it.
 */
export class SeriesDocuments {
  readonly #documents = new WeakMap<readonly SeriesPoint[], Promise<Buffer>>()

  /** @param describe returns the response with these points; called once for them */
  of(points: readonly SeriesPoint[], describe: () => Promise<z.input<typeof Series>>): Promise<Buffer> {
    const known = this.#documents.get(points)
    if (known) return known
    const document = describe().then((series) => Buffer.from(JSON.stringify(Series.parse(series))))
    this.#documents.set(points, document)
    document.catch(() => this.#documents.delete(points))
    return document
  }
}
