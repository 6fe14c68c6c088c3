import { NameTable } from '../../bytes/name-table.ts'
import type { ArchiveIndex } from '../index/archive-index.ts'
import type { LayerEntry } from '../index/layer-entry.ts'
import { verificationFailed } from '../read/verification-failed.ts'
import { tarNameOf } from '../toc/list-toc-entries.ts'
import { TocNames } from '../toc/toc-names.ts'
import { OwnerNameResolver, type OwnerNames } from './owner-names.ts'

/** An entry of the archive as a table of contents must list it. */
export type ExpectedEntry = {
  /** The number of the entry in the archive. */
  readonly i: number
  readonly entry: LayerEntry
  readonly linkName: string | undefined
} & OwnerNames

/** The names that a table of contents must list, each once. */
export class ArchiveNames {
  readonly #index: ArchiveIndex
  readonly #tocNames: TocNames
  readonly #names: NameTable
  /** By entry: 1 once its name was listed. */
  readonly #isListed: Uint8Array
  /** Owner names as readers complete them. Entries refer to them by number, as few owners have all files. */
  readonly #ownerNumbers: Uint32Array
  readonly #owners: OwnerNames[] = []

  constructor(index: ArchiveIndex) {
    this.#index = index
    this.#tocNames = new TocNames(index)
    this.#names = new NameTable(index.length, (i) => this.#listedName(i) ?? '')
    this.#isListed = new Uint8Array(index.length)
    this.#ownerNumbers = new Uint32Array(index.length)
    const resolver = new OwnerNameResolver()
    const numbersByKey = new Map<string, number>()
    for (let i = 0; i < index.length; i++) {
      const name = this.#listedName(i)
      if (name === undefined) continue
      this.#names.add(i, name)
      const { uid, uname, gid, gname } = index.attributes(i)
      const owner = resolver.resolve(uid, uname, gid, gname)
      const key = JSON.stringify(owner)
      const number = numbersByKey.get(key) ?? this.#owners.push(owner) - 1
      numbersByKey.set(key, number)
      this.#ownerNumbers[i] = number
    }
  }

  /**
   * Marks a name as listed, and returns its entry.
   * @throws LayerError VERIFICATION_FAILED if the archive has no such name, or it was listed before
   */
  markListed(name: string): ExpectedEntry {
    const i = this.#names.get(name)
    if (i === undefined) throw verificationFailed(name, 'is in the table of contents but not in the archive')
    if (this.#isListed[i] === 1) throw verificationFailed(name, 'is twice in the table of contents')
    this.#isListed[i] = 1
    const entry = this.#index.entry(i)
    const target = this.#tocNames.linkTargetEntry(i)
    const linkName = target === undefined ? entry.linkName : tarNameOf(this.#index.entry(target))
    return { i, entry, linkName: linkName?.toWellFormed(), ...this.#owners[this.#ownerNumbers[i] ?? 0] }
  }

  /** @throws LayerError VERIFICATION_FAILED if a name was not listed */
  assertAllListed(): void {
    for (const i of this.#names.lastEntries()) {
      if (this.#isListed[i] === 0) {
        throw verificationFailed(this.#listedName(i) ?? '', 'is not in the table of contents')
      }
    }
  }

  #listedName(i: number): string | undefined {
    const namingEntry = this.#tocNames.namingEntry(i)
    return namingEntry === undefined ? undefined : this.#index.name(namingEntry).toWellFormed()
  }
}
