import { LayerError } from './errors.ts'
import { BLOCK, decodeEntry, type Extensions, sizeField, type TarEntry, typeFlagOf } from './header.ts'
import { type LayerLimits, limitExceeded } from './limits.ts'
import { quote } from './names.ts'
import { parsePax } from './pax.ts'

/** What a scan finds, in the archive's order: every byte is in one event. Every entry ends, also one without content. */
export type TarEvent =
  /** `header` is every raw block of the entry's headers: PAX, GNU long names and its own; valid as long as content is. */
  | { kind: 'entry'; entry: TarEntry; header: Buffer }
  | { kind: 'content'; bytes: Buffer }
  /** Zeros (usually) after content, up to the next block. */
  | { kind: 'padding'; bytes: Buffer }
  /** Padding that the archive lacks at its end: zeros that are not in it, but have to be in any other of its entries. */
  | { kind: 'missing'; bytes: Buffer }
  /** What belongs to no entry: global PAX headers, the end mark, and whatever follows it. */
  | { kind: 'other'; bytes: Buffer }
  | { kind: 'end' }

const NO_BYTES = Buffer.alloc(0)
const END = { kind: 'end' } as const
const ZEROS = Buffer.alloc(BLOCK)

/**
 * Reads a tar archive from pieces of any size. Global PAX headers are passed over, as container runtimes
 * do; what follows the end mark is not looked at.
 */
export class TarScanner {
  readonly #limits: LayerLimits
  #state: 'header' | 'extension' | 'content' | 'padding' | 'ended' = 'header'
  /** Bytes before the piece being pushed. */
  #position = 0
  #entries = 0
  /** Bytes of the block or extension that the last piece broke off in. */
  #partial: Buffer[] = []
  #partialLength = 0
  #wanted = BLOCK
  /** Raw headers of the entry to come, and what they say. */
  #raw: Buffer[] = []
  #rawLength = 0
  #extensions: Extensions = {}
  #extensionFlag = ''
  #extensionSize = 0
  #contentLeft = 0
  #paddingLeft = 0
  #sawZeroBlock = false

  constructor(limits: LayerLimits) {
    this.#limits = limits
  }

  /** Takes the next piece, which has to be valid until the one after it. Content is handed on as parts of it. @throws LayerError */
  *push(piece: Buffer): Generator<TarEvent, void, void> {
    let at = 0
    while (at < piece.length) {
      if (this.#state === 'ended') {
        yield { kind: 'other', bytes: piece.subarray(at) }
        break
      }
      if (this.#state === 'content') {
        const bytes = piece.subarray(at, at + Math.min(this.#contentLeft, piece.length - at))
        at += bytes.length
        this.#contentLeft -= bytes.length
        yield { kind: 'content', bytes }
        if (this.#contentLeft > 0) continue
        if (this.#paddingLeft > 0) this.#state = 'padding'
        else yield this.#endEntry()
        continue
      }
      if (this.#state === 'padding') {
        const bytes = piece.subarray(at, at + Math.min(this.#paddingLeft, piece.length - at))
        at += bytes.length
        this.#paddingLeft -= bytes.length
        yield { kind: 'padding', bytes }
        if (this.#paddingLeft === 0) yield this.#endEntry()
        continue
      }
      const taken = piece.subarray(at, at + this.#wanted - this.#partialLength)
      at += taken.length
      this.#partialLength += taken.length
      if (this.#partialLength < this.#wanted) {
        this.#partial.push(Buffer.from(taken))
        break
      }
      const unit = this.#partial.length === 0 ? taken : Buffer.concat([...this.#partial, taken])
      this.#partial = []
      this.#partialLength = 0
      const found = this.#take(unit, this.#position + at - unit.length)
      if (!found) continue
      yield found
      if (found.kind === 'entry' && this.#contentLeft === 0) yield END
    }
    this.#position += piece.length
  }

  /**
   * Says that the archive is over. As in Go's reader, the end mark and the last padding may be missing; a
   * broken-off header or content may not. @throws LayerError CORRUPT_TAR
   */
  *end(): Generator<TarEvent, void, void> {
    if (this.#state === 'ended') return
    if (this.#state === 'padding') {
      yield { kind: 'missing', bytes: Buffer.alloc(this.#paddingLeft) }
      yield this.#endEntry()
      return
    }
    if (this.#state === 'header' && this.#partialLength === 0 && this.#raw.length === 0) return
    throw new LayerError(
      'CORRUPT_TAR',
      `the tar archive ends after ${this.#position} bytes, in the middle of ${
        this.#state === 'content' ? 'a file' : 'a header'
      }`,
      { offset: this.#position },
    )
  }

  /** Takes a block, or what an extension holds. */
  #take(unit: Buffer, offset: number): TarEvent | undefined {
    return this.#state === 'extension' ? this.#takeExtension(unit) : this.#takeHeader(unit, offset)
  }

  #takeHeader(block: Buffer, offset: number): TarEvent | undefined {
    if (block[0] === 0 && block.equals(ZEROS)) {
      if (this.#raw.length > 0) {
        throw new LayerError('CORRUPT_TAR', `extended headers before byte ${offset} belong to no entry`, {
          offset,
        })
      }
      if (this.#sawZeroBlock) this.#state = 'ended'
      this.#sawZeroBlock = true
      return { kind: 'other', bytes: block }
    }
    if (this.#sawZeroBlock) {
      throw new LayerError('CORRUPT_TAR', `the tar archive has a lone block of zeros before byte ${offset}`, {
        offset,
      })
    }
    const flag = typeFlagOf(block, offset)
    if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K')
      return this.#beginExtension(block, flag, offset)
    const entry = decodeEntry(block, flag, this.#extensions, offset)
    this.#checkEntry(entry)
    const header = this.#raw.length === 0 ? block : Buffer.concat([...this.#raw, block])
    this.#raw = []
    this.#rawLength = 0
    this.#extensions = {}
    this.#contentLeft = entry.size
    this.#paddingLeft = (BLOCK - (entry.size % BLOCK)) % BLOCK
    if (entry.size > 0) this.#state = 'content'
    return { kind: 'entry', entry, header }
  }

  #endEntry(): TarEvent {
    this.#state = 'header'
    this.#wanted = BLOCK
    return END
  }

  #beginExtension(block: Buffer, flag: string, offset: number): TarEvent | undefined {
    this.#extensionFlag = flag
    this.#extensionSize = sizeField(block, offset)
    const stored = Math.ceil(this.#extensionSize / BLOCK) * BLOCK
    if (this.#rawLength + BLOCK + stored > this.#limits.maxHeaderBytes) {
      throw new LayerError(
        'LIMIT_EXCEEDED',
        `the headers at byte ${offset} are larger than ${this.#limits.maxHeaderBytes} bytes`,
        { offset },
      )
    }
    if (stored > 0) {
      this.#state = 'extension'
      this.#wanted = stored
    } else {
      this.#readExtension(NO_BYTES)
    }
    return this.#keep(block)
  }

  #takeExtension(stored: Buffer): TarEvent | undefined {
    this.#readExtension(stored.subarray(0, this.#extensionSize))
    this.#state = 'header'
    this.#wanted = BLOCK
    return this.#keep(stored)
  }

  #readExtension(bytes: Buffer): void {
    if (this.#extensionFlag === 'x') this.#extensions.pax = parsePax(Buffer.from(bytes))
    else if (this.#extensionFlag === 'L') this.#extensions.longName = untilNul(bytes)
    else if (this.#extensionFlag === 'K') this.#extensions.longLink = untilNul(bytes)
    else {
      // Container runtimes pass over what a global header says, and refuse one that says nothing (archive/tar of Go 1.25).
      // They forget the headers before it, too.
      parsePax(Buffer.from(bytes))
      this.#extensions = {}
    }
  }

  /** A global header is no part of an entry, unless it stands in the middle of one's headers. */
  #keep(raw: Buffer): TarEvent | undefined {
    if (this.#extensionFlag === 'g' && this.#raw.length === 0) return { kind: 'other', bytes: raw }
    this.#raw.push(Buffer.from(raw))
    this.#rawLength += raw.length
    return undefined
  }

  #checkEntry(entry: TarEntry): void {
    this.#entries += 1
    if (this.#entries > this.#limits.maxEntries) {
      throw limitExceeded(this.#limits, 'maxEntries', 'the layer has too many entries')
    }
    const longest = Math.max(Buffer.byteLength(entry.tarName), Buffer.byteLength(entry.linkName ?? ''))
    if (longest > this.#limits.maxNameBytes) {
      throw new LayerError(
        'LIMIT_EXCEEDED',
        `${quote(entry.tarName)} or its link target is longer than ${this.#limits.maxNameBytes} bytes`,
        { entry: entry.tarName },
      )
    }
  }
}

/** Undefined for an empty name, which stands for none. */
function untilNul(bytes: Buffer): Buffer | undefined {
  const end = bytes.indexOf(0)
  const name = end === -1 ? bytes : bytes.subarray(0, end)
  return name.length === 0 ? undefined : Buffer.from(name)
}
