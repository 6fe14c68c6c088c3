import { MAX_NAME_BYTES, MAX_NAMED_PATHS, type RecordUse } from './record-use.ts'

/**
 * The budget of one report for names of paths, over all of its images. Counts always include the paths that
 * do not fit.
 */
export class ReportBudget {
  #missingPaths = MAX_NAMED_PATHS
  #hiddenPaths = MAX_NAMED_PATHS
  #nameBytes = MAX_NAME_BYTES

  /** Returns the report on the next image with as many of its first names as fit. */
  trim(use: RecordUse): RecordUse {
    const notFound = this.#takeFitting(use.notFound.slice(0, this.#missingPaths), ({ path, nearest }) =>
      nearest === undefined ? [path] : [path, nearest],
    )
    this.#missingPaths -= notFound.length
    const hidden = this.#takeFitting(use.hidden.slice(0, this.#hiddenPaths), (path) => [path])
    this.#hiddenPaths -= hidden.length
    const implied = use.implied && this.#takeFitting(use.implied, ({ path, by }) => [path, by])
    return { ...use, notFound, hidden, ...(implied && { implied }) }
  }

  #takeFitting<Item>(items: readonly Item[], namesOf: (item: Item) => readonly string[]): Item[] {
    const end = items.findIndex((item) => !this.#spend(namesOf(item)))
    return items.slice(0, end < 0 ? items.length : end)
  }

  /** Charges for names as JSON. Returns false, without charging, if they do not fit. */
  #spend(names: readonly string[]): boolean {
    const bytes = names.reduce((sum, name) => sum + Buffer.byteLength(JSON.stringify(name)), 0)
    if (bytes > this.#nameBytes) return false
    this.#nameBytes -= bytes
    return true
  }
}
