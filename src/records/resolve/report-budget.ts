import { MAX_NAME_BYTES, MAX_NAMED_PATHS, type RecordUse } from './record-use.ts'

/** What of one report is left for the names of paths. What has no room is counted all the same. */
export class ReportBudget {
  #missing = MAX_NAMED_PATHS
  #hidden = MAX_NAMED_PATHS
  #bytes = MAX_NAME_BYTES

  /** The report on the next image, with the first of its paths that there is room for. */
  cut(use: RecordUse): RecordUse {
    const notFound = this.#fitting(use.notFound.slice(0, this.#missing), ({ path, nearest }) =>
      nearest === undefined ? [path] : [path, nearest],
    )
    this.#missing -= notFound.length
    const hidden = this.#fitting(use.hidden.slice(0, this.#hidden), (path) => [path])
    this.#hidden -= hidden.length
    const implied = use.implied && this.#fitting(use.implied, ({ path, by }) => [path, by])
    return { ...use, notFound, hidden, ...(implied && { implied }) }
  }

  #fitting<Item>(items: readonly Item[], names: (item: Item) => readonly string[]): Item[] {
    const end = items.findIndex((item) => !this.#take(names(item)))
    return items.slice(0, end < 0 ? items.length : end)
  }

  #take(names: readonly string[]): boolean {
    const bytes = names.reduce((sum, name) => sum + Buffer.byteLength(JSON.stringify(name)), 0)
    if (bytes > this.#bytes) return false
    this.#bytes -= bytes
    return true
  }
}
