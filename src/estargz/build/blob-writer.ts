import { createHash, type Hash } from 'node:crypto'
import { Digester } from '../../bytes/digester.ts'
import type { MemberCompressor } from '../../compression/member-compressor.ts'
import { type Digest, digestOf, finishDigest } from '../../oci/digest.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import { NO_PREFETCH_LANDMARK, PREFETCH_LANDMARK, TOC_NAME } from '../../rootfs/reserved-names.ts'
import { BLOCK_BYTES } from '../../tar/header.ts'
import { type LayerLimits, tocTooLargeError } from '../../tar/layer-limits.ts'
import { encodeUstarHeader } from '../../tar/write-header.ts'
import type { BlobFormat, LandmarkKind } from '../blob-format.ts'
import { type AddedDirectory, toLayerEntry, withAddedDirectories } from '../index/added-directories.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import type { MemberLocation } from '../index/member-location.ts'
import type { TarSplit, TarSplitWriter } from '../tar-split/tar-split-writer.ts'
import { writeTocWithTarSplit } from '../tar-split/write-toc-with-tar-split.ts'
import { writeExternalFooter, writeFooter } from '../toc/footer.ts'
import { type LocatedEntry, listTocEntries, locateEntry } from '../toc/list-toc-entries.ts'
import { NonUtf8NameCollector } from '../toc/non-utf8-names.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import type { TocFile } from '../toc/toc-file.ts'
import { writeToc } from '../toc/write-toc.ts'
import { encodeSkippableFrame, frameContentOffset, writeZstdFooter } from '../toc/zstd-chunked.ts'
import type { BlobResult } from './blob-result.ts'
import type { WriteBytes } from './write-bytes.ts'

/** Counts and hashes the uncompressed bytes of a blob, in order. */
export type UncompressedDigester = { add(bytes: Buffer): void; finish(): { digest: Digest; size: number } }

/** The content of a blob in its order. */
type BlobContents = {
  /** The index of the members in the blob. */
  index: LayerIndex
  /** Entries that are not in the index. They are numbered after those of the index. */
  added: readonly AddedDirectory[]
  /** Entry numbers in blob order; default: ascending. */
  order?: readonly number[]
  /** The number of entries before the landmark, if the blob has one. */
  landmarkIndex: number
}

const LANDMARK_CONTENT = Buffer.from([0xf])
const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK_BYTES)

/** Writes the parts of a blob in order, and hashes them. */
export class BlobWriter {
  readonly format: BlobFormat
  readonly #compressor: MemberCompressor
  readonly #write: WriteBytes
  readonly #blobDigester = new Digester()
  readonly #digester: UncompressedDigester
  readonly #tarSplit: TarSplitWriter | undefined
  #landmark: (LocatedEntry & { readonly kind: LandmarkKind }) | undefined
  #prefetchBytes = 0

  /**
   * @param o.digester the caller adds the uncompressed bytes of copied members to it
   * @param o.tarSplit must get all bytes that are added to the digester
   */
  constructor(o: {
    format: BlobFormat
    compressor: MemberCompressor
    write: WriteBytes
    digester: UncompressedDigester
    tarSplit?: TarSplitWriter | undefined
  }) {
    this.format = o.format
    this.#compressor = o.compressor
    this.#write = o.write
    this.#digester = o.digester
    this.#tarSplit = o.tarSplit
  }

  /** The size of the blob so far. */
  get offset(): number {
    return this.#blobDigester.size
  }

  /** Writes bytes that are already compressed. */
  writeCompressed(bytes: Buffer): Promise<void> | void {
    this.#blobDigester.add(bytes)
    return this.#write(bytes)
  }

  /** Compresses parts into one member and writes it. */
  async writeMember(parts: Iterable<Buffer>): Promise<void> {
    for (const piece of this.#compressor.compressPieces(this.#digested(parts)))
      await this.writeCompressed(piece)
  }

  *#digested(parts: Iterable<Buffer>): Generator<Buffer, void, void> {
    for (const part of parts) {
      this.#digester.add(part)
      yield part
    }
  }

  /**
   * Writes the landmark.
   * @param headers raw headers of the preceding entries, which share the member of the landmark's header
   * @returns the location of that member
   */
  async writeLandmark(kind: LandmarkKind, headers: readonly Buffer[] = []): Promise<MemberLocation> {
    const start = this.offset
    const name = kind === 'prefetch' ? PREFETCH_LANDMARK : NO_PREFETCH_LANDMARK
    await this.writeMember([...headers, encodeFileHeader(name, LANDMARK_CONTENT.length)])
    const digest = digestOf(LANDMARK_CONTENT)
    const offset = this.offset
    if (kind === 'prefetch') this.#prefetchBytes = offset
    await this.writeMember([LANDMARK_CONTENT, paddingFor(LANDMARK_CONTENT.length)])
    const size = LANDMARK_CONTENT.length
    const endOffset = this.format.compression === 'zstd' ? { endOffset: this.offset } : {}
    const chunk = { offset, innerOffset: 0, ...endOffset, size, digest }
    this.#landmark = { kind, entry: { name, type: 'reg', size, digest }, chunks: [chunk] }
    return { offset: start, length: offset - start }
  }

  /** Writes the table of contents, the end of the archive and the footer. @throws LayerError */
  async finish(
    o: BlobContents & {
      prioritizedFiles: number
      limits: Pick<LayerLimits, 'maxTocBytes' | 'maxIndexBytes'>
    },
  ): Promise<BlobResult> {
    const names = new NonUtf8NameCollector(o.limits)
    // tar-split data includes the end of the archive, and the table of contents includes the digest of
    // tar-split data.
    if (this.format.compression === 'zstd') await this.writeMember([END_OF_ARCHIVE])
    const entries = this.#listTocEntries(o, names)
    const { toc, tarSplit, noTarSplit } = this.#tarSplit
      ? writeTocWithTarSplit(entries, this.#tarSplit)
      : { toc: writeToc(entries) }
    const oddNames = names.finish()
    if (toc.size > o.limits.maxTocBytes) throw tocTooLargeError(o.limits)
    const tail = await this.#writeTail(toc, tarSplit)
    const blob = this.#blobDigester.finish()
    const uncompressed = this.#digester.finish()
    return {
      digest: blob.digest,
      size: blob.size,
      diffId: uncompressed.digest,
      uncompressedSize: uncompressed.size,
      tocDigest: toc.digest,
      prioritizedFiles: o.prioritizedFiles,
      prefetchBytes: this.#prefetchBytes,
      entries: o.index.length + o.added.length,
      ...(this.#landmark && { landmark: this.#landmark.kind }),
      ...(oddNames && { oddNames }),
      ...tail,
      ...(noTarSplit && { noTarSplit }),
    }
  }

  #listTocEntries(
    { index, added, order, landmarkIndex }: BlobContents,
    names: NonUtf8NameCollector,
  ): Iterable<TocEntry> {
    const landmark = this.#landmark
    const landmarkAt = (position: number) => (position === landmarkIndex ? landmark : undefined)
    const entryNumberAt = (position: number) => {
      const i = landmark && position > landmarkIndex ? position - 1 : position
      return order?.[i] ?? i
    }
    const layer = withAddedDirectories(index, added)
    const listing: LayerListing = {
      length: layer.length + (landmark ? 1 : 0),
      at: (position) => landmarkAt(position)?.entry ?? layer.at(entryNumberAt(position)),
    }
    const locate = (i: number): LocatedEntry => {
      const directory = added[i - index.length]
      return directory ? { entry: toLayerEntry(directory), chunks: [] } : locateEntry(index, i)
    }
    return listTocEntries(
      listing,
      (position) => landmarkAt(position) ?? locate(entryNumberAt(position)),
      names,
    )
  }

  /** Writes what follows the last entry: table of contents, tar-split data and footer. */
  async #writeTail(
    toc: TocFile,
    tarSplit: TarSplit | undefined,
  ): Promise<Pick<BlobResult, 'externalToc' | 'externalTocDiffId' | 'tocFrame' | 'tarSplit'>> {
    const { compression, externalToc, lossless } = this.format
    const tocArchive = archiveToc(toc)
    if (compression === 'gzip' && !externalToc) {
      const offset = this.offset
      await this.writeMember(tocArchive)
      await this.writeCompressed(writeFooter(offset))
      return {}
    }
    if (compression === 'gzip') {
      // A lossless archive already contains its own end.
      if (!lossless) await this.writeMember([END_OF_ARCHIVE])
      await this.writeCompressed(writeExternalFooter())
      const hash = createHash('sha256')
      const tocBlob = this.#compressor.compress(hashed(tocArchive, hash))
      return { externalToc: tocBlob, externalTocDiffId: finishDigest(hash) }
    }
    const compressedToc = this.#compressor.compress(toc.parts())
    const tocLocation = {
      offset: frameContentOffset(this.offset),
      size: compressedToc.length,
      plainSize: toc.size,
    }
    await this.writeCompressed(encodeSkippableFrame(compressedToc))
    const tocFrame = { ...tocLocation, digest: digestOf(compressedToc) }
    if (tarSplit === undefined) {
      await this.writeCompressed(writeZstdFooter(tocLocation))
      return { tocFrame }
    }
    const tarSplitLocation = {
      offset: frameContentOffset(this.offset),
      size: tarSplit.compressed.length,
      plainSize: tarSplit.uncompressedSize,
    }
    await this.writeCompressed(encodeSkippableFrame(tarSplit.compressed))
    await this.writeCompressed(writeZstdFooter(tocLocation, tarSplitLocation))
    return { tocFrame, tarSplit: tarSplitLocation }
  }
}

function* hashed(parts: Iterable<Buffer>, hash: Hash): Generator<Buffer, void, void> {
  for (const part of parts) {
    hash.update(part)
    yield part
  }
}

/** Yields the table of contents as the last entry of an archive. */
function* archiveToc(toc: TocFile): Generator<Buffer, void, void> {
  yield encodeFileHeader(TOC_NAME, toc.size)
  yield* toc.parts()
  yield paddingFor(toc.size)
  yield END_OF_ARCHIVE
}

function paddingFor(size: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES)
}

/**
 * Encodes the header of a regular file without owner, mode and time, as eStargz builders do for their own
 * files.
 */
function encodeFileHeader(name: string, size: number): Buffer {
  return encodeUstarHeader({ name: Buffer.from(name), typeFlag: '0', size })
}
