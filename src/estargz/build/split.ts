import type { LayerCoder } from '../../compression/layer-coder.ts'
import type { ContentCompressor, MemberCompressor } from '../../compression/member-compressor.ts'
import { isReservedName, TOC_NAME } from '../../rootfs/reserved-names.ts'
import { LayerError } from '../../tar/errors.ts'
import type { TarEntry } from '../../tar/header.ts'
import type { LayerLimits } from '../../tar/limits.ts'
import { type TarEvent, TarScanner } from '../../tar/scanner.ts'
import { type BlobFormat, sharesMember } from '../blob-format.ts'
import { ContentHash } from '../index/content-hash.ts'
import { IndexBuilder } from '../index/index-builder.ts'
import { InterpreterScan, isProgram } from '../index/interpreter.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import { DualDigester } from './dual-digester.ts'
import { LastMember } from './last-member.ts'

/** Takes bytes in order; awaited, so that a slow taker slows the layer down. */
export type Write = (bytes: Buffer) => Promise<void> | void

/**
 * Headers share a member up to this many plain bytes. Small, because one header out of the middle costs the
 * whole member again when entries are reordered.
 */
export const HEADER_MEMBER_BYTES = 64 * 1024

const NOTHING = Buffer.alloc(0)

/** A piece is worked on in slices, so that one large piece does not become one large queue. */
const SLICE = 1 << 20

/**
 * Cuts a plain tar archive into self-contained members, written in source order: one for the headers of consecutive
 * entries up to the first with content, one for each chunk of content, the last with the padding. With a
 * `minChunkSize`, smaller files stay in the member of their headers, until it holds so much; but the first member holds
 * headers alone, see {@link sharesMember}. Tables of contents and
 * landmarks of an earlier conversion are left out, unless the archive has to stay as it is.
 * @param o.tally counts the plain bytes that came, and those of every member, in order
 * @throws LayerError; errors of `coder` and `write` pass unchanged
 */
export async function splitLayer(
  coder: Pick<LayerCoder, 'plain' | 'content' | 'compressor'>,
  o: {
    format: BlobFormat
    limits: LayerLimits
    write: Write
    tally?: DualDigester
    /** Headers of entries that are added at the end; the index does not have them, but for the room that they take. */
    added?: (index: LayerIndex) => Promise<readonly Buffer[]>
  },
): Promise<LayerIndex> {
  const tally = o.tally ?? new DualDigester()
  const scanner = new TarScanner(o.limits)
  const splitter = new Splitter(coder, o, tally)
  const run = async (events: Iterable<TarEvent>) => {
    for (const event of events) {
      for (const bytes of splitter.take(event)) {
        // Most writes need no waiting, and there are several for every entry.
        const written = o.write(bytes)
        if (written) await written
      }
    }
  }
  for await (const piece of coder.plain) {
    for (let at = 0; at < piece.length; at += SLICE) await run(scanner.push(piece.subarray(at, at + SLICE)))
    tally.flush()
    await o.write(splitter.flush())
  }
  await run(scanner.end())
  const { digest, size } = tally.finishSource()
  const { compression: packing, chunkSize } = o.format
  const last = splitter.beginLast()
  const index = splitter.index.finish({
    compression: packing,
    chunkSize,
    sourceDiffId: digest,
    sourcePlainSize: size,
  })
  for (const header of (await o.added?.(index)) ?? []) {
    tally.add(header)
    const full = last.add(header)
    if (full) await o.write(full)
  }
  await o.write(last.finish(index))
  return index
}

class Splitter {
  readonly index: IndexBuilder
  /** Bytes of all members so far. */
  offset = 0
  /** Where the open member of content begins. */
  #memberStart = 0
  readonly #format: BlobFormat
  readonly #compressor: MemberCompressor
  readonly #content: ContentCompressor
  readonly #tally: DualDigester
  /** The open member of headers, and the small files that share it. */
  #parts: Buffer[] = []
  #partsBytes = 0
  /** Their chunks, by row of the index. */
  #sharing: number[] = []
  /** Undefined when the entry has no content, or is left out. */
  #current: TarEntry | undefined
  /** Whether its content stays in the member of its header, and where it begins there. */
  #shares = false
  #innerOffset = 0
  #left = 0
  /** Of the open chunk. */
  #chunkBytes = 0
  #hash = new ContentHash(0)
  /** Of a program, until its interpreter is known. */
  #interpreter: InterpreterScan | undefined

  constructor(
    coder: Pick<LayerCoder, 'content' | 'compressor'>,
    { format, limits }: { readonly format: BlobFormat; readonly limits: LayerLimits },
    tally: DualDigester,
  ) {
    this.index = new IndexBuilder(limits)
    this.#format = format
    this.#compressor = coder.compressor
    this.#content = coder.content
    this.#tally = tally
  }

  /** What an event makes ready, to be written before the next of it is asked for. */
  *take(event: TarEvent): Generator<Buffer, void, void> {
    const entry = this.#current
    if (event.kind === 'entry') {
      if (this.#begin(event.entry, event.header)) yield this.#closeParts()
    } else if (event.kind === 'end') {
      if (entry) yield this.#end()
    } else if (event.kind === 'missing') {
      if (entry !== undefined && !this.#format.lossless) {
        this.#tally.add(event.bytes)
        this.#pad(event.bytes)
      }
    } else if (event.kind === 'other' || entry === undefined) {
      if (!this.#format.lossless) this.#tally.dropped(event.bytes)
      else if (this.#keep(event.bytes)) yield this.#closeParts()
    } else {
      this.#tally.kept(event.bytes)
      if (event.kind === 'content') yield* this.#add(event.bytes)
      else this.#pad(event.bytes)
    }
  }

  /** What is ready of a member that is open between two pieces. */
  flush(): Buffer {
    return this.#count(this.#content.flush())
  }

  /** What is still open when the archive ends: its member is listed, and as long as it comes to be. */
  beginLast(): LastMember {
    const last = new LastMember({
      compressor: this.#compressor,
      parts: this.#parts,
      sharing: this.#sharing,
      most: this.#mostParts,
    })
    if (this.#partsBytes > 0) {
      this.index.headers({ offset: this.offset, length: 0, plainLength: this.#partsBytes })
    }
    return last
  }

  /** Whether the member of headers is to be closed. */
  #begin(entry: TarEntry, header: Buffer): boolean {
    if (isReservedName(entry.name)) {
      if (!this.#format.lossless) {
        this.#tally.dropped(header)
        return false
      }
      if (entry.name === TOC_NAME) throw alreadyConverted()
    }
    this.#tally.kept(header)
    this.index.entry(entry, { start: this.#partsBytes, length: header.length })
    this.#partsBytes += header.length
    this.#left = entry.size
    this.#shares = sharesMember(this.#format, entry.size)
    if (entry.size > 0) {
      this.#current = entry
      this.#hash = new ContentHash(entry.size)
      if (isProgram(entry.type, entry.mode)) this.#interpreter = new InterpreterScan()
    }
    const closes = entry.size > 0 ? !this.#shares || this.offset === 0 : this.#partsAreFull()
    this.#parts.push(closes ? header : Buffer.from(header))
    return closes
  }

  /** Keeps bytes that belong to no entry. Whether the member of headers is to be closed. */
  #keep(bytes: Buffer): boolean {
    this.#tally.kept(bytes)
    this.#push(bytes)
    return this.#partsAreFull()
  }

  #pad(bytes: Buffer): void {
    if (this.#shares) this.#push(bytes)
    else this.#content.add(bytes)
  }

  #push(bytes: Buffer): void {
    this.#parts.push(Buffer.from(bytes))
    this.#partsBytes += bytes.length
  }

  #partsAreFull(): boolean {
    return this.#partsBytes >= this.#mostParts
  }

  get #mostParts(): number {
    return this.#format.minChunkSize || HEADER_MEMBER_BYTES
  }

  *#add(bytes: Buffer): Generator<Buffer, void, void> {
    const { chunkSize } = this.#format
    if (this.#interpreter && !this.#interpreter.push(bytes)) this.#endScan()
    if (this.#shares && this.#chunkBytes === 0) this.#innerOffset = this.#partsBytes
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + chunkSize - this.#chunkBytes)
      at += part.length
      if (this.#shares) this.#push(part)
      else this.#content.add(part)
      this.#left -= part.length
      this.#chunkBytes += part.length
      this.#hash.add(part)
      // The last chunk waits for its padding.
      if (this.#chunkBytes === chunkSize && this.#left > 0) yield this.#closeChunk()
    }
  }

  #endScan(): void {
    const interpreter = this.#interpreter?.end()
    this.#interpreter = undefined
    if (interpreter !== undefined) this.index.interpreter(interpreter)
  }

  #end(): Buffer {
    this.#endScan()
    const rest = this.#closeChunk()
    this.#current = undefined
    const file = this.#hash.file()
    if (file) this.index.file(file)
    return this.#shares && this.#partsAreFull() ? this.#closeParts() : rest
  }

  #closeParts(): Buffer {
    const member = this.#compressor.pack(this.#parts)
    this.index.headers({ offset: this.offset, length: member.length, plainLength: this.#partsBytes })
    for (const row of this.#sharing) this.index.chunkLength(row, member.length)
    this.#parts = []
    this.#partsBytes = 0
    this.#sharing = []
    this.offset += member.length
    this.#memberStart = this.offset
    return member
  }

  #closeChunk(): Buffer {
    const rest = this.#shares ? NOTHING : this.#count(this.#content.close())
    const row = this.index.chunk({
      offset: this.#memberStart,
      length: this.offset - this.#memberStart,
      innerOffset: this.#shares ? this.#innerOffset : 0,
      size: this.#chunkBytes,
      digest: this.#hash.closeChunk(),
    })
    if (this.#shares) this.#sharing.push(row)
    else this.#memberStart = this.offset
    this.#chunkBytes = 0
    return rest
  }

  #count(bytes: Buffer): Buffer {
    this.offset += bytes.length
    return bytes
  }
}

function alreadyConverted(): LayerError {
  return new LayerError(
    'UNSUPPORTED_ENTRY',
    `the layer has a ${TOC_NAME} already: it cannot be converted without a change of its diffID; convert the image it was made of`,
    { entry: TOC_NAME },
  )
}
