import { ancestorsOf } from '../../tar/names.ts'

/** Names that are kept for one layer: some 200 bytes each. */
const MAX_NAMES = 300_000

/** Notices entries that lie below a symlink of the same layer: where that leads, nothing may be. */
export class PathsThroughLinks {
  readonly #links = new Set<string>()
  readonly #directories = new Set<string>()

  /**
   * Takes the next entry, by its clean name.
   * @returns whether it lies below a symlink, or is one that an entry before it lies below; also where there are too many
   *   names to tell
   */
  take(name: string, isLink: boolean): boolean {
    if (isLink && this.#directories.has(name)) return true
    for (const above of ancestorsOf(name)) {
      if (this.#links.has(above)) return true
      this.#directories.add(above)
    }
    if (isLink) this.#links.add(name)
    return this.#links.size + this.#directories.size > MAX_NAMES
  }
}
