import { Tally } from '../bytes/tally.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { LayerError } from './errors.ts'
import { writeFooter } from './footer.ts'
import type { LayerEntry } from './layer-index.ts'
import { type Placed, tocEntries } from './layer-toc.ts'
import type { MemberCompressor } from './members.ts'
import { NO_PREFETCH_LANDMARK, PREFETCH_LANDMARK, TOC_NAME } from './names.ts'
import type { Write } from './split.ts'
import { BLOCK } from './tar-header.ts'
import { writeToc } from './toc.ts'

/** What an eStargz blob came out as. Sizes are bytes. */
export type BlobResult = {
  digest: Digest
  size: number
  /** Of the plain bytes: the tar archive in its new order, landmark and table of contents included. */
  diffId: Digest
  uncompressedSize: number
  tocDigest: Digest
  /** Prioritized names that were placed before the landmark. */
  prioritizedFiles: number
  /** What readers fetch ahead: the blob up to the landmark's content; 0 without prioritized files. */
  prefetchBytes: number
  /** Entries of the archive, landmark and table of contents not counted. */
  entries: number
  landmark: 'prefetch' | 'no-prefetch'
}

/** Counts the plain bytes of a blob, in its order. */
export type PlainTally = { add(bytes: Buffer): void; finish(): { digest: Digest; size: number } }

const LANDMARK_CONTENT = Buffer.from([0xf])

/** Writes the parts of a blob in order and keeps count of what it wrote. */
export class BlobWriter {
  readonly #compressor: MemberCompressor
  readonly #write: Write
  readonly #blob = new Tally()
  readonly #plain: PlainTally
  readonly #placed: Placed[] = []
  #prefetchBytes = 0

  /** @param plain whoever copies members tells it their plain bytes */
  constructor(compressor: MemberCompressor, write: Write, plain: PlainTally) {
    this.#compressor = compressor
    this.#write = write
    this.#plain = plain
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
  async member(parts: readonly Buffer[]): Promise<void> {
    for (const part of parts) this.#plain.add(part)
    await this.copy(this.#compressor.gzip(parts))
  }

  /** Lists an entry in the table of contents; its chunks' members begin at these offsets of the blob. */
  list(entry: LayerEntry, chunkOffsets: readonly number[]): void {
    this.#placed.push({ entry, chunkOffsets })
  }

  /** Writes the landmark; raw headers of entries just before it share its header's member. */
  async landmark(kind: BlobResult['landmark'], headers: readonly Buffer[] = []): Promise<void> {
    const name = kind === 'prefetch' ? PREFETCH_LANDMARK : NO_PREFETCH_LANDMARK
    await this.member([...headers, plainHeader(name, LANDMARK_CONTENT.length)])
    const digest = digestOf(LANDMARK_CONTENT)
    const offset = this.offset
    if (kind === 'prefetch') this.#prefetchBytes = offset
    await this.member([LANDMARK_CONTENT, paddingOf(LANDMARK_CONTENT.length)])
    const chunk = { offset, length: this.offset - offset, size: LANDMARK_CONTENT.length, digest }
    const header = { member: -1, start: 0, length: 0 }
    this.list({ name, type: 'reg', size: LANDMARK_CONTENT.length, digest, header, chunks: [chunk] }, [offset])
  }

  /** Writes the table of contents, the archive's end and the footer. @throws LayerError */
  async finish(o: {
    landmark: BlobResult['landmark']
    prioritizedFiles: number
    maxTocBytes: number
  }): Promise<BlobResult> {
    const toc = writeToc(tocEntries(this.#placed))
    if (toc.json.length > o.maxTocBytes) {
      throw new LayerError(
        'LIMIT_EXCEEDED',
        `the table of contents would be larger than ${o.maxTocBytes} bytes`,
      )
    }
    const offset = this.offset
    const end = Buffer.alloc(2 * BLOCK)
    await this.member([plainHeader(TOC_NAME, toc.json.length), toc.json, paddingOf(toc.json.length), end])
    await this.copy(writeFooter(offset))
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
      entries: this.#placed.length - 1,
      landmark: o.landmark,
    }
  }
}

function paddingOf(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}

/** A ustar header of a regular file that belongs to nobody, as eStargz builders write for their own files. */
function plainHeader(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, start: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, start, 'latin1')
  block.write(name, 0, 'latin1')
  octal(0, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.write('        0', 148, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  octal(0, 329, 8)
  octal(0, 337, 8)
  let sum = 0
  for (const byte of block) sum += byte
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}
