import { createHash, type Hash } from 'node:crypto'
import { Digester } from '../../bytes/digester.ts'
import type { MemberCompressor } from '../../compression/member-compressor.ts'
import { type Digest, digestOf, finishDigest } from '../../oci/digest.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import { NO_PREFETCH_LANDMARK, PREFETCH_LANDMARK, TOC_NAME } from '../../rootfs/reserved-names.ts'
import { BLOCK } from '../../tar/header.ts'
import { type LayerLimits, tocTooLarge } from '../../tar/limits.ts'
import { ustarHeader } from '../../tar/write-header.ts'
import type { BlobFormat } from '../blob-format.ts'
import { type AddedDirectory, entryOfAdded, withAdded } from '../index/added-directories.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import type { TarSplit, TarSplitWriter } from '../tar-split/tar-split.ts'
import { tocWithTarSplit } from '../tar-split/tar-split-toc.ts'
import { writeExternalFooter, writeFooter } from '../toc/footer.ts'
import { type Placed, placedIn, tocEntries } from '../toc/layer-toc.ts'
import { UnreadableNameCollector, type UnreadableNames } from '../toc/unreadable-names.ts'
import { type TocEntry, type TocFile, writeToc } from '../toc/write-toc.ts'
import { contentOffset, skippableFrame, type TocFrame, writeZstdFooter } from '../toc/zstd-chunked.ts'
import type { MemberPlace } from './member-reader.ts'
import type { Write } from './split.ts'

/** What a blob came out as. Sizes are bytes. */
export type BlobResult = {
  digest: Digest
  size: number
  /** Of the plain bytes: the tar archive in its new order, with the landmark and a table of contents that is inside. */
  diffId: Digest
  uncompressedSize: number
  /** Of the table of contents as JSON. */
  tocDigest: Digest
  /** Prioritized names that were placed before the landmark. */
  prioritizedFiles: number
  /** What readers fetch ahead: the blob up to the landmark's content; 0 without prioritized files. */
  prefetchBytes: number
  /** Entries of the archive, landmark and table of contents not counted. */
  entries: number
  /** Undefined for an archive that stays as it was. */
  landmark?: Landmark
  /** Names that readers see otherwise; left out where there are none. */
  oddNames?: UnreadableNames
  /** A blob of its own: the table of contents that this one goes without. */
  externalToc?: Uint8Array
  /** Of the plain bytes of that blob. */
  externalTocDiffId?: Digest
  /** In zstd:chunked: where the table of contents lies, and its digest as it lies there. */
  tocFrame?: TocFrame & { digest: Digest }
  /** Where the data of tar-split lies, where that was asked for and is of use. */
  tarSplit?: TocFrame
  /** Why there is none, although it was asked for. */
  noTarSplit?: string
}

export type Landmark = 'prefetch' | 'no-prefetch'

/** Counts the plain bytes of a blob, in its order. */
export type UncompressedDigester = { add(bytes: Buffer): void; finish(): { digest: Digest; size: number } }

const LANDMARK_CONTENT = Buffer.from([0xf])
const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK)

/** Writes the parts of a blob in order and keeps count of what it wrote. */
export class BlobWriter {
  readonly format: BlobFormat
  readonly #compressor: MemberCompressor
  readonly #write: Write
  readonly #blob = new Digester()
  readonly #plain: UncompressedDigester
  readonly #tarSplit: TarSplitWriter | undefined
  #landmark: (Placed & { readonly kind: Landmark }) | undefined
  #prefetchBytes = 0

  /**
   * @param o.plain whoever copies members tells it their plain bytes
   * @param o.tarSplit is told all plain bytes, too
   */
  constructor(o: {
    format: BlobFormat
    compressor: MemberCompressor
    write: Write
    plain: UncompressedDigester
    tarSplit?: TarSplitWriter | undefined
  }) {
    this.format = o.format
    this.#compressor = o.compressor
    this.#write = o.write
    this.#plain = o.plain
    this.#tarSplit = o.tarSplit
  }

  /** Bytes of the blob so far. */
  get offset(): number {
    return this.#blob.size
  }

  /** Writes compressed bytes as they are. */
  copy(bytes: Buffer): Promise<void> | void {
    this.#blob.add(bytes)
    return this.#write(bytes)
  }

  /** Compresses parts into a member. */
  async member(parts: Iterable<Buffer>): Promise<void> {
    for (const piece of this.#compressor.pieces(this.#counted(parts))) await this.copy(piece)
  }

  *#counted(parts: Iterable<Buffer>): Generator<Buffer, void, void> {
    for (const part of parts) {
      this.#plain.add(part)
      yield part
    }
  }

  /**
   * Writes the landmark; raw headers of entries just before it share its header's member.
   * @returns where that member lies
   */
  async landmark(kind: Landmark, headers: readonly Buffer[] = []): Promise<MemberPlace> {
    const start = this.offset
    const name = kind === 'prefetch' ? PREFETCH_LANDMARK : NO_PREFETCH_LANDMARK
    await this.member([...headers, fileHeader(name, LANDMARK_CONTENT.length)])
    const digest = digestOf(LANDMARK_CONTENT)
    const offset = this.offset
    if (kind === 'prefetch') this.#prefetchBytes = offset
    await this.member([LANDMARK_CONTENT, paddingOf(LANDMARK_CONTENT.length)])
    const size = LANDMARK_CONTENT.length
    const endOffset = this.format.compression === 'zstd' ? { endOffset: this.offset } : {}
    const chunk = { offset, innerOffset: 0, ...endOffset, size, digest }
    this.#landmark = { kind, entry: { name, type: 'reg', size, digest }, chunks: [chunk] }
    return { offset: start, length: offset - start }
  }

  /**
   * Writes the table of contents, the archive's end and the footer.
   * @param o.index of the blob
   * @param o.added entries that are not of the index, numbered behind its own
   * @param o.order of all of them in the blob; left out: by number
   * @param o.landmarkAfter so many entries before the landmark, where there is one
   * @throws LayerError
   */
  async finish(o: {
    index: LayerIndex
    added: readonly AddedDirectory[]
    order?: readonly number[]
    landmarkAfter: number
    prioritizedFiles: number
    limits: Pick<LayerLimits, 'maxTocBytes' | 'maxIndexBytes'>
  }): Promise<BlobResult> {
    const names = new UnreadableNameCollector(o.limits)
    // The table of contents names the data of tar-split, which has the end of the archive in it.
    if (this.format.compression === 'zstd') await this.member([END_OF_ARCHIVE])
    const entries = this.#tocEntries(o, names)
    const { toc, tarSplit, noTarSplit } = this.#tarSplit
      ? tocWithTarSplit(entries, this.#tarSplit)
      : { toc: writeToc(entries) }
    const oddNames = names.finish()
    if (toc.size > o.limits.maxTocBytes) throw tocTooLarge(o.limits)
    const end = await this.#end(toc, tarSplit)
    const blob = this.#blob.finish()
    const plain = this.#plain.finish()
    return {
      digest: blob.digest,
      size: blob.size,
      diffId: plain.digest,
      uncompressedSize: plain.size,
      tocDigest: toc.digest,
      prioritizedFiles: o.prioritizedFiles,
      prefetchBytes: this.#prefetchBytes,
      entries: o.index.length + o.added.length,
      ...(this.#landmark && { landmark: this.#landmark.kind }),
      ...(oddNames && { oddNames }),
      ...end,
      ...(noTarSplit && { noTarSplit }),
    }
  }

  #tocEntries(
    o: {
      index: LayerIndex
      added: readonly AddedDirectory[]
      order?: readonly number[]
      landmarkAfter: number
    },
    names: UnreadableNameCollector,
  ): Iterable<TocEntry> {
    const { index, added, order, landmarkAfter } = o
    const landmark = this.#landmark
    const ownAt = (place: number) => (place === landmarkAfter ? landmark : undefined)
    const entryAt = (place: number) => {
      const i = landmark && place > landmarkAfter ? place - 1 : place
      return order?.[i] ?? i
    }
    const all = withAdded(index, added)
    const listing: LayerListing = {
      length: all.length + (landmark ? 1 : 0),
      at: (place) => ownAt(place)?.entry ?? all.at(entryAt(place)),
    }
    const placed = (i: number): Placed => {
      const directory = added[i - index.length]
      return directory ? { entry: entryOfAdded(directory), chunks: [] } : placedIn(index, i)
    }
    return tocEntries(listing, (place) => ownAt(place) ?? placed(entryAt(place)), names)
  }

  async #end(
    toc: TocFile,
    tarSplit: TarSplit | undefined,
  ): Promise<Pick<BlobResult, 'externalToc' | 'externalTocDiffId' | 'tocFrame' | 'tarSplit'>> {
    const { compression: packing, externalToc, lossless } = this.format
    const archive = archiveOf(toc)
    if (packing === 'gzip' && !externalToc) {
      const offset = this.offset
      await this.member(archive)
      await this.copy(writeFooter(offset))
      return {}
    }
    if (packing === 'gzip') {
      // An archive that stays as it was brings its own end.
      if (!lossless) await this.member([END_OF_ARCHIVE])
      await this.copy(writeExternalFooter())
      const plain = createHash('sha256')
      const packed = this.#compressor.pack(hashed(archive, plain))
      return { externalToc: packed, externalTocDiffId: finishDigest(plain) }
    }
    const packed = this.#compressor.pack(toc.parts())
    const frame = { offset: contentOffset(this.offset), size: packed.length, plainSize: toc.size }
    await this.copy(skippableFrame(packed))
    const tocFrame = { ...frame, digest: digestOf(packed) }
    if (tarSplit === undefined) {
      await this.copy(writeZstdFooter(frame))
      return { tocFrame }
    }
    const { packed: split, plainSize } = tarSplit
    const splitFrame = { offset: contentOffset(this.offset), size: split.length, plainSize }
    await this.copy(skippableFrame(split))
    await this.copy(writeZstdFooter(frame, splitFrame))
    return { tocFrame, tarSplit: splitFrame }
  }
}

function* hashed(parts: Iterable<Buffer>, hash: Hash): Generator<Buffer, void, void> {
  for (const part of parts) {
    hash.update(part)
    yield part
  }
}

/** A table of contents as the last entry of an archive. */
function* archiveOf(toc: TocFile): Generator<Buffer, void, void> {
  yield fileHeader(TOC_NAME, toc.size)
  yield* toc.parts()
  yield paddingOf(toc.size)
  yield END_OF_ARCHIVE
}

function paddingOf(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}

/** Of a regular file that belongs to nobody, as eStargz builders write for their own files. */
function fileHeader(name: string, size: number): Buffer {
  return ustarHeader({ name: Buffer.from(name), flag: '0', size })
}
