import { LayerError } from './errors.ts'
import { namesOf } from './inodes.ts'
import { tocEntries } from './layer-toc.ts'
import { cleanName } from './names.ts'
import { quote } from './tar-header.ts'
import type { Toc, TocEntry } from './toc.ts'
import type { RecordedFile, Stretch } from './verify-content.ts'

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
 * said to be and with its digest, every file covered from its first byte to its last.
 * @throws LayerError VERIFICATION_FAILED
 */
export function checkToc(toc: Toc, files: readonly RecordedFile[]): { entries: number; chunks: number } {
  const entries = files.map(({ entry }) => entry)
  const expected = withOwners(
    tocEntries(namesOf(entries), (i) => {
      const entry = entries[i]
      if (!entry) throw new RangeError(`there is no entry ${i}`)
      return { entry, chunks: [] }
    }),
  )
  const listed = withOwners(toc.entries.filter((entry) => entry.type !== 'chunk'))
  for (const name of expected.keys())
    if (!listed.has(name)) throw failed(name, 'is not in the table of contents')
  const recorded = stretchesByPlace(files)
  let chunks = 0
  for (const [name, parts] of partsByName(toc)) {
    const want = expected.get(name)
    const got = listed.get(name)
    if (!want || !got) throw failed(name, 'is in the table of contents but not in the archive')
    compare(name, want, got)
    if (got.type === 'reg' && got.size) chunks += checkChunks(name, got, parts, recorded)
  }
  return { entries: listed.size, chunks }
}

/** A listed file may stand under the name of a hard link, so that content is found by where it lies. */
function stretchesByPlace(
  files: readonly RecordedFile[],
): Map<string, { stretch: Stretch; file: RecordedFile }> {
  const found = new Map<string, { stretch: Stretch; file: RecordedFile }>()
  for (const file of files)
    for (const stretch of file.stretches) found.set(placeOf(stretch, stretch.size), { stretch, file })
  return found
}

function placeOf(place: { memberOffset: number; innerOffset: number }, size: number): string {
  return `${place.memberOffset}+${place.innerOffset}:${size}`
}

function partsByName(toc: Toc): Map<string, TocEntry[]> {
  const parts = new Map<string, TocEntry[]>()
  let last: TocEntry[] | undefined
  for (const entry of toc.entries) {
    if (entry.type === 'chunk') {
      // Readers give a chunk to the file before it, whatever name it has.
      if (last?.[0]?.type !== 'reg') throw failed(entry.name, 'has a chunk that follows no file')
      last.push(entry)
      continue
    }
    const name = cleanName(entry.name)
    if (parts.has(name)) throw failed(name, 'is twice in the table of contents')
    last = [entry]
    parts.set(name, last)
  }
  return parts
}

function compare(name: string, want: TocEntry, got: TocEntry): void {
  for (const field of FIELDS) {
    if (field === 'digest' && got.digest === undefined) continue
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
    if (want[field] !== got[field]) throw failed(name, `has another ${field} in the table of contents`)
  }
  const xattrs = (entry: TocEntry) => JSON.stringify(Object.entries(entry.xattrs ?? {}).sort())
  if (xattrs(want) !== xattrs(got))
    throw failed(name, 'has other extended attributes in the table of contents')
}

function checkChunks(
  name: string,
  file: TocEntry,
  parts: readonly TocEntry[],
  recorded: ReturnType<typeof stretchesByPlace>,
): number {
  const size = file.size ?? 0
  let covered = 0
  let owner: RecordedFile | undefined
  for (const part of parts) {
    const chunkOffset = part.chunkOffset ?? 0
    const chunkSize = part.chunkSize || size - chunkOffset
    if (chunkOffset !== covered || chunkSize <= 0 || chunkOffset + chunkSize > size) {
      throw failed(name, `has chunks that do not follow each other at its byte ${covered}`)
    }
    const place = placeOf({ memberOffset: part.offset ?? 0, innerOffset: part.innerOffset ?? 0 }, chunkSize)
    const found = recorded.get(place)
    owner ??= found?.file
    if (!found || found.file !== owner || found.stretch.fileOffset !== chunkOffset) {
      throw failed(name, `has no chunk of ${chunkSize} bytes at byte ${part.offset ?? 0} of the blob`)
    }
    if (part.chunkDigest === undefined)
      throw failed(name, `has no digest for its chunk at byte ${chunkOffset}`)
    if (part.chunkDigest !== found.stretch.digest) {
      throw failed(name, `does not match its chunk digest at byte ${chunkOffset}`)
    }
    covered += chunkSize
  }
  if (covered !== size) throw failed(name, `has ${size - covered} bytes in no chunk`)
  if (file.digest !== undefined && file.digest !== owner?.entry.digest)
    throw failed(name, 'does not match its digest')
  return parts.length
}

/** By clean name, with the owners' names that were left out. */
function withOwners(entries: Iterable<TocEntry>): Map<string, TocEntry> {
  const users = new Map<number, string>()
  const groups = new Map<number, string>()
  const complete = new Map<string, TocEntry>()
  for (const entry of entries) {
    const uid = entry.uid ?? 0
    const gid = entry.gid ?? 0
    const userName = entry.userName || users.get(uid)
    const groupName = entry.groupName || groups.get(gid)
    if (userName !== undefined) users.set(uid, userName)
    if (groupName !== undefined) groups.set(gid, groupName)
    const full: TocEntry = { ...entry }
    if (userName !== undefined) full.userName = userName
    if (groupName !== undefined) full.groupName = groupName
    complete.set(cleanName(entry.name), full)
  }
  return complete
}

function failed(name: string, what: string): LayerError {
  return new LayerError('VERIFICATION_FAILED', `${quote(name)} ${what}`, { entry: name })
}
