import { createHash, type Hash } from 'node:crypto'
import { type Digest, digestOf, finishDigest } from '../oci/digest.ts'
import type { LayerCoder } from './layer-coder.ts'
import {
  CHUNK_SIZE,
  type Chunk,
  type HeaderMember,
  type LayerEntry,
  type LayerIndex,
  layerEntry,
} from './layer-index.ts'
import type { LayerLimits } from './limits.ts'
import type { ContentCompressor, MemberCompressor } from './members.ts'
import { isReservedName } from './names.ts'
import type { TarEntry } from './tar-header.ts'
import { type TarEvent, TarScanner } from './tar-scan.ts'
import { TwinTally } from './twin-tally.ts'

/** Takes bytes in order; awaited, so that a slow taker slows the layer down. */
export type Write = (bytes: Buffer) => Promise<void> | void

/**
 * Headers share a member up to this many plain bytes. Small, because one header out of the middle costs the
 * whole member again when entries are reordered.
 */
export const HEADER_MEMBER_BYTES = 64 * 1024

/** A piece is worked on in slices, so that one large piece does not become one large queue. */
const SLICE = 1 << 20

/**
 * Cuts a plain tar archive into self-contained gzip members, written in source order: one for the headers of
 * consecutive entries up to the first with content, one for each {@link CHUNK_SIZE} of content, the last
 * with the padding. Tables of contents and landmarks of an earlier conversion are left out.
 * @param o.tally counts the plain bytes that came, and those of every member, in order
 * @throws LayerError; errors of `coder` and `write` pass unchanged
 */
export async function splitLayer(
  coder: Pick<LayerCoder, 'plain' | 'content' | 'compressor'>,
  o: { limits: LayerLimits; write: Write; tally?: TwinTally },
): Promise<LayerIndex> {
  const tally = o.tally ?? new TwinTally()
  const scanner = new TarScanner(o.limits)
  const splitter = new Splitter(coder, tally)
  const write = async (parts: readonly Buffer[]) => {
    for (const part of parts) {
      // Most writes need no waiting, and there are several for every entry.
      const written = o.write(part)
      if (written) await written
    }
  }
  const run = async (events: Iterable<TarEvent>) => {
    for (const event of events) for (const parts of splitter.take(event)) await write(parts)
  }
  for await (const piece of coder.plain) {
    for (let at = 0; at < piece.length; at += SLICE) await run(scanner.push(piece.subarray(at, at + SLICE)))
    await write(splitter.flush())
  }
  await run(scanner.end())
  await write(splitter.finish())
  const { digest, size } = tally.finishSource()
  return {
    version: 1,
    sourceDiffId: digest,
    sourcePlainSize: size,
    membersSize: splitter.offset,
    entries: splitter.entries,
    headers: splitter.headers,
  }
}

class Splitter {
  readonly entries: LayerEntry[] = []
  readonly headers: HeaderMember[] = []
  /** Bytes of all members so far. */
  offset = 0
  /** Where the open member of content begins. */
  #memberStart = 0
  readonly #compressor: MemberCompressor
  readonly #content: ContentCompressor
  readonly #tally: TwinTally
  #headerParts: Buffer[] = []
  #headerBytes = 0
  /** The entry whose content goes by; undefined when it has none, or is left out. */
  #current: (LayerEntry & { chunks: Chunk[] }) | undefined
  #left = 0
  /** Of the open chunk. */
  #chunkBytes = 0
  #chunk: Hash | undefined
  /** Of the whole file; a file of one chunk needs none. */
  #file: Hash | undefined

  constructor(coder: Pick<LayerCoder, 'content' | 'compressor'>, tally: TwinTally) {
    this.#compressor = coder.compressor
    this.#content = coder.content
    this.#tally = tally
  }

  /** What an event makes ready, to be written before the next of it is asked for. */
  *take(event: TarEvent): Generator<readonly Buffer[], void, void> {
    const entry = this.#current
    if (event.kind === 'entry') {
      const member = this.#begin(event.entry, event.header)
      if (member) yield [member]
    } else if (event.kind === 'end') {
      if (entry) yield this.#end(entry)
    } else if (event.kind === 'other' || entry === undefined) {
      this.#tally.dropped(event.bytes)
    } else {
      this.#tally.kept(event.bytes)
      if (event.kind === 'content') yield* this.#add(entry, event.bytes)
      else this.#content.add(event.bytes)
    }
  }

  /** What is ready of a member that is open between two pieces. */
  flush(): readonly Buffer[] {
    return this.#count(this.#content.flush())
  }

  /** The member that is still open when the archive ends. */
  finish(): readonly Buffer[] {
    return this.#headerBytes > 0 ? [this.#closeHeaders()] : []
  }

  #begin(entry: TarEntry, header: Buffer): Buffer | undefined {
    if (isReservedName(entry.name)) {
      this.#tally.dropped(header)
      return undefined
    }
    this.#tally.kept(header)
    const place = { member: this.headers.length, start: this.#headerBytes, length: header.length }
    const indexed = layerEntry(entry, place)
    this.entries.push(indexed)
    this.#headerParts.push(header)
    this.#headerBytes += header.length
    this.#left = entry.size
    if (entry.size > 0) {
      this.#current = Object.assign(indexed, { chunks: [] })
      this.#file = entry.size > CHUNK_SIZE ? createHash('sha256') : undefined
    } else if (entry.type === 'reg') {
      indexed.digest = EMPTY
    }
    return entry.size > 0 || this.#headerBytes >= HEADER_MEMBER_BYTES ? this.#closeHeaders() : undefined
  }

  *#add(entry: { chunks: Chunk[] }, bytes: Buffer): Generator<readonly Buffer[], void, void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + CHUNK_SIZE - this.#chunkBytes)
      at += part.length
      this.#content.add(part)
      this.#chunk ??= createHash('sha256')
      this.#chunk.update(part)
      this.#file?.update(part)
      this.#chunkBytes += part.length
      this.#left -= part.length
      // The last chunk waits for its padding.
      if (this.#chunkBytes === CHUNK_SIZE && this.#left > 0) yield this.#closeChunk(entry)
    }
  }

  #end(entry: LayerEntry & { chunks: Chunk[] }): readonly Buffer[] {
    const parts = this.#closeChunk(entry)
    this.#current = undefined
    entry.digest = this.#file ? finishDigest(this.#file) : (entry.chunks[0]?.digest ?? EMPTY)
    return parts
  }

  #closeHeaders(): Buffer {
    const member = this.#compressor.gzip(this.#headerParts)
    const before = this.headers.at(-1)
    const firstEntry = before ? before.firstEntry + before.entries : 0
    this.headers.push({
      offset: this.offset,
      length: member.length,
      plainLength: this.#headerBytes,
      firstEntry,
      entries: this.entries.length - firstEntry,
    })
    this.#headerParts = []
    this.#headerBytes = 0
    this.offset += member.length
    this.#memberStart = this.offset
    return member
  }

  #closeChunk(entry: { chunks: Chunk[] }): readonly Buffer[] {
    const parts = this.#count(this.#content.close())
    entry.chunks.push({
      offset: this.#memberStart,
      length: this.offset - this.#memberStart,
      size: this.#chunkBytes,
      digest: this.#chunk ? finishDigest(this.#chunk) : EMPTY,
    })
    this.#chunk = undefined
    this.#chunkBytes = 0
    this.#memberStart = this.offset
    return parts
  }

  #count(parts: readonly Buffer[]): readonly Buffer[] {
    for (const part of parts) this.offset += part.length
    return parts
  }
}

const EMPTY: Digest = digestOf('')
