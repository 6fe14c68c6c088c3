import { fetchToc } from '../../estargz/read/read-toc.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { Repository } from '../../registry/repository.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import type { ThreadPool } from '../layers/thread-pool.ts'
import type { ReadToc } from '../layers/toc-task.ts'
import type { ExternalTocs } from './external-tocs.ts'

/**
 * The number of layers of an image whose tables of contents are in memory at once. Each is at most a quarter
 * of `maxTocBytes`.
 */
export const MAX_CONCURRENT_TOCS = 4

/**
 * Reads the tables of contents of layers: fetches them by ranged requests and parses them in a layer thread.
 */
export class TocReader {
  readonly #threads: ThreadPool
  readonly #limits: LayerLimits

  constructor({ threads, limits }: { readonly threads: ThreadPool; readonly limits: LayerLimits }) {
    this.#threads = threads
    this.#limits = limits
  }

  /**
   * @param options.listEntries whether to return the entries as an index
   * @param options.externalTocs where to look for the table of contents of a layer without one
   * @throws LayerError NOT_ESTARGZ, INVALID_TOC, LIMIT_EXCEEDED; RegistryError; ConversionError
   */
  async read(
    repository: Repository,
    layer: Descriptor,
    options: {
      readonly listEntries: boolean
      readonly externalTocs?: ExternalTocs
      readonly signal: AbortSignal
    },
  ): Promise<ReadToc> {
    const { listEntries, externalTocs, signal } = options
    const limits = this.#limits
    const toc = await fetchToc({
      size: layer.size,
      readRange: (start, end) => repository.readBlobRange(layer, start, end, { signal }),
      limits,
      ...(externalTocs && { externalToc: () => externalTocs.read(layer.digest, signal) }),
    })
    return this.#threads.run({ kind: 'toc', limits, toc, listEntries }, { signal })
  }
}
