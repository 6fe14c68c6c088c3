import { createHash, type Hash } from 'node:crypto'
import { type Digest, digestOf, finishDigest } from '../oci/digest.ts'
import { DEFAULT_FORMAT } from './blob-format.ts'
import { type LayerEntry, layerEntry } from './layer-entry.ts'
import type { LayerLimits } from './limits.ts'
import { TOC_NAME } from './names.ts'
import { tocTooLarge } from './parse-toc.ts'
import type { TarEvent } from './tar-scan.ts'

/**
 * A stretch of a file's content with no member's start inside. Those that hold a multiple of the default chunk size are
 * recorded cut there, too: a chunk is one of these in every blob whose chunks begin members or have the default size.
 */
export type Stretch = {
  memberOffset: number
  /** Where it begins in the member's plain bytes. */
  innerOffset: number
  /** Where it begins in the file. */
  fileOffset: number
  size: number
  digest: Digest
}

/** An entry of the archive with the digests of its content. */
export type RecordedFile = { entry: LayerEntry; stretches: Stretch[] }

/** The table of contents, as it lay in the archive. */
export type FoundToc = { json: Buffer; digest: Digest; memberOffset: number }

type OpenStretch = Omit<Stretch, 'size' | 'digest'> & { hash: Hash }

/** Hashes content while an archive goes by, in the parts that a table of contents can speak of. */
export class ContentRecorder {
  readonly #limits: LayerLimits
  readonly #files: RecordedFile[] = []
  #memberOffset = 0
  /** The plain bytes being scanned, and where in their member they begin. */
  #piece: Buffer = Buffer.alloc(0)
  #pieceStart = 0
  #current: RecordedFile | undefined
  #fileOffset = 0
  #file: Hash | undefined
  /** The stretch since the member's start, and since the last multiple of the chunk size. */
  #stretch: OpenStretch | undefined
  #cut: OpenStretch | undefined
  #tocParts: Buffer[] | undefined
  #tocBytes = 0
  #toc: FoundToc | undefined

  constructor(limits: LayerLimits) {
    this.#limits = limits
  }

  /** A member begins at this byte of the blob. */
  beginMember(offset: number): void {
    this.#closeStretch()
    this.#memberOffset = offset
    this.#piece = Buffer.alloc(0)
    this.#pieceStart = 0
  }

  /** These plain bytes of the member are about to be scanned; content is told apart by where it lies in them. */
  beginPiece(piece: Buffer): void {
    this.#pieceStart += this.#piece.length
    this.#piece = piece
  }

  /** Takes what the scan of the piece found. @throws LayerError LIMIT_EXCEEDED */
  take(event: TarEvent): void {
    if (event.kind === 'entry') {
      // Only the last table of contents counts, and only when nothing comes after it.
      this.#toc = undefined
      this.#current = { entry: layerEntry(event.entry), stretches: [] }
      this.#tocParts = event.entry.name === TOC_NAME ? [] : undefined
      this.#tocBytes = 0
      this.#fileOffset = 0
      this.#file = event.entry.type === 'reg' ? createHash('sha256') : undefined
    } else if (event.kind === 'content') {
      this.#takeContent(event.bytes)
    } else if (event.kind === 'end') {
      this.#closeFile()
    }
  }

  finish(): { toc: FoundToc | undefined; files: RecordedFile[] } {
    return { toc: this.#toc, files: this.#files }
  }

  #takeContent(bytes: Buffer): void {
    if (this.#tocParts) {
      this.#tocBytes += bytes.length
      if (this.#tocBytes > this.#limits.maxTocBytes) throw tocTooLarge(this.#limits.maxTocBytes)
      this.#tocParts.push(Buffer.from(bytes))
      return
    }
    this.#file?.update(bytes)
    const { chunkSize } = DEFAULT_FORMAT
    for (let at = 0; at < bytes.length; ) {
      const open = (): OpenStretch => ({
        memberOffset: this.#memberOffset,
        innerOffset: this.#pieceStart + bytes.byteOffset + at - this.#piece.byteOffset,
        fileOffset: this.#fileOffset,
        hash: createHash('sha256'),
      })
      this.#stretch ??= open()
      if (this.#fileOffset % chunkSize === 0 && this.#fileOffset > this.#stretch.fileOffset) {
        // The first cut: what came so far is a stretch and goes on as another.
        this.#push(this.#cut ?? { ...this.#stretch, hash: this.#stretch.hash.copy() })
        this.#cut = open()
      }
      const part = bytes.subarray(at, at + chunkSize - (this.#fileOffset % chunkSize))
      this.#stretch.hash.update(part)
      this.#cut?.hash.update(part)
      at += part.length
      this.#fileOffset += part.length
    }
  }

  #closeStretch(): void {
    if (this.#stretch) this.#push(this.#stretch)
    if (this.#cut) this.#push(this.#cut)
    this.#stretch = undefined
    this.#cut = undefined
  }

  #push({ hash, ...place }: OpenStretch): void {
    const size = this.#fileOffset - place.fileOffset
    this.#current?.stretches.push({ ...place, size, digest: finishDigest(hash) })
  }

  #closeFile(): void {
    this.#closeStretch()
    const file = this.#current
    if (!file) return
    this.#current = undefined
    if (this.#tocParts) {
      const json = Buffer.concat(this.#tocParts)
      this.#toc = { json, digest: digestOf(json), memberOffset: this.#memberOffset }
      return
    }
    if (this.#file) file.entry.digest = finishDigest(this.#file)
    this.#files.push(file)
  }
}
