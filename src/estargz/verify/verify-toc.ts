import { NameTable } from '../../bytes/name-table.ts'
import { cleanName } from '../../tar/names.ts'
import type { AddedDirectory } from '../index/added-directories.ts'
import { ArchiveIndex } from '../index/archive-index.ts'
import type { LayerEntry } from '../index/layer-entry.ts'
import type { LayerTree } from '../index/layer-tree.ts'
import { roundedTocTime, tocTime } from '../index/toc-time.ts'
import { FileChunks, failed } from '../read-file/file-chunks.ts'
import { TocListing, tarNameOf } from '../toc/layer-toc.ts'
import type { TocEntry } from '../toc/write-toc.ts'
import type { Recorded } from './verify-content.ts'

/** Metadata that a listed entry has from the archive. Owners' names are compared apart: readers complete them. */
const FIELDS = [
  'type',
  'size',
  'modtime',
  'linkName',
  'mode',
  'uid',
  'gid',
  'devMajor',
  'devMinor',
  'digest',
] as const

/**
 * Checks a table of contents against the archive: the same names, the same metadata, every chunk where it is
 * said to be and with its digest, every file covered from its first byte to its last. One that lies outside of the blob may
 * list directories, too, that the archive only has entries in.
 * @param listed its entries, each looked at once
 * @throws LayerError VERIFICATION_FAILED; errors of `listed` pass unchanged
 */
export function checkToc(
  listed: Iterable<TocEntry>,
  { tree, stretches }: Pick<Recorded, 'tree' | 'stretches'>,
  { isExternal }: { readonly isExternal: boolean },
): { entries: number; chunks: number; tree: LayerTree } {
  const index = new ArchiveIndex(tree.columns)
  const beside = new Map((isExternal ? index.missing : []).map((name) => [name.toWellFormed(), name]))
  const added: AddedDirectory[] = []
  const archive = new ArchiveNames(index)
  const owners = new Owners()
  let entries = 0
  let chunks = 0
  let file: FileChunks | undefined
  for (const entry of listed) {
    if (entry.type === 'chunk') {
      // Readers give a chunk to the file before it, whatever name it has.
      if (!file) throw failed(entry.name, 'has a chunk that follows no file')
      file.take(entry)
      continue
    }
    chunks += file?.end() ?? 0
    const name = cleanName(entry.name)
    const directory = entry.type === 'dir' ? beside.get(name) : undefined
    if (directory !== undefined) {
      beside.delete(name)
      added.push(addedOf(directory, entry))
      entries++
      file = undefined
      continue
    }
    const found = archive.take(name)
    compare(name, found, { ...entry, ...owners.of(entry.uid, entry.userName, entry.gid, entry.groupName) })
    // Readers show no time then, whatever the archive says.
    if (entry.modtime === undefined) tree.seconds[found.i] = Number.NaN
    entries++
    file = entry.type === 'reg' ? new FileChunks(name, entry, index, stretches) : undefined
    file?.take(entry)
  }
  chunks += file?.end() ?? 0
  archive.expectAllTaken()
  return { entries, chunks, tree: added.length === 0 ? tree : { ...tree, added } }
}

/** A directory as a table of contents has it. */
function addedOf(
  name: string,
  { mode, uid, gid, userName, groupName, xattrs, modtime }: TocEntry,
): AddedDirectory {
  const attributes = {
    type: 'dir' as const,
    ...(mode && { mode }),
    ...(uid && { uid }),
    ...(gid && { gid }),
    ...(userName && { uname: userName }),
    ...(groupName && { gname: groupName }),
    ...(xattrs && { xattrs }),
  }
  return { name, attributes, seconds: Math.floor(Date.parse(modtime ?? '') / 1000) }
}

/** An entry of the archive as it is to be listed. */
type Expected = {
  readonly i: number
  readonly entry: LayerEntry
  readonly linkName: string | undefined
} & OwnerNames

/** The names of the archive that a table of contents has to list, each once. */
class ArchiveNames {
  readonly #index: ArchiveIndex
  readonly #listing: TocListing
  readonly #names: NameTable
  readonly #taken: Uint8Array
  /** Owners as readers complete them, by entry; few owners have all files. */
  readonly #owner: Uint32Array
  readonly #owners: OwnerNames[] = []

  constructor(index: ArchiveIndex) {
    this.#index = index
    this.#listing = new TocListing(index)
    this.#names = new NameTable(index.length, (i) => this.#nameOf(i) ?? '')
    this.#taken = new Uint8Array(index.length)
    this.#owner = new Uint32Array(index.length)
    const owners = new Owners()
    const known = new Map<string, number>()
    for (let i = 0; i < index.length; i++) {
      const name = this.#nameOf(i)
      if (name === undefined) continue
      this.#names.add(i, name)
      const { uid, uname, gid, gname } = index.attributes(i)
      const own = owners.of(uid, uname, gid, gname)
      const key = JSON.stringify(own)
      const number = known.get(key) ?? this.#owners.push(own) - 1
      known.set(key, number)
      this.#owner[i] = number
    }
  }

  /** @throws LayerError when the archive has no such name, or it was taken before */
  take(name: string): Expected {
    const i = this.#names.get(name)
    if (i === undefined) throw failed(name, 'is in the table of contents but not in the archive')
    if (this.#taken[i] === 1) throw failed(name, 'is twice in the table of contents')
    this.#taken[i] = 1
    const entry = this.#index.entry(i)
    const other = this.#listing.linkedTo(i)
    const linkName = other === undefined ? entry.linkName : tarNameOf(this.#index.entry(other))
    return { i, entry, linkName: linkName?.toWellFormed(), ...this.#owners[this.#owner[i] ?? 0] }
  }

  /** @throws LayerError */
  expectAllTaken(): void {
    for (const i of this.#names.standing()) {
      if (this.#taken[i] === 0) throw failed(this.#nameOf(i) ?? '', 'is not in the table of contents')
    }
  }

  #nameOf(i: number): string | undefined {
    const named = this.#listing.nameOf(i)
    return named === undefined ? undefined : this.#index.name(named).toWellFormed()
  }
}

const EPOCH = tocTime(0)

type OwnerNames = { userName?: string; groupName?: string }

/** Completes owners' names that were left out, by the last that the same id had. */
class Owners {
  readonly #users = new Map<number, string>()
  readonly #groups = new Map<number, string>()

  of(uid = 0, uname?: string, gid = 0, gname?: string): OwnerNames {
    const userName = uname || this.#users.get(uid)
    const groupName = gname || this.#groups.get(gid)
    if (userName !== undefined) this.#users.set(uid, userName)
    if (groupName !== undefined) this.#groups.set(gid, groupName)
    return { ...(userName !== undefined && { userName }), ...(groupName !== undefined && { groupName }) }
  }
}

function compare(name: string, { entry, linkName, ...owner }: Expected, listed: TocEntry): void {
  const want = { ...entry, linkName }
  // What is written for containers/storage has fractions of seconds.
  const got = listed.modtime?.includes('.') ? { ...listed, modtime: roundedTocTime(listed.modtime) } : listed
  for (const field of FIELDS) {
    if (field === 'digest' && got.digest === undefined) continue
    // Other builders leave out the first second of 1970.
    if (field === 'modtime' && got.modtime === undefined && want.modtime === EPOCH) continue
    const normal = (value: string | number | undefined) =>
      field === 'linkName' && want.type === 'hardlink' ? cleanName(String(value)) : value || undefined
    if (normal(want[field]) !== normal(got[field])) {
      throw failed(
        name,
        `has the ${field} ${got[field] ?? '(none)'} in the table of contents, ${want[field] ?? '(none)'} in the archive`,
      )
    }
  }
  for (const field of ['userName', 'groupName'] as const) {
    if (owner[field]?.toWellFormed() !== got[field])
      throw failed(name, `has another ${field} in the table of contents`)
  }
  const xattrs = (of: TocEntry['xattrs']) => JSON.stringify(Object.entries(of ?? {}).sort())
  if ((want.xattrs || got.xattrs) && xattrs(want.xattrs) !== xattrs(got.xattrs))
    throw failed(name, 'has other extended attributes in the table of contents')
}
