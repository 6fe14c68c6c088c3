import { ancestorsOf } from '../../tar/names.ts'

/** The maximum number of names stored for one layer, at about 200 bytes each. */
const MAX_NAMES = 300_000

/** Detects entries below a symlink of the same layer. The symlink's target may not contain them. */
export class SymlinkPathDetector {
  readonly #symlinks = new Set<string>()
  readonly #directories = new Set<string>()

  /**
   * Adds the next entry by its clean name.
   * @returns whether the entry is below a symlink, or is a symlink with an earlier entry below it; also true
   *   if the layer has too many names to check
   */
  add(name: string, isSymlink: boolean): boolean {
    if (isSymlink && this.#directories.has(name)) return true
    for (const ancestor of ancestorsOf(name)) {
      if (this.#symlinks.has(ancestor)) return true
      this.#directories.add(ancestor)
    }
    if (isSymlink) this.#symlinks.add(name)
    return this.#symlinks.size + this.#directories.size > MAX_NAMES
  }
}
