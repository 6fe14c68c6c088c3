import { createHash, type Hash } from 'node:crypto'
import { TOC_NAME } from '../../rootfs/reserved-names.ts'
import type { TarEntry } from '../../tar/header.ts'
import { type LayerLimits, limitExceeded, tocTooLarge } from '../../tar/limits.ts'
import type { TarEvent } from '../../tar/scanner.ts'
import { DEFAULT_FORMAT } from '../blob-format.ts'
import { type LayerTree, TreeLister } from '../index/layer-tree.ts'
import { TocBuffer, type TocFile } from '../toc/write-toc.ts'
import { type ContentExtent, ContentExtents, EXTENT_BYTES } from './content-extents.ts'

/** What an archive holds: its entries, its table of contents left out, and where their content lies. */
export type Recorded = {
  readonly tree: LayerTree
  readonly stretches: ContentExtents
  readonly toc: FoundToc | undefined
}

/** The table of contents, as it lay in the archive. */
export type FoundToc = { readonly file: TocFile; readonly memberOffset: number }

type OpenStretch = Pick<ContentExtent, 'memberOffset' | 'innerOffset' | 'fileOffset'> & {
  readonly hash: Hash
}

/** Hashes content while an archive goes by, in the parts that a table of contents can speak of. */
export class ContentRecorder {
  readonly #limits: LayerLimits
  readonly #tree: TreeLister
  readonly #stretches = new ContentExtents()
  #memberOffset = 0
  /** The plain bytes being scanned, and where in their member they begin. */
  #piece: Buffer = Buffer.alloc(0)
  #pieceStart = 0
  /** Of the open file: bytes in all, bytes so far, and its hash once it has more than one stretch. */
  #size = 0
  #fileOffset = 0
  #file: Hash | undefined
  /** The stretch since the member's start, and since the last multiple of the chunk size. */
  #stretch: OpenStretch | undefined
  #cut: OpenStretch | undefined
  /** The table of contents that goes by. */
  #keeper: TocBuffer | undefined
  #toc: FoundToc | undefined

  constructor(limits: LayerLimits) {
    this.#limits = limits
    this.#tree = new TreeLister(limits)
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
      this.#begin(event.entry)
    } else if (event.kind === 'content') {
      if (this.#keeper) this.#takeToc(this.#keeper, event.bytes)
      else this.#takeContent(event.bytes)
    } else if (event.kind === 'end') {
      this.#end()
    }
  }

  finish(): Recorded {
    return { tree: this.#tree.finish(), stretches: this.#stretches, toc: this.#toc }
  }

  #begin(entry: TarEntry): void {
    // Only the last table of contents counts, and only when nothing comes after it.
    this.#toc = undefined
    this.#size = entry.size
    this.#fileOffset = 0
    if (entry.name === TOC_NAME) {
      this.#keeper = new TocBuffer()
      return
    }
    this.#tree.entry(entry)
  }

  #takeToc(keeper: TocBuffer, bytes: Buffer): void {
    if (keeper.size + bytes.length > this.#limits.maxTocBytes) throw tocTooLarge(this.#limits)
    keeper.add(bytes)
  }

  #takeContent(bytes: Buffer): void {
    const { chunkSize } = DEFAULT_FORMAT
    this.#file?.update(bytes)
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
        const cut = this.#cut ?? { ...this.#stretch, hash: this.#stretch.hash.copy() }
        this.#record(cut, cut.hash.digest())
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
    const stretch = this.#stretch
    if (!stretch) return
    // The first stretch of a file is the file, so far.
    const isFirst = stretch.fileOffset === 0
    if (isFirst && this.#fileOffset < this.#size) this.#file = stretch.hash.copy()
    const digest = stretch.hash.digest()
    if (isFirst && this.#fileOffset === this.#size) this.#tree.content(digest)
    this.#record(stretch, digest)
    if (this.#cut) this.#record(this.#cut, this.#cut.hash.digest())
    this.#stretch = undefined
    this.#cut = undefined
  }

  #record({ memberOffset, innerOffset, fileOffset }: OpenStretch, digest: Buffer): void {
    const size = this.#fileOffset - fileOffset
    // Members of a byte each make many stretches out of little.
    if (this.#stretches.length * EXTENT_BYTES > this.#limits.maxIndexBytes) {
      throw limitExceeded(this.#limits, 'maxIndexBytes', 'the layer has too many members')
    }
    this.#stretches.add({ memberOffset, innerOffset, fileOffset, size, entry: this.#tree.length - 1 }, digest)
  }

  #end(): void {
    if (this.#keeper) {
      this.#toc = { file: this.#keeper.finish(), memberOffset: this.#memberOffset }
      this.#keeper = undefined
      return
    }
    this.#closeStretch()
    if (this.#file) this.#tree.content(this.#file.digest())
    this.#file = undefined
  }
}
