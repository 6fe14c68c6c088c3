import { release } from '../bytes/release.ts'
import { Tally } from '../bytes/tally.ts'
import type { Digest } from '../oci/digest.ts'
import { packKept, unpackKept } from './kept-bytes.ts'
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
const PART_BYTES = 256 * 1024

/**
 * A table of contents as a file: its size in bytes, the digest by which readers know it, and the file, part by part, each
 * valid until the next is asked for.
 */
export type TocFile = { readonly size: number; readonly digest: Digest; parts(): Iterable<Buffer> }

/**
 * Writes a table of contents, an entry a line. Its size has to be known before its first byte is used, so that it is kept
 * meanwhile, compressed: hundreds of thousands of entries are a hundred megabytes.
 */
export function writeToc(entries: Iterable<TocEntry>): TocFile {
  const tally = new Tally()
  const kept: { packed: Buffer; size: number }[] = []
  const keep = (text: string) => {
    const bytes = Buffer.from(text)
    tally.add(bytes)
    kept.push({ packed: packKept(bytes), size: bytes.length })
    release(bytes)
  }
  let text = '{"version":1,"entries":['
  let separator = '\n'
  for (const entry of entries) {
    text += separator + JSON.stringify(entry)
    separator = ',\n'
    if (text.length < PART_BYTES) continue
    keep(text)
    text = ''
  }
  keep(`${text}\n]}`)
  const parts = function* () {
    for (const { packed, size } of kept) {
      const part = unpackKept(packed, size)
      yield part
      release(part)
    }
  }
  return { ...tally.finish(), parts }
}
