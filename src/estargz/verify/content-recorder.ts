import { createHash, type Hash } from 'node:crypto'
import { TOC_NAME } from '../../rootfs/reserved-names.ts'
import type { TarEntry } from '../../tar/header.ts'
import { type LayerLimits, limitExceededError, tocTooLargeError } from '../../tar/layer-limits.ts'
import type { TarEvent } from '../../tar/tar-scanner.ts'
import { DEFAULT_FORMAT } from '../blob-format.ts'
import { type ArchiveMetadata, ArchiveMetadataBuilder } from '../index/archive-metadata.ts'
import { type TocFile, TocFileBuilder } from '../toc/toc-file.ts'
import { type ContentExtent, ContentExtents, EXTENT_BYTES } from './content-extents.ts'

/**
 * An archive's entries without its table of contents, the extents of their content, and the table of
 * contents.
 */
export type RecordedArchive = {
  readonly metadata: ArchiveMetadata
  readonly extents: ContentExtents
  readonly toc: EmbeddedToc | undefined
}

/** A table of contents in the blob, and the offset of its member or frame content. */
export type EmbeddedToc = { readonly file: TocFile; readonly memberOffset: number }

type OpenExtent = Pick<ContentExtent, 'memberOffset' | 'innerOffset' | 'fileOffset'> & {
  readonly hash: Hash
}

/**
 * Records the entries of an archive as it is scanned, and hashes their content in all extents that may be
 * chunks.
 */
export class ContentRecorder {
  readonly #limits: LayerLimits
  readonly #metadata: ArchiveMetadataBuilder
  readonly #extents = new ContentExtents()
  #memberOffset = 0
  /** The uncompressed bytes being scanned, and their offset in the member. */
  #piece: Buffer = Buffer.alloc(0)
  #pieceStart = 0
  /** The size of the current file, the bytes of it so far, and its hash if it has more than one extent. */
  #size = 0
  #fileOffset = 0
  #file: Hash | undefined
  /** The extent since the start of the member, and the extent since the last multiple of the chunk size. */
  #memberExtent: OpenExtent | undefined
  #cutExtent: OpenExtent | undefined
  /** Set while a table of contents is scanned. */
  #tocBuilder: TocFileBuilder | undefined
  #toc: EmbeddedToc | undefined

  constructor(limits: LayerLimits) {
    this.#limits = limits
    this.#metadata = new ArchiveMetadataBuilder(limits)
  }

  /** Starts a member. @param offset in bytes of the blob */
  startMember(offset: number): void {
    this.#closeExtents()
    this.#memberOffset = offset
    this.#piece = Buffer.alloc(0)
    this.#pieceStart = 0
  }

  /**
   * Starts a piece of the member's uncompressed bytes. Call before the piece is scanned; content is a view of
   * it.
   */
  startPiece(piece: Buffer): void {
    this.#pieceStart += this.#piece.length
    this.#piece = piece
  }

  /** Adds an event of the piece's scan. @throws LayerError LIMIT_EXCEEDED */
  add(event: TarEvent): void {
    if (event.kind === 'entry') {
      this.#startEntry(event.entry)
    } else if (event.kind === 'content') {
      if (this.#tocBuilder) this.#addToc(this.#tocBuilder, event.bytes)
      else this.#addContent(event.bytes)
    } else if (event.kind === 'end') {
      this.#endEntry()
    }
  }

  finish(): RecordedArchive {
    return { metadata: this.#metadata.finish(), extents: this.#extents, toc: this.#toc }
  }

  #startEntry(entry: TarEntry): void {
    // Only the last table of contents counts, and only if no entry follows it.
    this.#toc = undefined
    this.#size = entry.size
    this.#fileOffset = 0
    if (entry.name === TOC_NAME) {
      this.#tocBuilder = new TocFileBuilder()
      return
    }
    this.#metadata.addEntry(entry)
  }

  #addToc(toc: TocFileBuilder, bytes: Buffer): void {
    if (toc.size + bytes.length > this.#limits.maxTocBytes) throw tocTooLargeError(this.#limits)
    toc.add(bytes)
  }

  #addContent(bytes: Buffer): void {
    const { chunkSize } = DEFAULT_FORMAT
    this.#file?.update(bytes)
    for (let offset = 0; offset < bytes.length; ) {
      const openExtent = (): OpenExtent => ({
        memberOffset: this.#memberOffset,
        innerOffset: this.#pieceStart + bytes.byteOffset + offset - this.#piece.byteOffset,
        fileOffset: this.#fileOffset,
        hash: createHash('sha256'),
      })
      this.#memberExtent ??= openExtent()
      if (this.#fileOffset % chunkSize === 0 && this.#fileOffset > this.#memberExtent.fileOffset) {
        // At the first cut, the member's extent so far becomes an extent of its own.
        const cut = this.#cutExtent ?? { ...this.#memberExtent, hash: this.#memberExtent.hash.copy() }
        this.#record(cut, cut.hash.digest())
        this.#cutExtent = openExtent()
      }
      const part = bytes.subarray(offset, offset + chunkSize - (this.#fileOffset % chunkSize))
      this.#memberExtent.hash.update(part)
      this.#cutExtent?.hash.update(part)
      offset += part.length
      this.#fileOffset += part.length
    }
  }

  #closeExtents(): void {
    const extent = this.#memberExtent
    if (!extent) return
    // Up to here, the hash of a file's first extent is the hash of the file.
    const isFirst = extent.fileOffset === 0
    if (isFirst && this.#fileOffset < this.#size) this.#file = extent.hash.copy()
    const digest = extent.hash.digest()
    if (isFirst && this.#fileOffset === this.#size) this.#metadata.addContentDigest(digest)
    this.#record(extent, digest)
    if (this.#cutExtent) this.#record(this.#cutExtent, this.#cutExtent.hash.digest())
    this.#memberExtent = undefined
    this.#cutExtent = undefined
  }

  #record({ memberOffset, innerOffset, fileOffset }: OpenExtent, digest: Buffer): void {
    const size = this.#fileOffset - fileOffset
    // Without a limit, members of one byte each would create very many extents from little data.
    if (this.#extents.length * EXTENT_BYTES > this.#limits.maxIndexBytes) {
      throw limitExceededError(this.#limits, 'maxIndexBytes', 'the layer has too many members')
    }
    const entry = this.#metadata.length - 1
    this.#extents.add({ memberOffset, innerOffset, fileOffset, size, entry }, digest)
  }

  #endEntry(): void {
    if (this.#tocBuilder) {
      this.#toc = { file: this.#tocBuilder.finish(), memberOffset: this.#memberOffset }
      this.#tocBuilder = undefined
      return
    }
    this.#closeExtents()
    if (this.#file) this.#metadata.addContentDigest(this.#file.digest())
    this.#file = undefined
  }
}
