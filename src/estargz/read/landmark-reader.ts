import { NO_PREFETCH_LANDMARK, PREFETCH_LANDMARK } from '../../rootfs/reserved-names.ts'
import { isWhiteout } from '../../rootfs/whiteouts.ts'
import { cleanName, parentOf } from '../../tar/names.ts'
import type { LandmarkKind } from '../blob-format.ts'
import { Column } from '../index/columns.ts'
import type { TocEntry } from '../toc/toc-entry.ts'

export type LandmarkSummary = {
  /** Undefined if the blob has none, as with plain stargz. */
  landmark: LandmarkKind | undefined
  /** The offset of the member with the landmark's content. Readers prefetch the blob up to it. */
  landmarkOffset: number | undefined
  /** Clean names of the prioritized files, in order; see {@link LandmarkReader}. */
  prioritized: string[]
}

/**
 * Derives the landmark and the prioritized files from the order of a table of contents. Directories count
 * only if no prioritized file is below them: a converter puts parent directories first for any file.
 * Whiteouts never count.
 */
export class LandmarkReader {
  #landmark: LandmarkSummary | undefined
  /**
   * The names before the landmark: concatenated text, the end of each name, and whether it is a directory's.
   */
  readonly #text = new Column(Uint8Array)
  readonly #nameEnds = new Column(Uint32Array)
  readonly #isDirectory = new Column(Uint8Array)
  readonly #parents = new Set<string>()

  /** Adds the next entry. */
  add(entry: TocEntry): void {
    if (this.#landmark || entry.type === 'chunk') return
    const name = cleanName(entry.name)
    if (name === PREFETCH_LANDMARK || name === NO_PREFETCH_LANDMARK) {
      const landmark = name === PREFETCH_LANDMARK ? 'prefetch' : 'no-prefetch'
      const prioritized = landmark === 'prefetch' ? this.#prioritizedNames() : []
      this.#landmark = { landmark, landmarkOffset: entry.offset, prioritized }
      return
    }
    if (isWhiteout(name)) return
    this.#text.append(Buffer.from(name))
    this.#nameEnds.push(this.#text.length)
    this.#isDirectory.push(entry.type === 'dir' ? 1 : 0)
    for (let ancestor = name; ancestor !== '' && !this.#parents.has(parentOf(ancestor)); ) {
      ancestor = parentOf(ancestor)
      this.#parents.add(ancestor)
    }
  }

  summarize(): LandmarkSummary {
    return this.#landmark ?? { landmark: undefined, landmarkOffset: undefined, prioritized: [] }
  }

  #prioritizedNames(): string[] {
    const names: string[] = []
    for (let i = 0, start = 0; i < this.#nameEnds.length; i++) {
      const end = this.#nameEnds.at(i)
      const name = Buffer.from(this.#text.rows(start, end)).toString()
      start = end
      if (this.#isDirectory.at(i) === 0 || !this.#parents.has(name)) names.push(name)
    }
    return names
  }
}
