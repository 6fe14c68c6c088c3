import type { LayerCoder } from '../../compression/layer-coder.ts'
import type { ContentCompressor, MemberCompressor } from '../../compression/member-compressor.ts'
import { isReservedName, TOC_NAME } from '../../rootfs/reserved-names.ts'
import type { TarEntry } from '../../tar/header.ts'
import { LayerError } from '../../tar/layer-error.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import type { TarEvent } from '../../tar/tar-scanner.ts'
import { type BlobFormat, headerMemberBytes, sharesMember } from '../blob-format.ts'
import { FileHasher } from '../index/file-hasher.ts'
import { IndexBuilder } from '../index/index-builder.ts'
import { InterpreterScanner, isProgram } from '../index/interpreter-scanner.ts'
import type { DualDigester } from './dual-digester.ts'
import { TrailingHeaderMember } from './trailing-header-member.ts'

const NO_BYTES = Buffer.alloc(0)

/** Splits the events of an archive scan into compressed members, and indexes these. */
export class MemberSplitter {
  readonly index: IndexBuilder
  /** The size of all members so far. */
  #offset = 0
  /** The offset of the open content member. */
  #memberStart = 0
  readonly #format: BlobFormat
  readonly #compressor: MemberCompressor
  readonly #content: ContentCompressor
  readonly #digester: DualDigester
  /** The open header member: headers, and small files that share it. */
  #parts: Buffer[] = []
  #partsBytes = 0
  /** Index rows of the chunks in the open header member. */
  #sharedRows: number[] = []
  /** Undefined if the entry has no content or is dropped. */
  #current: TarEntry | undefined
  /** Whether the current entry's content shares the member of its header. */
  #isShared = false
  /** The offset of shared content in the uncompressed bytes of its member. */
  #innerOffset = 0
  /** The bytes of the current entry's content that are still to come. */
  #remaining = 0
  /** The size of the open chunk. */
  #chunkBytes = 0
  #hasher = new FileHasher(0)
  /** Set for a program until its interpreter is known. */
  #interpreterScanner: InterpreterScanner | undefined

  constructor(
    coder: Pick<LayerCoder, 'content' | 'compressor'>,
    { format, limits }: { readonly format: BlobFormat; readonly limits: LayerLimits },
    digester: DualDigester,
  ) {
    this.index = new IndexBuilder(limits)
    this.#format = format
    this.#compressor = coder.compressor
    this.#content = coder.content
    this.#digester = digester
  }

  /**
   * Yields the compressed bytes that an event completes. Each must be written before the next is requested.
   */
  *split(event: TarEvent): Generator<Buffer, void, void> {
    const entry = this.#current
    if (event.kind === 'entry') {
      if (this.#startEntry(event.entry, event.header)) yield this.#closeHeaderMember()
    } else if (event.kind === 'end') {
      if (entry) yield this.#endEntry()
    } else if (event.kind === 'missing') {
      if (entry !== undefined && !this.#format.lossless) {
        this.#digester.add(event.bytes)
        this.#addPadding(event.bytes)
      }
    } else if (event.kind === 'other' || entry === undefined) {
      if (!this.#format.lossless) this.#digester.addToSource(event.bytes)
      else if (this.#preserve(event.bytes)) yield this.#closeHeaderMember()
    } else {
      this.#digester.addToBoth(event.bytes)
      if (event.kind === 'content') yield* this.#addContent(event.bytes)
      else this.#addPadding(event.bytes)
    }
  }

  /**
   * Returns the compressed bytes that are ready of the open content member. Call between pieces of the
   * archive.
   */
  flush(): Buffer {
    return this.#advance(this.#content.flush())
  }

  /**
   * Leaves the last header member open at the end of the archive. Indexes it with a length that is set later.
   */
  openTrailingMember(): TrailingHeaderMember {
    const member = new TrailingHeaderMember({
      compressor: this.#compressor,
      parts: this.#parts,
      sharedRows: this.#sharedRows,
      maxBytes: headerMemberBytes(this.#format),
    })
    if (this.#partsBytes > 0) {
      this.index.addHeaderMember({ offset: this.#offset, length: 0, uncompressedLength: this.#partsBytes })
    }
    return member
  }

  /** Adds an entry's headers to the open header member. Returns whether to close that. */
  #startEntry(entry: TarEntry, header: Buffer): boolean {
    if (isReservedName(entry.name)) {
      if (!this.#format.lossless) {
        this.#digester.addToSource(header)
        return false
      }
      if (entry.name === TOC_NAME) throw alreadyConverted()
    }
    this.#digester.addToBoth(header)
    this.index.addEntry(entry, { start: this.#partsBytes, length: header.length })
    this.#partsBytes += header.length
    this.#remaining = entry.size
    this.#isShared = sharesMember(this.#format, entry.size)
    if (entry.size > 0) {
      this.#current = entry
      this.#hasher = new FileHasher(entry.size)
      if (isProgram(entry.type, entry.mode)) this.#interpreterScanner = new InterpreterScanner()
    }
    const closesMember = entry.size > 0 ? !this.#isShared || this.#offset === 0 : this.#isHeaderMemberFull()
    // The header is a view of the current piece, so it is copied unless it is compressed at once.
    this.#parts.push(closesMember ? header : Buffer.from(header))
    return closesMember
  }

  /** Preserves bytes that belong to no entry. Returns whether to close the header member. */
  #preserve(bytes: Buffer): boolean {
    this.#digester.addToBoth(bytes)
    this.#addToHeaderMember(bytes)
    return this.#isHeaderMemberFull()
  }

  #addPadding(bytes: Buffer): void {
    if (this.#isShared) this.#addToHeaderMember(bytes)
    else this.#content.add(bytes)
  }

  #addToHeaderMember(bytes: Buffer): void {
    this.#parts.push(Buffer.from(bytes))
    this.#partsBytes += bytes.length
  }

  #isHeaderMemberFull(): boolean {
    return this.#partsBytes >= headerMemberBytes(this.#format)
  }

  *#addContent(bytes: Buffer): Generator<Buffer, void, void> {
    const { chunkSize } = this.#format
    if (this.#interpreterScanner && !this.#interpreterScanner.push(bytes)) this.#finishInterpreter()
    if (this.#isShared && this.#chunkBytes === 0) this.#innerOffset = this.#partsBytes
    for (let offset = 0; offset < bytes.length; ) {
      const part = bytes.subarray(offset, offset + chunkSize - this.#chunkBytes)
      offset += part.length
      if (this.#isShared) this.#addToHeaderMember(part)
      else this.#content.add(part)
      this.#remaining -= part.length
      this.#chunkBytes += part.length
      this.#hasher.add(part)
      // The last chunk stays open for its padding.
      if (this.#chunkBytes === chunkSize && this.#remaining > 0) yield this.#closeChunk()
    }
  }

  #finishInterpreter(): void {
    const interpreter = this.#interpreterScanner?.finish()
    this.#interpreterScanner = undefined
    if (interpreter !== undefined) this.index.setInterpreter(interpreter)
  }

  #endEntry(): Buffer {
    this.#finishInterpreter()
    const memberEnd = this.#closeChunk()
    this.#current = undefined
    const fileDigest = this.#hasher.finishFile()
    if (fileDigest) this.index.addFileDigest(fileDigest)
    return this.#isShared && this.#isHeaderMemberFull() ? this.#closeHeaderMember() : memberEnd
  }

  #closeHeaderMember(): Buffer {
    const member = this.#compressor.compress(this.#parts)
    this.index.addHeaderMember({
      offset: this.#offset,
      length: member.length,
      uncompressedLength: this.#partsBytes,
    })
    for (const row of this.#sharedRows) this.index.setChunkLength(row, member.length)
    this.#parts = []
    this.#partsBytes = 0
    this.#sharedRows = []
    this.#offset += member.length
    this.#memberStart = this.#offset
    return member
  }

  #closeChunk(): Buffer {
    const memberEnd = this.#isShared ? NO_BYTES : this.#advance(this.#content.close())
    const row = this.index.addChunk({
      offset: this.#memberStart,
      length: this.#offset - this.#memberStart,
      innerOffset: this.#isShared ? this.#innerOffset : 0,
      size: this.#chunkBytes,
      digest: this.#hasher.finishChunk(),
    })
    if (this.#isShared) this.#sharedRows.push(row)
    else this.#memberStart = this.#offset
    this.#chunkBytes = 0
    return memberEnd
  }

  /** Counts bytes of a member. */
  #advance(bytes: Buffer): Buffer {
    this.#offset += bytes.length
    return bytes
  }
}

function alreadyConverted(): LayerError {
  return new LayerError(
    'UNSUPPORTED_ENTRY',
    `the layer already contains ${TOC_NAME}, so it cannot be converted without changing its diffID; convert the image that it was converted from`,
    { entry: TOC_NAME },
  )
}
