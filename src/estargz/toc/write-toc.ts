import { Digester } from '../../bytes/digester.ts'
import { release } from '../../bytes/release.ts'
import { compressBuffer, decompressBuffer } from '../../compression/compressed-buffer.ts'
import type { Digest } from '../../oci/digest.ts'
import type { EntryType } from '../../tar/header.ts'

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
  /** RFC 3339; containers/storage compares these with the archive's. */
  accesstime?: string
  changetime?: string
  chunkOffset?: number
  /** Left out for a chunk that reaches the end of its file. */
  chunkSize?: number
  chunkDigest?: string
}

/** A table of contents is kept in parts of this size. */
const PART_BYTES = 256 * 1024

/**
 * A table of contents as a file: its size in bytes, the digest by which readers know it, and the file, part by part, each
 * valid until the next is asked for. The parts can be had once.
 */
export type TocFile = { readonly size: number; readonly digest: Digest; parts(): Iterable<Buffer> }

/**
 * Writes a table of contents, an entry a line. Its size has to be known before its first byte is used.
 * @param more members behind the entries; asked for when these are written
 */
export function writeToc(
  entries: Iterable<TocEntry>,
  more: () => Record<string, string> = () => ({}),
): TocFile {
  const toc = new TocBuffer()
  let text = '{"version":1,"entries":['
  let separator = '\n'
  for (const entry of entries) {
    text += separator + JSON.stringify(entry)
    separator = ',\n'
    if (text.length < PART_BYTES) continue
    toc.add(Buffer.from(text))
    text = ''
  }
  const members = Object.entries(more()).map(
    ([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`,
  )
  toc.add(Buffer.from(`${text}\n]${members.join('')}}`))
  return toc.finish()
}

/** Keeps a table of contents compressed, while it comes: hundreds of thousands of entries are a hundred megabytes. */
export class TocBuffer {
  readonly #tally = new Digester()
  readonly #kept: { readonly packed: Buffer; readonly size: number }[] = []
  readonly #part = Buffer.allocUnsafeSlow(PART_BYTES)
  #length = 0

  /** Bytes so far. */
  get size(): number {
    return this.#tally.size
  }

  add(bytes: Buffer): void {
    this.#tally.add(bytes)
    for (let at = 0; at < bytes.length; ) {
      const copied = bytes.copy(this.#part, this.#length, at)
      at += copied
      this.#length += copied
      if (this.#length === PART_BYTES) this.#keep()
    }
  }

  /** Call once, at the end. */
  finish(): TocFile {
    this.#keep()
    release(this.#part)
    const kept = this.#kept
    const parts = function* () {
      for (const { packed, size } of kept) {
        const part = decompressBuffer(packed, size)
        release(packed)
        yield part
        release(part)
      }
    }
    return { ...this.#tally.finish(), parts }
  }

  #keep(): void {
    if (this.#length === 0) return
    this.#kept.push({ packed: compressBuffer(this.#part.subarray(0, this.#length)), size: this.#length })
    this.#length = 0
  }
}
