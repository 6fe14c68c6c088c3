import type { Database } from '../../db/database.ts'
import { readScanState, writeScanState } from '../../db/scan-progress.ts'
import type { ConversionIndex } from '../conversions/conversion-index.ts'
import type { ImageWriter } from '../image-writer.ts'

const ITEMS_PER_BATCH = 100

type Position = { readonly after: string; readonly isComplete: boolean }

/**
 * Gives the items that earlier releases indexed the terms of this release. Until then, callers who may read some
 * repositories only do not see them.
 */
export class TermBackfill {
  readonly #database: Database
  readonly #indexes: Readonly<Record<string, Pick<ImageWriter | ConversionIndex, 'indexTerms'>>>

  constructor(
    database: Database,
    { writer, conversions }: { readonly writer: ImageWriter; readonly conversions: ConversionIndex },
  ) {
    this.#database = database
    this.#indexes = { 'image-terms': writer, 'conversion-terms': conversions }
  }

  /** Indexes a batch of each kind. Returns whether there may be more. */
  async index(): Promise<boolean> {
    let hasMore = false
    for (const [scan, index] of Object.entries(this.#indexes)) {
      const position = await readScanState<Position>(this.#database, scan)
      if (position?.isComplete) continue
      const last = await index.indexTerms(position?.after ?? '', ITEMS_PER_BATCH)
      const next: Position = { after: last ?? '', isComplete: last === undefined }
      await this.#database.write((query) => writeScanState(query, scan, next))
      hasMore ||= last !== undefined
    }
    return hasMore
  }
}
