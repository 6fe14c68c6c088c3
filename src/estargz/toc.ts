import { Tally } from '../bytes/tally.ts'
import type { Digest } from '../oci/digest.ts'
import type { EntryType } from './tar-header.ts'

/**
 * One entry of the table of contents (stargz-snapshotter `docs/estargz.md`, "TOC, TOCEntries and Footer").
 * Fields with no value are left out.
 */
export type TocEntry = {
  /** The path as the archive spells it. */
  name: string
  /** `chunk` continues the regular file before it. */
  type: EntryType | 'chunk'
  size?: number
  modtime?: string
  linkName?: string
  mode?: number
  uid?: number
  gid?: number
  /** Left out while the same id keeps the name it had last. */
  userName?: string
  groupName?: string
  /** Where the gzip member with the content begins, in bytes of the blob. */
  offset?: number
  /** Where the content begins in that member's plain bytes; left out at their start. */
  innerOffset?: number
  /** Where the member ends; containers/storage wants it in zstd:chunked. */
  endOffset?: number
  devMajor?: number
  devMinor?: number
  /** Values in base64. */
  xattrs?: Record<string, string>
  /** Of the whole file. */
  digest?: string
  chunkOffset?: number
  /** Left out for a chunk that reaches the end of its file. */
  chunkSize?: number
  chunkDigest?: string
}

export type Toc = { version: 1; entries: TocEntry[] }

/** The text is gathered in parts of about this size. */
const PART_BYTES = 64 * 1024

/** The file's bytes in parts, how many they are, and the digest by which readers know them. */
export function writeToc(entries: Iterable<TocEntry>): { parts: Buffer[]; size: number; digest: Digest } {
  // Joined by hand: one stringify of hundreds of thousands of entries would need it all twice.
  const parts: Buffer[] = []
  let text = '{\n\t"version": 1,\n\t"entries": ['
  let first = true
  for (const entry of entries) {
    text += first ? '\n\t\t{' : ',\n\t\t{'
    first = false
    // Several times as fast as a stringify that indents.
    let comma = ''
    for (const [key, value] of Object.entries(entry)) {
      text += `${comma}\n\t\t\t"${key}": ${typeof value === 'object' ? indented(value) : JSON.stringify(value)}`
      comma = ','
    }
    text += '\n\t\t}'
    if (text.length < PART_BYTES) continue
    parts.push(Buffer.from(text))
    text = ''
  }
  parts.push(Buffer.from(`${text}${first ? '' : '\n\t'}]\n}`))
  const tally = new Tally()
  for (const part of parts) tally.add(part)
  return { parts, ...tally.finish() }
}

/** The text of an object in an entry. */
function indented(value: object): string {
  return JSON.stringify(value, null, '\t').replaceAll('\n', '\n\t\t\t')
}
