import { cleanName } from '../../tar/names.ts'
import type { AddedDirectory } from '../index/added-directories.ts'
import { ArchiveIndex } from '../index/archive-index.ts'
import type { ArchiveMetadata } from '../index/archive-metadata.ts'
import { formatTocTime, roundTocTime } from '../index/toc-time.ts'
import { verificationFailed } from '../read/verification-failed.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import { ArchiveNames, type ExpectedEntry } from './archive-names.ts'
import type { RecordedArchive } from './content-recorder.ts'
import { FileChunkVerifier } from './file-chunk-verifier.ts'
import { OwnerNameResolver } from './owner-names.ts'

/** The compared fields of an entry. Owner names and extended attributes are compared separately. */
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

const EPOCH = formatTocTime(0)

/**
 * Verifies a table of contents against the archive: it must list the same names with the same metadata, and
 * every chunk with its location and digest; chunks must cover every file. An external table of contents may
 * also list directories that the archive has no entry for.
 * @param listed the listed entries, iterated once
 * @returns the metadata, completed with what the table of contents lists
 * @throws LayerError VERIFICATION_FAILED; errors of `listed` pass unchanged
 */
export function verifyToc(
  listed: Iterable<TocEntry>,
  { metadata, extents }: Pick<RecordedArchive, 'metadata' | 'extents'>,
  { isExternal }: { readonly isExternal: boolean },
): { entries: number; chunks: number; metadata: ArchiveMetadata } {
  const index = new ArchiveIndex(metadata.columns)
  const missingDirectories = new Map(
    (isExternal ? index.missingDirectories : []).map((name) => [name.toWellFormed(), name]),
  )
  const tocOnlyDirectories: AddedDirectory[] = []
  const archiveNames = new ArchiveNames(index)
  const owners = new OwnerNameResolver()
  let entries = 0
  let chunks = 0
  let file: FileChunkVerifier | undefined
  for (const entry of listed) {
    if (entry.type === 'chunk') {
      // Readers assign a chunk to the preceding file, whatever name the chunk has.
      if (!file) throw verificationFailed(entry.name, 'has a chunk that follows no file')
      file.add(entry)
      continue
    }
    chunks += file?.finish() ?? 0
    const name = cleanName(entry.name)
    const directory = entry.type === 'dir' ? missingDirectories.get(name) : undefined
    if (directory !== undefined) {
      missingDirectories.delete(name)
      tocOnlyDirectories.push(toAddedDirectory(directory, entry))
      entries++
      file = undefined
      continue
    }
    const expected = archiveNames.markListed(name)
    const { uid, userName, gid, groupName } = entry
    assertSameMetadata(name, expected, { ...entry, ...owners.resolve(uid, userName, gid, groupName) })
    // Readers show no time for this entry, whatever the archive contains.
    if (entry.modtime === undefined) metadata.modSeconds[expected.i] = Number.NaN
    entries++
    file = entry.type === 'reg' ? new FileChunkVerifier(name, entry, index, extents) : undefined
    file?.add(entry)
  }
  chunks += file?.finish() ?? 0
  archiveNames.assertAllListed()
  const isComplete = tocOnlyDirectories.length === 0
  return { entries, chunks, metadata: isComplete ? metadata : { ...metadata, tocOnlyDirectories } }
}

function toAddedDirectory(
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

function assertSameMetadata(
  name: string,
  { entry, linkName, ...owners }: ExpectedEntry,
  listedEntry: TocEntry,
): void {
  const expected = { ...entry, linkName }
  // Blobs for containers/storage list fractions of seconds.
  const listed = listedEntry.modtime?.includes('.')
    ? { ...listedEntry, modtime: roundTocTime(listedEntry.modtime) }
    : listedEntry
  const normalize = (field: string, value: string | number | undefined) =>
    field === 'linkName' && expected.type === 'hardlink' ? cleanName(String(value)) : value || undefined
  for (const field of FIELDS) {
    if (field === 'digest' && listed.digest === undefined) continue
    // Other builders omit 1970-01-01T00:00:00Z.
    if (field === 'modtime' && listed.modtime === undefined && expected.modtime === EPOCH) continue
    if (normalize(field, expected[field]) !== normalize(field, listed[field])) {
      throw verificationFailed(
        name,
        `has the ${field} ${listed[field] ?? '(none)'} in the table of contents, ${expected[field] ?? '(none)'} in the archive`,
      )
    }
  }
  for (const field of ['userName', 'groupName'] as const) {
    if (owners[field]?.toWellFormed() !== listed[field]) {
      throw verificationFailed(name, `has a different ${field} in the table of contents than in the archive`)
    }
  }
  const serialize = (xattrs: TocEntry['xattrs']) => JSON.stringify(Object.entries(xattrs ?? {}).sort())
  if ((expected.xattrs || listed.xattrs) && serialize(expected.xattrs) !== serialize(listed.xattrs)) {
    throw verificationFailed(
      name,
      'has different extended attributes in the table of contents than in the archive',
    )
  }
}
